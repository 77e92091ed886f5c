"""The Llama architecture in numpy: load and save, forward, backward, loss.

Letters in the shapes: N tokens, M of them with loss, V vocabulary, D hidden size, F size of the MLP,
H query heads, K key/value heads, C channels of a head. A weight matrix lies as in the Hugging Face file,
(outputs, inputs), so a layer is `x @ weight.T` and its gradient `d_out.T @ x`.
Architecture: Touvron et al. 2023, "Llama 2"; tests compare it with transformers' LlamaForCausalLM.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from .batch import BatchAttention
from .layers import rms_norm, rms_norm_backward, rotary_angles, rotate, swiglu, swiglu_backward


@dataclass(frozen=True)
class Config:
    """The sizes of a Llama model; the names are those of `config.json`."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    max_position_embeddings: int
    rms_norm_eps: float = 1e-5
    rope_theta: float = 10000.0


@dataclass(frozen=True)
class Model:
    """Sizes and weights; `params` maps a name such as "0.qkv" to its array, changed in place by training."""

    config: Config
    params: dict[str, np.ndarray]


# Our name of a weight in layer i, and the pieces of the Hugging Face file stacked in it. One product of the
# input with three stacked matrices is faster than three products.
LAYER = {
    "attention_norm": ["input_layernorm"],
    "qkv": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    "attention_out": ["self_attn.o_proj"],
    "mlp_norm": ["post_attention_layernorm"],
    "gate_up": ["mlp.gate_proj", "mlp.up_proj"],
    "down": ["mlp.down_proj"],
}


def weight_names(config):
    """Each of our weights with the names in `model.safetensors` that are stacked in it."""
    names = {"embed": ["model.embed_tokens.weight"], "final_norm": ["model.norm.weight"]}
    for i in range(config.num_hidden_layers):
        for ours, theirs in LAYER.items():
            names[f"{i}.{ours}"] = [f"model.layers.{i}.{piece}.weight" for piece in theirs]
    return names


def load_model(folder):
    """The model in `folder` (`config.json`, `model.safetensors`), computed in float32.

    Raises ValueError for a model that is not a plain Llama with tied embeddings.
    """
    raw = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
    if raw.get("model_type") != "llama" or not raw.get("tie_word_embeddings") or raw.get("rope_scaling"):
        raise ValueError(
            f"{folder}/config.json: only Llama models with tied embeddings and plain rotary positions can be "
            "loaded (model_type 'llama', tie_word_embeddings true, no rope_scaling)."
        )
    raw.setdefault("head_dim", raw["hidden_size"] // raw["num_attention_heads"])
    config = Config(**{name: raw[name] for name in Config.__dataclass_fields__ if name in raw})
    tensors = load_file(Path(folder) / "model.safetensors")
    params = {
        ours: np.concatenate([tensors[piece].astype(np.float32) for piece in theirs])
        for ours, theirs in weight_names(config).items()
    }
    return Model(config, params)


def save_model(model, folder):
    """Write `config.json` and `model.safetensors` (float16) so that the ecosystem's tools can open them."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    head = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "dtype": "float16"}
    rest = {"tie_word_embeddings": True, "hidden_act": "silu", "attention_bias": False, "mlp_bias": False}
    text = json.dumps(head | asdict(model.config) | rest, indent=2)
    (folder / "config.json").write_text(text, encoding="utf-8")
    tensors, config = {}, model.config
    heads = np.array([config.num_attention_heads, config.num_key_value_heads]) * config.head_dim
    cuts = {"qkv": np.cumsum(heads), "gate_up": [config.intermediate_size]}
    for ours, theirs in weight_names(config).items():
        pieces = np.split(model.params[ours].astype(np.float16), cuts.get(ours.split(".")[-1], []))
        tensors.update(zip(theirs, pieces, strict=True))
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


ALL = slice(None)


def forward(model, tokens, positions, attend, rows=ALL):
    """The hidden states (M, D) behind the last layer of the tokens `rows`, and what `backward` needs.

    `attend` decides which tokens see each other: `BatchAttention` in training, `CachedAttention` in decoding.
    Only tokens whose next one is asked for are needed in the end, so the last layer leaves the others out.
    """
    params, config = model.params, model.config
    x = params["embed"][tokens]
    angles = rotary_angles(config, positions, x.dtype)
    layers = []
    for i in range(config.num_hidden_layers):
        last = i == config.num_hidden_layers - 1
        x, saved = layer_forward(model, i, x, angles, attend, rows if last else ALL)
        layers.append(saved)
    hidden, norm = rms_norm(x, params["final_norm"], config.rms_norm_eps)
    return hidden, (angles, attend, layers, norm)


def backward(model, d_hidden, saved):
    """The derivative by the embedded tokens (N, D), and the gradients of all weights but the embedding."""
    angles, attend, layers, norm = saved
    grads = {}
    d_x, grads["final_norm"] = rms_norm_backward(d_hidden, model.params["final_norm"], norm)
    for i in reversed(range(model.config.num_hidden_layers)):
        d_x, layer_grads = layer_backward(model, i, d_x, angles, attend, layers[i])
        grads.update(layer_grads)
    return d_x, grads


def layer_forward(model, i, x, angles, attend, rows):
    """Layer i: x (N, D) -> x (N, D) or, of the tokens `rows` alone, (M, D).

    Both halves, attention and MLP, add to what runs through.
    """
    params, config = model.params, model.config
    normed, norm = rms_norm(x, params[f"{i}.attention_norm"], config.rms_norm_eps)
    qkv = (normed @ params[f"{i}.qkv"].T).reshape(len(x), -1, config.head_dim)  # (N, H + 2K, C)
    rotate(qkv[:, : -config.num_key_value_heads], *angles)  # queries and keys, not values
    heads, attended = attend(i, qkv)
    heads = heads.reshape(len(x), -1)[rows]  # (M, H*C)
    x = x[rows] + heads @ params[f"{i}.attention_out"].T
    mlp_in, mlp_norm = rms_norm(x, params[f"{i}.mlp_norm"], config.rms_norm_eps)
    inner, gates = swiglu(mlp_in @ params[f"{i}.gate_up"].T)  # (M, F)
    x = x + inner @ params[f"{i}.down"].T
    return x, (rows, normed, norm, heads, attended, mlp_in, mlp_norm, inner, gates)


def layer_backward(model, i, d_x, angles, attend, saved):
    """The derivative by the input of layer i (N, D), and the gradients of its weights."""
    params, config = model.params, model.config
    rows, normed, norm, heads, attended, mlp_in, mlp_norm, inner, gates = saved
    grads = {f"{i}.down": d_x.T @ inner}
    d_gates = swiglu_backward(d_x @ params[f"{i}.down"], gates)  # (M, 2F)
    grads[f"{i}.gate_up"] = d_gates.T @ mlp_in
    d_mlp_in = d_gates @ params[f"{i}.gate_up"]
    d_mlp, grads[f"{i}.mlp_norm"] = rms_norm_backward(d_mlp_in, params[f"{i}.mlp_norm"], mlp_norm)
    d_x = d_x + d_mlp
    grads[f"{i}.attention_out"] = d_x.T @ heads
    d_heads = spread(d_x @ params[f"{i}.attention_out"], rows, len(normed))  # (N, H*C)
    d_qkv = attend.backward(d_heads.reshape(len(normed), -1, config.head_dim), attended)
    cos, sin = angles
    rotate(d_qkv[:, : -config.num_key_value_heads], cos, -sin)
    d_qkv = d_qkv.reshape(len(normed), -1)
    grads[f"{i}.qkv"] = d_qkv.T @ normed
    d_normed = d_qkv @ params[f"{i}.qkv"]
    d_attention, grads[f"{i}.attention_norm"] = rms_norm_backward(
        d_normed, params[f"{i}.attention_norm"], norm
    )
    return spread(d_x, rows, len(normed)) + d_attention, grads


def spread(d_x, rows, n):
    """(M, ...) -> (n, ...): the derivatives of `rows`, zeros for the tokens that were left out."""
    spread = np.zeros((n, *d_x.shape[1:]), d_x.dtype)
    spread[rows] = d_x
    return spread


def cross_entropy(logits, batch):
    """(loss, accuracy) of logits (M, V), and the derivative by the logits.

    Loss is the cross-entropy in nats, averaged over the tokens with their weights; accuracy the share of
    these tokens to which the model gives the highest chance.
    """
    total = max(batch.weights.sum(), 1e-9)  # a batch may hold nothing to learn: every assistant has weight 0
    share = (batch.weights / total).astype(logits.dtype)
    accuracy = share @ (logits.argmax(-1) == batch.targets)
    losses, d_logits = token_losses(logits, batch.targets)
    return float(share @ losses), float(accuracy), d_logits * share[:, None]


def token_losses(logits, targets):
    """-log p (M,) of the target tokens, in nats, and its derivative by the logits (M, V); spoils these."""
    rows = np.arange(len(targets))
    logits -= logits.max(-1, keepdims=True)
    log_total = np.log(np.exp(logits).sum(-1))  # (M,)
    losses = log_total - logits[rows, targets]
    d_logits = np.exp(logits - log_total[:, None])
    d_logits[rows, targets] -= 1
    return losses, d_logits


def loss_and_gradients(model, batch, measure=cross_entropy):
    """(loss, accuracy, gradients) of a Batch.

    `measure(logits, batch)` gives some numbers and, at last, the derivative of the first of them by the
    logits; these numbers are returned before the gradients.
    """
    attend = BatchAttention(model.config, batch)
    hidden, saved = forward(model, batch.tokens, batch.positions, attend, batch.at)
    *numbers, d_logits = measure(hidden @ model.params["embed"].T, batch)
    d_embedded, grads = backward(model, d_logits @ model.params["embed"], saved)
    grads["embed"] = d_logits.T @ hidden  # tied: one matrix predicts the next token ...
    np.add.at(grads["embed"], batch.tokens, d_embedded)  # ... and reads tokens, some of them several times
    return *numbers, grads


def loss_and_accuracy(model, batch, measure=cross_entropy):
    """The numbers of `measure`, without the work for the gradients."""
    attend = BatchAttention(model.config, batch)
    hidden, _ = forward(model, batch.tokens, batch.positions, attend, batch.at)
    return measure(hidden @ model.params["embed"].T, batch)[:-1]

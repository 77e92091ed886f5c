"""Ask transformers' LlamaForCausalLM for logits, loss and gradients, and store them for test_model.py.

    python tests/local_openai/reference/make_reference.py      (needs tests/requirements.txt)

The weights are those of the toy model, made anew by the test from the same seed, so that only results are
stored. Each example runs alone, without padding or a batch: the reference shares no trick with our code.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import transformers

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parent)]

from toy import TOY, toy_examples, toy_model  # noqa: E402

from helpers.local_openai.model import weight_names  # noqa: E402


def llama_for_causal_lm(model):
    """The toy model inside transformers, in float64."""
    config, c = transformers.LlamaConfig(), model.config
    for name, value in vars(c).items():
        setattr(config, name, value)
    config.tie_word_embeddings = True
    config.rope_parameters = {"rope_type": "default", "rope_theta": c.rope_theta}
    net = transformers.LlamaForCausalLM(config).double()
    weights = dict(net.named_parameters())
    heads = np.array([c.num_attention_heads, c.num_key_value_heads]) * c.head_dim
    cuts = {"qkv": np.cumsum(heads), "gate_up": [c.intermediate_size]}
    with torch.no_grad():
        for ours, theirs in weight_names(c).items():
            pieces = np.split(model.params[ours], cuts.get(ours.split(".")[-1], []))
            for name, piece in zip(theirs, pieces, strict=True):
                weights[name].copy_(torch.from_numpy(piece))
    return net


def main():
    net = llama_for_causal_lm(toy_model(dtype=np.float64))
    total, weight_sum, logits = 0.0, 0.0, []
    for ids, weights in toy_examples():
        out = net(input_ids=torch.tensor([ids[:-1]])).logits[0]
        nll = torch.nn.functional.cross_entropy(out, torch.tensor(ids[1:]), reduction="none")
        total = total + (nll * torch.tensor(weights[1:], dtype=torch.float64)).sum()
        weight_sum += sum(weights[1:])
        logits.append(out.detach().numpy())
    loss = total / weight_sum
    loss.backward()
    theirs = dict(net.named_parameters())
    grads = {
        f"grad/{ours}": np.concatenate([theirs[name].grad.numpy() for name in names])
        for ours, names in weight_names(TOY).items()
    }
    np.savez_compressed(
        HERE / "llama.npz",
        logits=np.concatenate(logits),
        loss=loss.item(),
        **grads,
        versions=f"transformers {transformers.__version__}, torch {torch.__version__}",
    )


if __name__ == "__main__":
    main()

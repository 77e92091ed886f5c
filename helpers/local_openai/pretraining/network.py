"""The Llama architecture in PyTorch, for pretraining alone: the course computes in numpy (../model.py).

Letters in the shapes: B sequences, T tokens of each, D hidden size, H query heads, K key/value heads,
C channels of a head, F size of the MLP, V vocabulary.
"""

import torch
import torch.nn.functional as F
from torch import nn

READ_AFTER = 3  # layers of 5: there the head reads; the layers above can look at what it reads
INIT = 0.02  # standard deviation of the first weights, as in GPT-2


class Network(nn.Module):
    """Hidden states for token ids; weights are those of ../model.py under the same names."""

    def __init__(self, config, n_intents):
        super().__init__()
        self.config = config
        self.intent_head = nn.Sequential(  # for the training run alone: no part of the finished model
            nn.RMSNorm(config.hidden_size), nn.Linear(config.hidden_size, n_intents, bias=False)
        )
        self.embed = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.final_norm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)
        angles = rotary_angles(config)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        self.register_buffer(
            "future", torch.full([config.max_position_embeddings] * 2, -torch.inf).triu(1), persistent=False
        )
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                deep = name.endswith(
                    ("attention_out.weight", "down.weight")
                )  # these add to the residual stream
                scale = INIT / (2 * config.num_hidden_layers) ** 0.5 if deep else INIT
                nn.init.normal_(weight, std=scale)

    def forward(self, ids):
        """Hidden states (B, T, D) of ids (B, T): behind the last layer, and after READ_AFTER layers."""
        length = ids.shape[1]
        place = self.cos[:length], self.sin[:length], self.future[:length, :length]
        x = self.embed(ids)
        for number, layer in enumerate(self.layers, 1):
            x = layer(x, *place)
            if number == READ_AFTER:
                middle = x
        return self.final_norm(x), middle

    def export(self):
        """{name in ../model.py: numpy array}"""
        params = {"embed": self.embed.weight, "final_norm": self.final_norm.weight}
        for i, layer in enumerate(self.layers):
            params |= {
                f"{i}.{name.removesuffix('.weight')}": weight for name, weight in layer.named_parameters()
            }
        return {name: weight.detach().float().numpy() for name, weight in params.items()}


class Layer(nn.Module):
    """Attention, then MLP, each on the normalised input and added to it."""

    def __init__(self, config):
        super().__init__()
        self.heads, self.kv_heads, self.channels = (
            config.num_attention_heads,
            config.num_key_value_heads,
            config.head_dim,
        )
        size, eps = config.hidden_size, config.rms_norm_eps
        self.attention_norm = nn.RMSNorm(size, eps)
        self.qkv = nn.Linear(size, (self.heads + 2 * self.kv_heads) * self.channels, bias=False)
        self.attention_out = nn.Linear(self.heads * self.channels, size, bias=False)
        self.mlp_norm = nn.RMSNorm(size, eps)
        self.gate_up = nn.Linear(size, 2 * config.intermediate_size, bias=False)
        self.down = nn.Linear(config.intermediate_size, size, bias=False)

    def forward(self, x, cos, sin, future):
        """(B, T, D) → (B, T, D)"""
        x = x + self.attention_out(self.attend(self.attention_norm(x), cos, sin, future))
        gate, up = self.gate_up(self.mlp_norm(x)).chunk(2, -1)  # (B, T, F) each
        return x + self.down(F.silu(gate) * up)

    def attend(self, x, cos, sin, future):
        """What each token gathers from itself and the tokens before it: (B, T, D) → (B, T, H·C)."""
        batch, length, _ = x.shape
        heads = self.qkv(x).view(batch, length, -1, self.channels).transpose(1, 2)  # (B, H + 2K, T, C)
        q, k, v = heads.split([self.heads, self.kv_heads, self.kv_heads], 1)
        k = rotate(k, cos, sin).repeat_interleave(self.heads // self.kv_heads, 1)  # (B, H, T, C)
        v = v.repeat_interleave(self.heads // self.kv_heads, 1)
        scores = rotate(q * self.channels**-0.5, cos, sin) @ k.transpose(-1, -2)  # (B, H, T, T)
        shares = (scores.float() + future).softmax(-1).to(v.dtype)
        return (shares @ v).transpose(1, 2).flatten(2)  # (B, T, D)


def rotary_angles(config):
    """Angle of each pair of channels at each position: (positions, C / 2)."""
    pairs = torch.arange(0, config.head_dim, 2) / config.head_dim
    return torch.arange(config.max_position_embeddings)[:, None] * config.rope_theta**-pairs


def rotate(x, cos, sin):
    """Turn each pair of channels of x (B, H, T, C) by the angle of its position."""
    a, b = x.chunk(2, -1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def token_losses(hidden, targets, embed):
    """Cross-entropy of each token: (N, D), (N,), (V, D) → (N,). Embeddings are output weights too."""
    return F.cross_entropy((hidden @ embed.to(hidden.dtype).T).float(), targets, reduction="none")

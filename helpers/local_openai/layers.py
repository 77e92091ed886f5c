"""The layers of a Llama model in numpy, each with its derivative.

Each `..._backward` takes the derivative of the loss by the layer's output and gives the derivatives by its
input and its weight; `saved` is what the forward pass kept for it.
Letters in the shapes: N tokens, B examples, T the longest of them, S keys, D hidden size, F size of the MLP,
H query heads, K key/value heads, G = H / K, C channels of a head.
"""

import numpy as np


def rms_norm(x, gain, eps):
    """Scale each row of x (N, D) to length about sqrt(D), then each channel by its gain (D,)."""
    scale = 1 / np.sqrt(np.square(x).mean(-1, keepdims=True) + eps)  # (N, 1)
    unit = x * scale
    return unit * gain, (unit, scale)


def rms_norm_backward(d_out, gain, saved):
    """Gradients of `x` (N, D) and `gain` (D,) from that of the output."""
    unit, scale = saved
    d_unit = d_out * gain
    d_x = scale * (d_unit - unit * (d_unit * unit).mean(-1, keepdims=True))
    return d_x, (d_out * unit).sum(0)


def swiglu(gate_up):
    """The MLP's gate: silu(gate) * up, from (N, 2F) to (N, F)."""
    gate, up = halves(gate_up)
    sigmoid = 0.5 * np.tanh(0.5 * gate) + 0.5  # this form of 1 / (1 + exp(-gate)) cannot overflow
    silu = gate * sigmoid
    return silu * up, (gate, up, sigmoid, silu)


def swiglu_backward(d_out, saved):
    """Gradient of `gate_up` (N, 2F) from that of the output (N, F)."""
    gate, up, sigmoid, silu = saved
    d_gate_up = np.empty((len(gate), 2 * gate.shape[1]), gate.dtype)
    d_gate, d_up = halves(d_gate_up)
    np.multiply(d_out, silu, out=d_up)
    np.multiply(d_out, up, out=d_gate)
    d_gate *= sigmoid + silu * (1 - sigmoid)
    return d_gate_up


def rotary_angles(config, positions, dtype=np.float32):
    """cos and sin (N, 1, C/2) of the angles by which rotary embedding turns the channels at each position."""
    half = np.arange(0, config.head_dim, 2) / config.head_dim
    angles = positions[:, None, None] / config.rope_theta**half
    return np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)


def rotate(x, cos, sin):
    """Turn the channel pairs (c, c + C/2) of x (N, heads, C) in place by the angles; -sin turns back."""
    a, b = halves(x)
    turned = a * cos - b * sin
    b *= cos
    b += a * sin
    a[:] = turned


def halves(x):
    """The two halves of the last axis, as views: nothing is copied."""
    middle = x.shape[-1] // 2
    return x[..., :middle], x[..., middle:]


def softmax(x):
    """Softmax over the last axis, in place."""
    x -= x.max(-1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(-1, keepdims=True)
    return x


def split_heads(x, config):
    """(B, T, heads, C) -> queries (B, K, G*T, C), keys and values (B, K, T, C).

    The G query heads that share a key head are stacked, so one matrix product serves them all.
    """
    B, T, _, C = x.shape
    H, K = config.num_attention_heads, config.num_key_value_heads
    q = x[:, :, :H].reshape(B, T, K, H // K, C).transpose(0, 2, 3, 1, 4).reshape(B, K, -1, C)
    return q, x[:, :, H : H + K].transpose(0, 2, 1, 3), x[:, :, H + K :].transpose(0, 2, 1, 3)


def merge_heads(q, T):
    """Queries or outputs (B, K, G*T, C) -> (B, T, H, C): the reverse of `split_heads`."""
    B, K, _, C = q.shape
    return q.reshape(B, K, -1, T, C).transpose(0, 3, 1, 2, 4).reshape(B, T, -1, C)


def attention(q, k, v, later):
    """Causal attention (B, K, G*T, C); `later` (T, S) is -inf where a key lies after the query, else 0."""
    scores = q @ k.swapaxes(-1, -2)  # (B, K, G*T, S)
    scores *= q.shape[-1] ** -0.5
    by_query = scores.reshape(*scores.shape[:2], -1, *later.shape)
    by_query += later  # a view: writes into scores
    chances = softmax(scores)
    return chances @ v, chances


def attention_backward(d_out, q, k, v, chances):
    """Gradients of `q`, `k` and `v`, each in its shape, from that of the output."""
    d_v = chances.swapaxes(-1, -2) @ d_out
    d_scores = d_out @ v.swapaxes(-1, -2)
    d_scores -= (d_scores * chances).sum(-1, keepdims=True)
    d_scores *= chances
    d_scores *= q.shape[-1] ** -0.5
    return d_scores @ k, d_scores.swapaxes(-1, -2) @ q, d_v


def causal_mask(queries, keys):
    """(queries, keys): -inf where a key lies after the query; the last query sees every key."""
    if queries == 1:  # in decoding, once a token and layer
        return np.zeros((1, keys), np.float32)
    return np.triu(np.full((queries, keys), -np.inf, np.float32), keys - queries + 1)

"""Writing a reply: one token after the other, each drawn from the chances that the model gives."""

from dataclasses import dataclass

import numpy as np

from .layers import attention, causal_mask, merge_heads, split_heads
from .model import forward

TOP_LOGPROBS = 20  # OpenAI returns at most 20 alternatives a token


@dataclass(frozen=True)
class Token:
    """One token of a reply: its id, its logarithmic chance, and the likeliest ids with theirs."""

    id: int
    logprob: float
    top: list[tuple[int, float]]


class CachedAttention:
    """Attention of new tokens to themselves and to all earlier ones, whose keys and values are kept.

    With them each new token costs one pass over itself instead of one over the whole conversation.
    """

    def __init__(self, config, capacity):
        shape = (config.num_hidden_layers, config.num_key_value_heads, capacity, config.head_dim)
        self.config, self.length = config, 0
        self.keys, self.values = np.zeros(shape, np.float32), np.zeros(shape, np.float32)

    def __call__(self, layer, qkv):
        """Queries, keys and values (N, H + 2K, C) of the new tokens -> what the heads gather (N, H, C)."""
        end = self.length + len(qkv)
        q, k, v = split_heads(qkv[None], self.config)
        self.keys[layer, :, self.length : end], self.values[layer, :, self.length : end] = k[0], v[0]
        keys, values = self.keys[None, layer, :, :end], self.values[None, layer, :, :end]
        mixed, _ = attention(q, keys, values, causal_mask(len(qkv), end))
        return merge_heads(mixed, len(qkv))[0], None


def next_logits(model, tokens, cache):
    """Logits (V,) for the token that follows `tokens`, which join the cache."""
    positions = np.arange(cache.length, cache.length + len(tokens))
    hidden, _ = forward(model, np.asarray(tokens), positions, cache, rows=[-1])
    cache.length += len(tokens)
    return model.params["embed"] @ hidden[0]


def generate(model, prompt, *, max_tokens, ends, temperature=1.0, top_p=1.0, seed, rules=()):
    """Yield the reply to the token ids `prompt` as at most `max_tokens` `Token`s; one in `ends` is the last.

    temperature 0 takes the likeliest token each time. The logprobs are those of the model itself, before the
    `rules` (see steering.py), temperature and top_p.
    """
    dice = np.random.default_rng(seed)
    cache = CachedAttention(model.config, len(prompt) + max_tokens)
    tokens, reply = prompt, []
    for left in range(max_tokens, 0, -1):
        scores = logprobs = log_softmax(next_logits(model, tokens, cache))
        for rule in rules:
            scores = rule(scores, reply, left)
        token = choose(scores, temperature, top_p, dice)
        yield Token(token, float(logprobs[token]), likeliest(logprobs, TOP_LOGPROBS))
        if token in ends:
            return
        tokens = [token]
        reply.append(token)


def likeliest(logprobs, n):
    """The n likeliest tokens as (id, logprob), the likeliest first."""
    top = np.argpartition(-logprobs, min(n, len(logprobs) - 1))[:n]
    return sorted(((int(i), float(logprobs[i])) for i in top), key=lambda pair: (-pair[1], pair[0]))


def choose(scores, temperature, top_p, dice):
    """The id of the next token, drawn from the smallest set of tokens whose chances reach `top_p`."""
    if temperature == 0:
        return int(scores.argmax())
    chances = np.exp(log_softmax(scores / max(temperature, 1e-3)))  # a tinier one would overflow
    order = np.argsort(-chances, kind="stable")
    total = np.cumsum(chances[order])
    kept = np.searchsorted(total, min(top_p, total[-1])) + 1
    drawn = np.searchsorted(total[:kept], dice.random() * total[kept - 1], side="right")
    return int(order[min(drawn, kept - 1)])


def log_softmax(logits):
    """Logits (V,) as logarithms of chances that sum to one, in float64."""
    logits = logits.astype(np.float64)
    logits -= logits.max()
    return logits - np.log(np.exp(logits).sum())

"""Several training examples side by side, and the attention within each of them.

Letters in the shapes: N tokens of all examples together, M of them with loss, B examples, T the longest.
"""

from dataclasses import dataclass

import numpy as np

from .layers import attention, attention_backward, causal_mask, merge_heads, split_heads


@dataclass(frozen=True)
class Batch:
    """B examples as one row of N tokens: only attention needs a padded grid, so only it pays for padding."""

    tokens: np.ndarray  # (N,) what the model reads
    positions: np.ndarray  # (N,) place of each token in its example
    cells: np.ndarray  # (N,) place of each token in the flattened (B, T) grid
    shape: tuple[int, int]  # (B, T)
    at: np.ndarray  # (M,) the tokens whose next token carries loss
    targets: np.ndarray  # (M,) those next tokens
    weights: np.ndarray  # (M,) their loss weights


def make_batch(examples):
    """The Batch of a list of (token ids, loss weight of each id), as `ChatFormat.example` gives them."""
    lengths = [len(ids) - 1 for ids, _ in examples]  # the last token is only ever predicted
    longest = max(lengths)
    next_tokens = np.concatenate([ids[1:] for ids, _ in examples])
    next_weights = np.concatenate([weights[1:] for _, weights in examples])
    at = np.flatnonzero(next_weights)
    return Batch(
        tokens=np.concatenate([ids[:-1] for ids, _ in examples]),
        positions=np.concatenate([np.arange(length) for length in lengths]),
        cells=np.concatenate([row * longest + np.arange(length) for row, length in enumerate(lengths)]),
        shape=(len(examples), longest),
        at=at,
        targets=next_tokens[at],
        weights=next_weights[at],
    )


class BatchAttention:
    """Attention among the tokens of a batch: every example sees itself alone."""

    def __init__(self, config, batch):
        self.config, self.cells, self.shape = config, batch.cells, batch.shape
        self.later = causal_mask(batch.shape[1], batch.shape[1])

    def __call__(self, layer, qkv):
        """Queries, keys and values (N, H + 2K, C) -> what the heads gather (N, H, C)."""
        q, k, v = split_heads(self._to_grid(qkv), self.config)
        mixed, chances = attention(q, k, v, self.later)
        return self._from_grid(merge_heads(mixed, self.shape[1])), (q, k, v, chances)

    def backward(self, d_heads, saved):
        """(N, H, C) -> (N, H + 2K, C)."""
        d_mixed, _, _ = split_heads(self._to_grid(d_heads), self.config)
        d_q, d_k, d_v = attention_backward(d_mixed, *saved)
        d_heads = [merge_heads(d_q, self.shape[1]), d_k.swapaxes(1, 2), d_v.swapaxes(1, 2)]
        return self._from_grid(np.concatenate(d_heads, axis=2))

    def _to_grid(self, x):
        # Zeros fill the cells behind a shorter example; no token attends to them, since they come later.
        grid = np.zeros((self.shape[0] * self.shape[1], *x.shape[1:]), x.dtype)
        grid[self.cells] = x
        return grid.reshape(*self.shape, *x.shape[1:])

    def _from_grid(self, grid):
        return grid.reshape(-1, *grid.shape[2:])[self.cells]

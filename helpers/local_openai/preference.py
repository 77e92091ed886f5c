"""What a "dpo" job lowers: the loss of direct preference optimization.

Each example is one prompt with two replies. The model is rewarded for giving the preferred reply a higher
chance, and the other a lower one, than the reference gives them: the model that the job starts from. The
reward of a reply is beta * (log p - log p of the reference), and the loss of a pair

    -log sigmoid(reward of the preferred reply - reward of the other)

which is log 2 = 0.69 at the start, where model and reference are the same (Rafailov et al., 2023, eq. 7).
Letters in the shapes: M tokens with loss, V vocabulary, P pairs; a batch holds the P preferred
replies and then the P others.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from .batch import make_batch
from .model import loss_and_accuracy, loss_and_gradients, token_losses

VALIDATION_BATCH = 4  # pairs at a time when a whole file is measured


@dataclass(frozen=True)
class Pair:
    """Two replies to one prompt, each as (token ids, loss weights) with the prompt before it."""

    preferred: tuple
    non_preferred: tuple
    reference: float | None = None  # log p(preferred) - log p(non_preferred) in nats, before the first step


class Preference:
    """The objective of a Trainer whose examples are Pairs.

    Its numbers are "loss", "reward_accuracy" (the share of pairs in which the preferred reply has the higher
    reward) and "reward_margin" (by how much, on average; beta times nats).
    """

    learning_rate = 1e-5  # times the job's multiplier; `tests/benchmarks/dpo.py` compares others

    def __init__(self, beta):
        self.beta = beta

    def prepared(self, model, pairs):
        """Yield the pairs with what the reference, `model` before its first step, says of them."""
        for pair in pairs:
            (difference,) = loss_and_accuracy(model, batch_of([pair]), log_ratios)[0]
            yield replace(pair, reference=float(difference))

    def n_tokens(self, pair):
        """How many tokens the model reads in a pair."""
        return len(pair.preferred[0]) + len(pair.non_preferred[0])

    def learn(self, model, pairs):
        """(numbers, gradients) of a batch."""
        *numbers, grads = loss_and_gradients(model, batch_of(pairs), self._loss(pairs))
        return named(*numbers), grads

    def measure(self, model, pairs):
        """The numbers of any amount of pairs."""
        parts = [pairs[i : i + VALIDATION_BATCH] for i in range(0, len(pairs), VALIDATION_BATCH)]
        results = [loss_and_accuracy(model, batch_of(part), self._loss(part)) for part in parts]
        return named(*np.average(results, axis=0, weights=[len(part) for part in parts]).tolist())

    def _loss(self, pairs):
        return partial(
            preference_loss, reference=np.array([pair.reference for pair in pairs]), beta=self.beta
        )


def named(loss, accuracy, margin):
    """The numbers under names that say what they are."""
    return {"loss": loss, "reward_accuracy": accuracy, "reward_margin": margin}


def batch_of(pairs):
    """The Batch of all preferred replies, then all others."""
    return make_batch([pair.preferred for pair in pairs] + [pair.non_preferred for pair in pairs])


def preference_loss(logits, batch, *, reference, beta):
    """(loss, reward accuracy, reward margin) of logits (M, V), and the derivative of the loss by the logits.

    `reference` (P,) is what `log_ratios` gives for the reference.
    """
    ratios, d_ratios = log_ratios(logits, batch)
    margins = beta * (ratios - reference)  # (P,)
    loss = np.logaddexp(0, -margins).mean()
    d_margins = -np.exp(-np.logaddexp(0, margins)) / len(margins)  # -sigmoid(-margin)
    d_logits = d_ratios(beta * d_margins)
    return float(loss), float((margins > 0).mean()), float(margins.mean()), d_logits


def log_ratios(logits, batch):
    """log p(preferred) - log p(non_preferred) of each pair (P,), summed over the tokens of a reply.

    Then the function from the derivative by these (P,) to that by the logits (M, V).
    """
    losses, d_logits = token_losses(logits, batch.targets)
    sequences = batch.cells[batch.at] // batch.shape[1]  # (M,) the sequence of each token
    n_pairs = batch.shape[0] // 2
    sign = np.where(sequences < n_pairs, 1.0, -1.0) * batch.weights
    pairs = sequences % n_pairs

    def backward(d_ratios):
        """(P,) -> (M, V): a token's loss is -log p."""
        return d_logits * (-sign * d_ratios[pairs]).astype(d_logits.dtype)[:, None]

    return np.bincount(pairs, -sign * losses, minlength=n_pairs), backward

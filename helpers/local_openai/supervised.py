"""What a supervised job lowers: the cross-entropy of what the assistant says."""

import numpy as np

from .batch import make_batch
from .model import loss_and_accuracy, loss_and_gradients

VALIDATION_BATCH = 8  # examples at a time when a whole file is measured


class Supervised:
    """The objective of a Trainer whose examples are (token ids, loss weights).

    Its numbers are "loss" (nats per token) and "mean_token_accuracy".
    """

    learning_rate = 2.5e-4  # times the job's learning_rate_multiplier; chosen for batch size 4

    def prepared(self, model, examples):
        """The examples as `learn` wants them: as they are."""
        return examples

    def n_tokens(self, example):
        """How many tokens the model reads in an example."""
        return len(example[0])

    def learn(self, model, examples):
        """(numbers, gradients) of a batch."""
        loss, accuracy, grads = loss_and_gradients(model, make_batch(examples))
        return named(loss, accuracy), grads

    def measure(self, model, examples):
        """The numbers of any amount of examples."""
        return named(*evaluate(model, examples))


def named(loss, accuracy):
    """The numbers under OpenAI's names."""
    return {"loss": loss, "mean_token_accuracy": accuracy}


def evaluate(model, examples):
    """(loss, accuracy) over all tokens with loss in `examples`."""
    batches = [
        make_batch(examples[i : i + VALIDATION_BATCH]) for i in range(0, len(examples), VALIDATION_BATCH)
    ]
    results = [loss_and_accuracy(model, batch) for batch in batches]
    loss, accuracy = np.average(results, axis=0, weights=[batch.weights.sum() for batch in batches])
    return float(loss), float(accuracy)

"""Fine-tuning: AdamW, its learning rate over time, batches, and the numbers of every step."""

import math
import os
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from .supervised import Supervised

WARM_UP = 0.1  # share of the steps in which the learning rate rises; then it falls to zero in a line
MAX_GRADIENT_NORM = 1.0
VALIDATE_EVERY = 10  # steps between two looks at a few validation examples
STATE = "state.safetensors"


SUPERVISED = Supervised()


class TrainingDiverged(Exception):
    """The loss is no longer a number; the message says what to change."""


def auto_hyperparameters(n_examples, method="supervised"):
    """What `"auto"` means for a file of `n_examples`, and for which `method` ("supervised" or "dpo").

    |            | this service                              | OpenAI (cookbook; the rest is not published) |
    |------------|-------------------------------------------|----------------------------------------------|
    | n_epochs   | 5; more for a small file, up to 25, until | 3; more for a small file, up to 25, until    |
    |            | 250 examples are seen; less from 5,000 on | 100 examples are seen; less from 8,334 on    |
    | batch_size | 4; 8 from 1,000 examples on               | 1 in its runs of 10 and of 100 examples      |
    | multiplier | 1                                         | 1.8 and 1 in two runs of 10 examples         |

    For "dpo" n_epochs is 1; more for a small file, up to 25, until 250 pairs are seen; batch_size and
    multiplier are as above, and beta is 0.1, as in OpenAI's examples (it publishes nothing more). A liking
    is soon learnt; more steps or a higher rate then spoil the replies (`tests/benchmarks/dpo.py` measures).

    What decides is the number of steps, and a small model needs more of them than a large one; batches of 4
    forget less of what the base could than single examples (`tests/benchmarks/job_defaults.py` compares).
    """
    n_epochs = 5 if method == "supervised" else 1
    if n_examples * n_epochs < 250:
        n_epochs = min(25, 250 // n_examples)
    elif n_examples * n_epochs > 25_000:
        n_epochs = max(1, 25_000 // n_examples)
    auto = {
        "n_epochs": n_epochs,
        "batch_size": 4 if n_examples < 1000 else 8,
        "learning_rate_multiplier": 1.0,
    }
    return auto if method == "supervised" else auto | {"beta": 0.1}


class Trainer:
    """Trains `model` in place, one `run_step` at a time.

    `objective` says what is learnt from the lists `examples` and `validation`: see supervised and preference.
    The order of the examples depends on `seed` and epoch alone, so a run that goes on from `load_state` ends
    with the same weights, bit for bit.
    """

    def __init__(
        self,
        model,
        examples,
        *,
        n_epochs,
        batch_size,
        learning_rate_multiplier,
        seed,
        validation=(),
        objective=SUPERVISED,
    ):
        self.model, self.examples, self.validation, self.objective = model, examples, validation, objective
        self.batch_size, self.seed = batch_size, seed
        self.learning_rate = objective.learning_rate * learning_rate_multiplier
        self.steps_per_epoch = math.ceil(len(examples) / batch_size)
        self.total_steps = self.steps_per_epoch * n_epochs
        self.trained_tokens = n_epochs * sum(map(objective.n_tokens, examples))
        self.step = 0
        self.optimizer = AdamW(model.params)

    def run_step(self):
        """Learn from one batch; the step's numbers, named as the objective names them."""
        numbers, grads = self.objective.learn(self.model, self._batch())
        loss = numbers["loss"]
        norm = clip_gradients(grads, MAX_GRADIENT_NORM)
        if not math.isfinite(loss + norm):
            raise TrainingDiverged(
                f"At step {self.step + 1} of {self.total_steps} the loss became {loss}: the learning rate is "
                "too high. Start a new job with a smaller learning_rate_multiplier."
            )
        self.optimizer.update(grads, self.learning_rate * schedule(self.step, self.total_steps))
        self.step += 1
        metrics = {"step": self.step, "total_steps": self.total_steps}
        return metrics | prefixed("train", numbers) | self._validate()

    @staticmethod
    def has_state(folder):
        """Whether `folder` holds what `load_state` needs."""
        return (Path(folder) / STATE).exists()

    def save_state(self, folder):
        """Write weights, moments and step to one file in `folder`, or leave the old file as it was."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        parts = {"params": self.model.params, "mean": self.optimizer.mean, "square": self.optimizer.square}
        tensors = {f"{part}/{name}": a for part, arrays in parts.items() for name, a in arrays.items()}
        save_file(tensors, folder / f"{STATE}.new", metadata={"step": str(self.step)})
        os.replace(folder / f"{STATE}.new", folder / STATE)

    def load_state(self, folder):
        """Go on from what `save_state` wrote."""
        parts = {"params": self.model.params, "mean": self.optimizer.mean, "square": self.optimizer.square}
        with safe_open(Path(folder) / STATE, framework="np") as state:
            for part, arrays in parts.items():
                for name, array in arrays.items():
                    array[:] = state.get_tensor(f"{part}/{name}")
            self.step = self.optimizer.step = int(state.metadata()["step"])

    def _batch(self):
        epoch, place = divmod(self.step, self.steps_per_epoch)
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.examples))
        chosen = order[place * self.batch_size :][: self.batch_size]
        return [self.examples[i] for i in chosen]

    def _validate(self):
        """A few validation examples every now and then, in turn; all of them after each epoch."""
        metrics, end_of_epoch = {}, self.step % self.steps_per_epoch == 0
        if self.validation and (end_of_epoch or self.step % VALIDATE_EVERY == 0):
            start = self.step * self.batch_size
            some = [self.validation[i % len(self.validation)] for i in range(start, start + self.batch_size)]
            metrics |= prefixed("valid", self.objective.measure(self.model, some))
        if self.validation and end_of_epoch:
            metrics |= prefixed("full_valid", self.objective.measure(self.model, self.validation))
        return metrics


def prefixed(prefix, numbers):
    """The numbers as they are named in a step: `train_loss` and the like."""
    return {f"{prefix}_{name}": value for name, value in numbers.items()}


def schedule(step, total_steps):
    """The factor of the learning rate at `step` (from 0): a short rise to 1, then a line down towards 0."""
    warm_up = max(1, round(WARM_UP * total_steps))
    return min((step + 1) / warm_up, (total_steps - step) / max(1, total_steps - warm_up))


def clip_gradients(grads, limit):
    """Scale all gradients so that together they are no longer than `limit`; gives their length before."""
    norm = math.sqrt(sum(float(np.vdot(grad, grad)) for grad in grads.values()))
    if norm > limit:
        for grad in grads.values():
            grad *= limit / norm
    return norm


class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019); changes `params` in place."""

    def __init__(self, params, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.01):
        self.params, self.betas, self.eps, self.weight_decay = params, betas, eps, weight_decay
        self.mean = {name: np.zeros_like(param) for name, param in params.items()}
        self.square = {name: np.zeros_like(param) for name, param in params.items()}
        self.step = 0

    def update(self, grads, learning_rate):
        """One step against `grads`, which are overwritten."""
        self.step += 1
        mean_beta, square_beta = self.betas
        rate = learning_rate / (1 - mean_beta**self.step)
        square_share = 1 / math.sqrt(1 - square_beta**self.step)
        for name, grad in grads.items():
            param, mean, square = self.params[name], self.mean[name], self.square[name]
            mean *= mean_beta
            mean += (1 - mean_beta) * grad
            grad *= grad
            grad *= 1 - square_beta
            square *= square_beta
            square += grad
            np.sqrt(square, out=grad)
            grad *= square_share
            grad += self.eps
            np.divide(mean, grad, out=grad)
            grad *= rate
            if param.ndim > 1:  # gains of the norms do not decay
                param *= 1 - learning_rate * self.weight_decay
            param -= grad

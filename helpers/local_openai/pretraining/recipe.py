"""The training run: examples → tokens → batches → weights, with a log, resumable at any moment.

Full loss on what the assistant says; a small part of the other tokens is learnt too, for a feeling for plain
English. Matrix products are computed in bfloat16, weights and optimizer stay in float32.
"""

import csv
import math
import os
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from ..chat_format import ChatFormat
from ..model import Config, Model, save_model
from .corpus import FIRST_SHARE, example
from .network import Network, token_losses
from .world import read_world

SIZES = {
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 5,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "max_position_embeddings": 512,
}
PEAK_RATES = {"muon": 0.02, "adam": 2e-3}
WARM_UP = 200  # steps
BETAS = (0.9, 0.95)
WEIGHT_DECAY = 0.1  # of the matrices that Muon learns
MAX_GRADIENT_NORM = 1.0
BATCH_TOKENS = 8192
LENGTHS = (32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 512)  # a batch is padded to one of these
OTHER_SHARE, OTHER_WEIGHT = 0.15, 0.2  # tokens of user and system that are learnt, and their weight
STATE = ("momentum_buffer", "exp_avg", "exp_avg_sq")  # what the optimizers keep of a weight
SAVE_EVERY = 250  # steps
LOG_EVERY = 20


# ---------------------------------------------------------------- tokens


def tokenize(folder, seed, count, start, stop):
    """Examples start … stop of a corpus of `count`: (all token ids in a row, their weights, lengths)."""
    world, chat = read_world(), ChatFormat(folder)
    limit = SIZES["max_position_embeddings"]
    ids, weights, lengths = [], [], []
    for number in range(start, stop):
        tokens, weight = chat.example(example(world, seed, number, count), limit)
        ids.extend(tokens)
        weights.extend(weight)
        lengths.append(len(tokens))
    return np.array(ids, np.uint16), np.array(weights, np.float16), np.array(lengths, np.int32)


def tokenize_all(folder, seed, count, processes):
    """The whole corpus, made by several processes; kept in `folder` so that a second start finds it."""
    cache = Path(folder) / f"corpus-{seed}-{count}.npz"
    if not cache.exists():
        step = 2000
        parts = [(folder, seed, count, start, min(start + step, count)) for start in range(0, count, step)]
        with get_context("spawn").Pool(processes) as pool:
            columns = zip(*pool.starmap(tokenize, parts), strict=True)
        np.savez(cache, **dict(zip(("ids", "weights", "lengths"), map(np.concatenate, columns), strict=True)))
    with np.load(cache) as corpus:
        return corpus["ids"], corpus["weights"], corpus["lengths"]


class Batches:
    """All batches of a corpus; each holds examples of about one length.

    The order is shuffled, but the first mixture comes before the second. The same seed gives the same order.
    """

    def __init__(self, ids, weights, lengths, seed):
        self.ids, self.weights, self.lengths, self.seed = ids, weights, lengths, seed
        self.starts = np.cumsum(lengths) - lengths
        rng = np.random.default_rng(seed)
        is_first = np.arange(len(lengths)) < FIRST_SHARE * len(lengths)
        self.batches = [
            batch for part in (is_first, ~is_first) for batch in self.group(np.flatnonzero(part), rng)
        ]

    def group(self, members, rng):
        """The batches of the examples `members`, in random order."""
        batches = []
        bins = np.searchsorted(LENGTHS, self.lengths[members])
        for bin, length in enumerate(LENGTHS):
            alike, rows = rng.permutation(members[bins == bin]), BATCH_TOKENS // length
            batches += [alike[i : i + rows] for i in range(0, len(alike) - rows + 1, rows)]
        rng.shuffle(batches)
        return batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, step):
        """(ids, rows of the tokens to predict from, their targets, their weights) as tensors."""
        rng = np.random.default_rng([self.seed, step])
        members = self.batches[step]
        length = LENGTHS[np.searchsorted(LENGTHS, self.lengths[members].max())]
        ids = np.zeros((len(members), length), np.int64)
        weights = np.zeros((len(members), length), np.float32)
        for row, member in enumerate(members):
            part = slice(self.starts[member], self.starts[member] + self.lengths[member])
            ids[row, : self.lengths[member]] = self.ids[part]
            weights[row, : self.lengths[member]] = self.weights[part]
            other = rng.random(self.lengths[member]) < OTHER_SHARE
            row_weights = weights[row, : self.lengths[member]]
            row_weights[other & (row_weights == 0)] = OTHER_WEIGHT
        before = np.flatnonzero(weights[:, 1:])  # the token before the one to predict
        rows = before // (length - 1) * length + before % (length - 1)
        return tuple(
            map(torch.from_numpy, (ids, rows, ids[:, 1:].ravel()[before], weights[:, 1:].ravel()[before]))
        )


# ---------------------------------------------------------------- training


def train(folder, batches, *, vocab_size, seed, threads=2, until=math.inf):
    """Train from nothing, or from the checkpoint in `folder`, to the last batch; writes log and model there.

    `until` stops earlier (seconds), leaving a checkpoint; the next call goes on from it.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    torch._dynamo.config.recompile_limit = 4 * len(LENGTHS)
    folder, began = Path(folder), time.monotonic()
    config = Config(vocab_size=vocab_size, **SIZES)
    network = Network(config)
    optimizers = make_optimizers(network)
    step = load_checkpoint(folder, network, optimizers)
    hidden_states = torch.compile(network, dynamic=False)
    losses_of = torch.compile(token_losses, dynamic=True)
    recent = []
    while step < len(batches):
        ids, rows, targets, weights = batches[step]
        for name, optimizer in optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = PEAK_RATES[name] * schedule(step, len(batches))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = hidden_states(ids).flatten(0, 1)[rows]
            losses = losses_of(hidden.bfloat16(), targets, network.embed.weight)
        loss = (losses * weights).sum() / weights.sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT_NORM)
        for optimizer in optimizers.values():
            optimizer.step()
            optimizer.zero_grad()
        said = weights == 1
        recent.append((losses.detach()[said].mean().item(), ids.numel()))
        step += 1
        if step % LOG_EVERY == 0 or step == len(batches):
            log(folder, step, len(batches), recent, time.monotonic() - began)
            recent = []
        if step % SAVE_EVERY == 0 or step == len(batches) or time.monotonic() - began > until:
            save_checkpoint(folder, network, optimizers, step)
            if time.monotonic() - began > until:
                break
    save_model(Model(config, network.export()), folder)


def make_optimizers(network):
    """Muon (Jordan et al., 2024) for the matrices of the layers, Adam for embeddings and gains.

    In runs of 3 million tokens Muon needed a fifth fewer steps than Adam for the same loss.
    """
    matrices = [weight for weight in network.layers.parameters() if weight.ndim == 2]
    others = [weight for weight in network.parameters() if not any(weight is matrix for matrix in matrices)]
    return {
        "muon": torch.optim.Muon(matrices, lr=PEAK_RATES["muon"], weight_decay=WEIGHT_DECAY),
        "adam": torch.optim.Adam(others, lr=PEAK_RATES["adam"], betas=BETAS),
    }


def schedule(step, total):
    """The factor of the learning rate: a short rise, then a line down to zero."""
    warm_up = min(WARM_UP, max(1, total // 10))
    return min((step + 1) / warm_up, (total - step) / (total - warm_up))


def log(folder, step, total, recent, seconds):
    """One line of log.csv: the mean loss of the assistant's tokens since the last line, in nats."""
    path = folder / "log.csv"
    is_new = not path.exists()
    with open(path, "a", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        if is_new:
            rows.writerow(["step", "loss", "tokens", "seconds"])
        loss = np.mean([loss for loss, _ in recent])
        tokens = sum(tokens for _, tokens in recent)
        rows.writerow([step, f"{loss:.4f}", tokens, f"{seconds:.0f}"])
    print(f"step {step} of {total}: loss {loss:.3f}, {seconds:.0f} s", flush=True)


def save_checkpoint(folder, network, optimizers, step):
    tensors = {f"weight/{name}": weight.detach() for name, weight in network.named_parameters()}
    for name, weight, state in optimizer_states(network, optimizers):
        tensors |= {f"{key}/{name}": value for key, value in state[weight].items() if key != "step"}
    save_file(tensors, folder / "checkpoint.new", metadata={"step": str(step)})
    os.replace(folder / "checkpoint.new", folder / "checkpoint.safetensors")


def load_checkpoint(folder, network, optimizers):
    """The step to go on from; 0 if there is no checkpoint."""
    path = folder / "checkpoint.safetensors"
    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as tensors:
        step = int(tensors.metadata()["step"])
        kept = {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118, not a dict
    for name, weight, state in optimizer_states(network, optimizers):
        weight.data.copy_(kept.pop(f"weight/{name}"))
        state[weight] = {key: kept[f"{key}/{name}"] for key in STATE if f"{key}/{name}" in kept}
        if "exp_avg" in state[weight]:
            state[weight]["step"] = torch.tensor(float(step))
    return step


def optimizer_states(network, optimizers):
    """(name, weight, the state of the optimizer that learns it) for every weight."""
    for name, weight in network.named_parameters():
        for optimizer in optimizers.values():
            if any(weight is one for group in optimizer.param_groups for one in group["params"]):
                yield name, weight, optimizer.state

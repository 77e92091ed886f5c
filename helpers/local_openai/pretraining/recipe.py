"""The training run: batches → weights, with a log, resumable at any moment.

Full loss on what the assistant says; a small part of the other tokens is learnt too, for a feeling for plain
English. Beside that, a head in the middle of the network learns to name what the customer wants: only a
small part of a reply's loss depends on it, so that from replies alone the model learns to read last of all.
The head is left out of the finished model. Matrix products are in bfloat16, weights and optimizer in float32.
"""

import csv
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file

from ..model import Config, Model, save_model
from .batches import LENGTHS
from .network import Network, token_losses

SIZES = {
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 5,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "max_position_embeddings": LENGTHS[-1],
}
PEAK_RATES = {"muon": 0.02, "adam": 2e-3}
LATER_PEAKS = (0.5, 0.35, 0.15)  # of the peak rates: the last three mixtures have cycles of their own
WARM_UP = 200  # steps
BETAS = (0.9, 0.95)
WEIGHT_DECAY = 0.1  # of the matrices that Muon learns
MAX_GRADIENT_NORM = 1.0
INTENT_WEIGHT = 0.5  # of the loss of the intents, beside 1 for the tokens
STATE = ("step", "momentum_buffer", "exp_avg", "exp_avg_sq")  # what the optimizers keep of a weight
SAVE_EVERY = 240  # steps, a multiple of LOG_EVERY
LOG_EVERY = 20


def train(folder, batches, *, vocab_size, n_intents, seed, threads=2):
    """Train from nothing, or from the checkpoint in `folder`, to the last batch; log and model go there."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    torch._dynamo.config.recompile_limit = 4 * len(LENGTHS)
    folder, began = Path(folder), time.monotonic()
    config = Config(vocab_size=vocab_size, **SIZES)
    network = Network(config, n_intents)
    optimizers = make_optimizers(network)
    losses_of = make_losses(network)
    recent = []
    n_later = len(LATER_PEAKS)
    first, later = sum(batches.steps[:-n_later]), batches.steps[-n_later:]
    cycles = [(first, 1.0), *zip(later, LATER_PEAKS, strict=True)]
    start = load_checkpoint(folder, network, optimizers)
    cut_log(folder, start)
    for step in range(start, len(batches)):
        recent.append(learn(network, losses_of, optimizers, batches[step], schedule(step, cycles)))
        done, is_last = step + 1, step + 1 == len(batches)
        if done % LOG_EVERY == 0 or is_last:
            log(folder, done, len(batches), recent, time.monotonic() - began)
            recent = []
        if done % SAVE_EVERY == 0 or is_last:
            save_checkpoint(folder, network, optimizers, done)
    save_model(Model(config, network.export()), folder)


def make_losses(network):
    """The function batch → (loss of each learnt token, loss of each known intent), compiled."""
    hidden_states = torch.compile(network, dynamic=False)
    token_losses_of = torch.compile(token_losses, dynamic=True)

    def losses(batch):
        """The losses of the tokens and of the guessed intents of a batch."""
        with torch.autocast("cpu", dtype=torch.bfloat16):
            last, middle = (states.flatten(0, 1) for states in hidden_states(batch.ids))
            tokens = token_losses_of(last[batch.rows].bfloat16(), batch.targets, network.embed.weight)
            guesses = network.intent_head(middle[batch.asked].float())
        return tokens, F.cross_entropy(guesses.float(), batch.intents, reduction="none")

    return losses


def learn(network, losses_of, optimizers, batch, factor):
    """One step, with `factor` of the peak learning rates: [loss of the assistant, of the intents, tokens]."""
    losses, intent_losses = losses_of(batch)
    loss = (losses * batch.weights).sum() / batch.weights.sum()
    if len(intent_losses):
        loss = loss + INTENT_WEIGHT * intent_losses.mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT_NORM)
    for name, optimizer in optimizers.items():
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATES[name] * factor
        optimizer.step()
        optimizer.zero_grad()
    return [losses[batch.weights == 1].mean().item(), intent_losses.mean().item(), batch.ids.numel()]


def make_optimizers(network):
    """Muon (Jordan et al., 2024) for the matrices of the layers, Adam for embeddings, gains and the head.

    In runs of 3 million tokens Muon reached Adam's loss with a fifth fewer steps (once, 2026-11-20).
    """
    matrices = [weight for weight in network.layers.parameters() if weight.ndim == 2]
    others = [weight for weight in network.parameters() if not any(weight is matrix for matrix in matrices)]
    return {
        "muon": torch.optim.Muon(matrices, lr=PEAK_RATES["muon"], weight_decay=WEIGHT_DECAY),
        "adam": torch.optim.Adam(others, lr=PEAK_RATES["adam"], betas=BETAS),
    }


def schedule(step, cycles):
    """The factor of the learning rate: in each cycle (steps, peak) a short rise, then a line down to zero."""
    (total, peak), *others = cycles
    if step >= total and others:
        return schedule(step - total, others)
    warm_up = min(WARM_UP, max(1, total // 10))
    return peak * min((step + 1) / warm_up, (total - step) / max(1, total - warm_up))


def cut_log(folder, step):
    """Drop the lines of log.csv after `step`: these steps are taken again."""
    path = folder / "log.csv"
    if path.exists():
        head, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [row for row in rows if int(row.split(",")[0]) <= step]
        path.write_text("".join([head, *kept]), encoding="utf-8")


def log(folder, step, total, recent, seconds):
    """One line of log.csv: mean losses of the assistant's tokens and of intents since the last, in nats.

    `tokens`, padding included, are those since the last line; `seconds` run from the start or the resumption.
    """
    path = folder / "log.csv"
    is_new = not path.exists()
    with open(path, "a", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        if is_new:
            rows.writerow(["step", "loss", "intent_loss", "tokens", "seconds"])
        loss, intent_loss, _ = np.nanmean(recent, axis=0)
        tokens = sum(tokens for *_, tokens in recent)
        rows.writerow([step, f"{loss:.4f}", f"{intent_loss:.4f}", tokens, f"{seconds:.0f}"])
    print(f"step {step} of {total}: loss {loss:.3f}, {seconds:.0f} s", flush=True)


def save_checkpoint(folder, network, optimizers, step):
    """Weights, what the optimizers keep of them, and the step, in one file that replaces the last one."""
    tensors = {f"weight/{name}": weight.detach() for name, weight in network.named_parameters()}
    for name, weight, state in optimizer_states(network, optimizers):
        tensors |= {f"{key}/{name}": value for key, value in state[weight].items()}
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
    return step


def optimizer_states(network, optimizers):
    """(name, weight, the state of the optimizer that learns it) for every weight."""
    for name, weight in network.named_parameters():
        for optimizer in optimizers.values():
            if any(weight is one for group in optimizer.param_groups for one in group["params"]):
                yield name, weight, optimizer.state

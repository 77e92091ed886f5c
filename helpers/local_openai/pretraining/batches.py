"""The corpus as numbers: examples → token ids, what is to be learnt of them, and batches of one length."""

import os
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from ..chat_format import ChatFormat
from .corpus import MIXTURES, example, part_of
from .world import read_world

BATCH_TOKENS = 8192
LENGTHS = (32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 512)  # a batch is padded to one of these
OTHER_SHARE, OTHER_WEIGHT = 0.15, 0.2  # tokens without loss that are learnt a little


def tokenize(folder, seed, count, start, stop):
    """Examples start … stop of a corpus of `count`: (token ids in a row, their weights, intents, lengths).

    The intent is a number (World.all_intents, from 1) at the last token of a user's message, 0 elsewhere.
    """
    world, chat = read_world(), ChatFormat(folder)
    numbers = {name: number for number, name in enumerate(world.all_intents(), 1)}
    columns = ids, weights, intents, lengths = [], [], [], []
    for number in range(start, stop):
        made = example(world, seed, number, count)
        tokens, weight = chat.example(made, LENGTHS[-1])
        asked = (numbers.get(message.get("intent"), 0) for message in made["messages"])
        ids.extend(tokens)
        weights.extend(weight)
        intents.extend(next(asked) if token == chat.end_of_turn else 0 for token in tokens)
        lengths.append(len(tokens))
    return tuple(map(np.array, columns, (np.uint16, np.float16, np.uint8, np.int32)))


def tokenize_all(folder, seed, count, processes):
    """The whole corpus, made by several processes; kept in `folder` so that a second start finds it.

    Whoever changes the world or the generator takes another folder.
    """
    cache = Path(folder) / f"corpus-{seed}-{count}.npz"
    if not cache.exists():
        step = 2000
        parts = [(folder, seed, count, start, min(start + step, count)) for start in range(0, count, step)]
        with get_context("spawn").Pool(processes) as pool:
            columns = zip(*pool.starmap(tokenize, parts), strict=True)
        unfinished = cache.with_suffix(".new.npz")
        np.savez(unfinished, *map(np.concatenate, columns))
        os.replace(unfinished, cache)
    with np.load(cache) as corpus:
        return tuple(corpus.values())


class Batch(NamedTuple):
    """B examples, padded to T tokens; rows count through all B · T tokens."""

    ids: torch.Tensor  # (B, T)
    rows: torch.Tensor  # of the tokens from which the next one is predicted
    targets: torch.Tensor  # the next tokens
    weights: torch.Tensor  # how much each of them counts
    asked: torch.Tensor  # rows of the last tokens of user messages whose intent is known
    intents: torch.Tensor  # these intents, from 0


class Batches:
    """All batches of a corpus; each holds examples of about one length.

    The order is shuffled, but one mixture comes after the other. The same seed gives the same order.
    The few examples of a length that do not fill a batch are left out.
    """

    def __init__(self, ids, weights, intents, lengths, seed):
        self.ids, self.weights, self.intents, self.lengths, self.seed = ids, weights, intents, lengths, seed
        self.starts = np.cumsum(lengths) - lengths
        rng = np.random.default_rng(seed)
        parts = np.array([part_of(number, len(lengths)) for number in range(len(lengths))])
        grouped = [self.group(np.flatnonzero(parts == part), rng) for part in range(len(MIXTURES))]
        self.batches = [batch for group in grouped for batch in group]
        self.steps = [len(group) for group in grouped]  # of each mixture

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
        """The `Batch` of a step."""
        members = self.batches[step]
        length = LENGTHS[np.searchsorted(LENGTHS, self.lengths[members].max())]
        place = np.arange(length) < self.lengths[members, None]  # (B, T), False where padding stands
        source = (self.starts[members, None] + np.arange(length))[place]
        ids, intents = np.zeros((2, *place.shape), np.int64)
        weights = np.zeros(place.shape, np.float32)
        ids[place], intents[place], weights[place] = (
            column[source] for column in (self.ids, self.intents, self.weights)
        )
        other = place.copy()
        other[place] = np.random.default_rng([self.seed, step]).random(len(source)) < OTHER_SHARE
        weights[other & (weights == 0)] = OTHER_WEIGHT
        before = np.flatnonzero(weights[:, 1:])  # the token before the one to predict
        rows = before // (length - 1) * length + before % (length - 1)
        asked = np.flatnonzero(intents)
        arrays = (
            ids,
            rows,
            ids[:, 1:].ravel()[before],
            weights[:, 1:].ravel()[before],
            asked,
            intents.ravel()[asked] - 1,
        )
        return Batch(*map(torch.from_numpy, arrays))

"""Texts that are nearly the same: within a data set, and between its parts (leaks)."""

import re
from collections import Counter, defaultdict

import pandas as pd

SHINGLE = 4  # characters; short enough to bridge a typo, long enough not to fit by accident
ALIKE = 0.6  # from this similarity on, two short messages usually differ in no more than a few words


def near_duplicates(texts, threshold=ALIKE):
    """Pairs of texts that are nearly the same, as a DataFrame: positions a < b, similarity, both texts.

    The similarity is the share of common shingles, pieces of four characters, in all shingles of both
    (Jaccard; Broder, 1997): 1 for the same text, whatever its capitals, punctuation and numbers.
    """
    pairs, holders = [], defaultdict(list)  # shingle → positions of the texts that hold it
    sizes = []
    for b, pieces in enumerate(map(shingles, texts)):
        sizes.append(len(pieces))
        common = Counter(a for piece in pieces for a in holders[piece])
        for a, count in sorted(common.items()):
            similarity = count / (sizes[a] + sizes[b] - count)
            if similarity >= threshold:
                pairs.append((a, b, similarity, texts[a], texts[b]))
        for piece in pieces:
            holders[piece].append(b)
    return pd.DataFrame(pairs, columns=["a", "b", "similarity", "text_a", "text_b"])


def leaks(train, test, threshold=ALIKE):
    """Texts of `test` that stand, nearly the same, in `train`: as `near_duplicates`, a in train, b in test.

    A model is not tested by a question that it has learnt by heart.
    """
    pairs = near_duplicates([*train, *test], threshold)
    across = pairs[(pairs["a"] < len(train)) & (pairs["b"] >= len(train))]
    return across.assign(b=across["b"] - len(train)).reset_index(drop=True)


def groups_of(texts, threshold=ALIKE):
    """A number for each text; texts that are linked by near duplicates have the same one."""
    group = list(range(len(texts)))
    pairs = near_duplicates(texts, threshold)
    for a, b in zip(pairs["a"], pairs["b"], strict=True):
        old, new = group[b], group[a]
        group = [new if number == old else number for number in group]
    return group


def shingles(text):
    """The set of all pieces of four characters of a text, without regard to capitals, signs and numbers."""
    words = re.findall(r"[^\W\d_]+|\d", text.lower())
    plain = f" {re.sub(r'(?:[0-9] ?)+', '0 ', ' '.join(words)).strip()} "
    return {plain[i : i + SHINGLE] for i in range(max(1, len(plain) - SHINGLE + 1))}

"""How sure one can be: intervals, comparisons of two models, agreement of two labellers, and confidence."""

import math
from statistics import NormalDist

import numpy as np
import pandas as pd

Z = NormalDist().inv_cdf(0.975)  # 1.96: 95 % of a normal curve lie within so many standard deviations
Z_POWER = NormalDist().inv_cdf(0.8)  # a power of 0.8: a true difference is found in 8 of 10 experiments
RESAMPLES = 2000  # enough for two digits of an interval


def bootstrap(values, statistic=np.mean, seed=0):
    """A statistic of `values` with its 95 % interval, as {"value", "low", "high", "n"}.

    `statistic` is any function of an array of numbers that gives one number, in the unit of `values`. The
    interval holds the middle 95 % of what it gives for 2000 samples drawn from `values` with replacement
    (percentile bootstrap; Efron, 1979). It is too narrow where few values differ, and has no width when none
    does: for a share of right answers use `share`. ValueError when `values` is empty.
    """
    (values,) = same_length(values=values)
    values, n, rng = np.asarray(values, dtype=float), len(values), np.random.default_rng(seed)
    results = [statistic(values[rng.integers(n, size=n)]) for _ in range(RESAMPLES)]
    low, high = np.quantile(results, [0.025, 0.975])
    return {"value": float(statistic(values)), "low": float(low), "high": float(high), "n": n}


def paired_bootstrap(a, b):
    """The mean of `a` minus the mean of `b` with its 95 % interval, as `bootstrap` gives it.

    `a` and `b` are the scores of two models on the same questions, in the same order: 1 and 0 for right and
    wrong, or points. Whole questions are drawn, so that both models always answer the same ones. An interval
    without 0 says that the models differ; where they differ on a few questions only, trust `mcnemar` more.
    ValueError when the lengths differ or are 0.
    """
    a, b = same_length(a=a, b=b)
    return bootstrap(np.asarray(a, dtype=float) - np.asarray(b, dtype=float))


def mcnemar(a, b):
    """How often only one of two models was right, as {"only_a", "only_b", "n", "p"}.

    `a` and `b` say True or False for the same questions in the same order. `p` is how probable a split of
    the questions on which they differ would be that is at least as uneven, were both models equally good:
    McNemar's test (1947), exact and two-sided; 1 when they never differ. ValueError when the lengths differ
    or are 0, or an entry is not True or False.
    """
    a, b = same_length(a=a, b=b)
    a, b = true_or_false("a", a), true_or_false("b", b)
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    differ = only_a + only_b
    # As with tossing a fair coin once for each question on which they differ.
    tail = sum(math.comb(differ, heads) for heads in range(min(only_a, only_b) + 1))
    return {"only_a": only_a, "only_b": only_b, "n": len(a), "p": min(1.0, 2 * tail / 2**differ)}


def holm(p_values):
    """The p-values of many comparisons, raised so that 0.05 holds for all together: {name: p}, same order.

    Of many comparisons without any true difference, one in twenty falls below 0.05; after the correction all
    stay above it in 95 of 100 experiments (Holm, 1979). ValueError without any p-value or for one outside 0
    to 1.
    """
    same_length(p_values=p_values)
    between_0_and_1("p_values", p_values.values(), "Give each comparison's p as it came from its test.")
    adjusted, highest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=p_values.get)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def sample_size(share, difference):
    """How many questions each of two models needs, so that a difference between their shares will be seen.

    One model has `share` right, the other `share + difference` (both 0 to 1). "Seen" is a power of 0.8 in a
    two-sided test at 5 %. The formula (Fleiss, 1981, without continuity correction) is for models that
    answer different questions; on the same questions fewer are needed, the more often both are right or
    wrong together. ValueError when a share is outside 0 to 1 or the difference is 0.
    """
    between_0_and_1("share and share + difference", [share, share + difference], "Shares, not percent.")
    if difference == 0:
        raise ValueError("The difference is 0: no number of questions can show it. Give one worth seeing.")
    middle, other = share + difference / 2, share + difference
    if_same = math.sqrt(2 * middle * (1 - middle))
    if_different = math.sqrt(share * (1 - share) + other * (1 - other))
    return math.ceil(((Z * if_same + Z_POWER * if_different) / difference) ** 2)


def kappa(labels_a, labels_b):
    """How far two labellers agree beyond chance, as {"kappa", "low", "high", "agreement", "expected", "n"}.

    `agreement` is the share of equal labels, `expected` what chance alone would give two labellers who use
    each label as often as these do; kappa is 1 for full agreement and 0 for chance (Cohen, 1960). The 95 %
    interval is for large samples (Fleiss, Cohen and Everitt, 1969): too narrow below some 60 items or
    with a rare label, and without width when all agree. When both use one and the same label only, chance
    agrees fully, too: kappa, low and high are nan. ValueError when the lengths differ or are 0.
    """
    labels, table = cross_table(labels_a=labels_a, labels_b=labels_b)
    n, shares = int(table.sum()), table / table.sum()
    agreement, expected = np.trace(shares), shares.sum(1) @ shares.sum(0)
    value = half = math.nan
    if len(labels) > 1:
        value = (agreement - expected) / (1 - expected)
        half = Z * kappa_error(shares, agreement, expected) / math.sqrt(n)
    result = {"kappa": value, "low": np.maximum(-1, value - half), "high": np.minimum(1, value + half)}
    result |= {"agreement": agreement, "expected": expected}
    return {name: float(number) for name, number in result.items()} | {"n": n}


def per_class(right, predicted):
    """Precision, recall, F1 and support of each label, and their mean over labels in the row "macro".

    `right` and `predicted` hold a label for each question. Shares are 0 to 1; support is how often a label
    was right. A label that only the model used counts as well, with recall 0; one that it never used has
    precision 0. ValueError when the lengths differ or are 0.
    """
    labels, table = cross_table(right=right, predicted=predicted)
    hits, support, used = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    rates = {"precision": hits / np.maximum(used, 1), "recall": hits / np.maximum(support, 1)}
    rates |= {"f1": 2 * hits / (support + used)}
    columns = {name: np.append(rate, rate.mean()) for name, rate in rates.items()}
    columns |= {"support": np.append(support, support.sum())}
    return pd.DataFrame(columns, index=pd.Index([*labels, "macro"], name="label"))


def calibration(confidence, right, bins):
    """Whether a model is right as often as it is confident: (table, expected calibration error).

    `confidence` holds probabilities, `right` True or False; `bins` is the number of equally wide bins from 0
    to 1. A row of the table is a bin that is not empty, above `low` up to `high`: n, mean_confidence and
    share_right. The error is the mean distance of the last two, weighted by n (Guo et al., 2017). ValueError
    when the lengths differ or are 0, or an entry is out of range.
    """
    confidence, right = same_length(confidence=confidence, right=right)
    between_0_and_1("confidence", confidence, "Give probabilities, not percent or log-probabilities.")
    edges = np.linspace(0, 1, bins + 1)
    answers = pd.DataFrame({"confidence": confidence, "right": true_or_false("right", right)})
    table = answers.groupby(np.searchsorted(edges[1:-1], confidence)).agg(
        n=("right", "size"), mean_confidence=("confidence", "mean"), share_right=("right", "mean")
    )
    error = np.average(np.abs(table["share_right"] - table["mean_confidence"]), weights=table["n"])
    table.insert(0, "low", edges[table.index])
    table.insert(1, "high", edges[table.index + 1])
    return table.reset_index(drop=True), float(error)


def kappa_error(shares, agreement, expected):
    """The standard error of kappa times the root of n; `shares` has a row a label of a, a column one of b."""
    sums = shares.sum(axis=0)[:, None] + shares.sum(axis=1)[None, :]  # [i, j]: b's share of i, a's of j
    weights = (1 - agreement) ** 2 * sums**2
    np.fill_diagonal(weights, (1 - expected - np.diag(sums) * (1 - agreement)) ** 2)
    centre = agreement * expected - 2 * expected + agreement
    # Rounding can bring a variance of zero below zero.
    return math.sqrt(max(0.0, (shares * weights).sum() - centre**2)) / (1 - expected) ** 2


def cross_table(**columns):
    """The labels of two columns, sorted, and how often each pair occurs; a row for a label of the first."""
    first, second = same_length(**columns)
    labels = sorted({*first, *second}, key=str)
    place = {label: i for i, label in enumerate(labels)}
    table = np.zeros((len(labels), len(labels)), dtype=int)
    np.add.at(table, ([place[label] for label in first], [place[label] for label in second]), 1)
    return labels, table


def same_length(**columns):
    """The columns as lists; ValueError with names and lengths when these differ or are 0."""
    columns = {name: list(values) for name, values in columns.items()}
    told = ", ".join(f"{name} has length {len(values)}" for name, values in columns.items())
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"{told}: give each one entry a question, in the same order.")
    if lengths == {0}:
        raise ValueError(f"{told}: there is nothing to measure. Give at least one entry.")
    return columns.values()


def true_or_false(name, values):
    """The values as an array of bool (1 and 0 will do); ValueError for the first that is neither."""
    for place, value in enumerate(values):
        if value not in (0, 1):
            raise ValueError(f"{name}[{place}] is {value!r}: say True for right and False for wrong.")
    return np.array(values, dtype=bool)


def between_0_and_1(name, values, remedy):
    """ValueError for the first value outside 0 to 1."""
    for value in values:
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: {value} is not between 0 and 1. {remedy}")

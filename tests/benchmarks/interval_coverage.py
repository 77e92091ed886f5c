"""How often the 95 % intervals of the helpers hold the true value, for small and large samples.

    python -m tests.benchmarks.interval_coverage

Samples are drawn from a known truth; an interval is good when it covers that truth in 95 of 100 of them.
Prints a Markdown table.
"""

import math

import numpy as np

from helpers.evaluation import share
from helpers.significance import bootstrap, kappa, paired_bootstrap

SIZES = (30, 60, 300)
REPETITIONS = 1000  # a share of 95 % of them is known to 1.4 points up or down
SEED = 2026
ROUNDING = 1e-9  # an interval that ends on the true value holds it


def settings():
    """(interval, what is true, its value, the outcomes of one question, their chances) of each row."""
    for true in (0.5, 0.8, 0.95):
        for interval in (share, bootstrap):
            yield interval, f"share {true}", true, [(1,), (0,)], [true, 1 - true]
    for only_a, only_b in ((0.1, 0.1), (0.06, 0.01), (0.2, 0.1)):
        chances = [only_a, only_b, 1 - only_a - only_b]
        told = f"difference {only_a - only_b:.2f} ({only_a} only a, {only_b} only b)"
        yield paired_bootstrap, told, only_a - only_b, [(1, 0), (0, 1), (1, 1)], chances
    for true, often in ((0.4, 0.5), (0.8, 0.5), (0.6, 0.9)):
        told = f"kappa {true}, a label used by both for {often:.0%}"
        yield kappa, told, true, [(1, 1), (1, 0), (0, 1), (0, 0)], agreement(true, often)


def agreement(true, often):
    """The chances that both, only the first, only the second, none of two labellers use a label."""
    apart = (1 - true) * often * (1 - often)
    return [often - apart, apart, apart, 1 - often - apart]


def coverage(interval, true, outcomes, chances, n):
    """The share of the repetitions whose interval holds `true`, and the mean width of the intervals.

    The order of the questions does not matter, so each set of counts is measured once, however often it came.
    An interval that is not a number holds nothing and has no width.
    """
    drawn = np.random.default_rng(SEED).multinomial(n, chances, size=REPETITIONS)
    counts, times = np.unique(drawn, axis=0, return_counts=True)
    ends = []
    for count in counts:
        result = interval(*np.repeat(outcomes, count, axis=0).T)
        ends.append((result["low"], result["high"]))
    low, high = np.array(ends).T
    holds = (low - ROUNDING <= true) & (true <= high + ROUNDING)
    return np.average(holds, weights=times), np.average(np.nan_to_num(high - low), weights=times)


def main():
    error = math.sqrt(0.95 * 0.05 / REPETITIONS)
    print(f"{REPETITIONS} samples a cell, seed {SEED}; one standard error at 95 % is {error:.1%}.")
    print("In each cell: the share of the intervals that hold the true value (mean width).\n")
    print("| interval | true | " + " | ".join(f"n = {n}" for n in SIZES) + " |")
    print("|---" * (2 + len(SIZES)) + "|")
    for interval, told, *truth in settings():
        cells = [coverage(interval, *truth, n) for n in SIZES]
        shown = " | ".join(f"{holds:.1%} ({width:.2f})" for holds, width in cells)
        print(f"| `{interval.__name__}` | {told} | {shown} |", flush=True)


if __name__ == "__main__":
    main()

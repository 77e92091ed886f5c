"""The effects that lesson 02 claims, each over five seeds: the lesson's own cells, run with another seed.

    python -m tests.benchmarks.effects_02

The seed chooses the rows of the dirty file, the split of the clean one, the order of training and the draws.
Prints the mean of each effect over the seeds and its 95 % interval (t, four degrees of freedom).
"""

import contextlib
import io
import os
import statistics
import tempfile
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
from IPython.display import display

from helpers import evaluate

ROOT = Path(__file__).resolve().parents[2]
LESSON = ROOT / "notebooks" / "02_data_collection.ipynb"
T = 2.776  # 97.5 % quantile of Student's t with 4 degrees of freedom

CLAIMS = {  # effect: the least that the lesson's words need
    "right rule: clean minus dirty": 0.15,
    "old rule: dirty minus clean": 0.05,
    "voice of drawn replies: clean minus dirty": 0.1,
    "right rule of drawn replies: clean minus dirty": 0.15,
    "rude or lazy drawn replies: dirty minus clean": 0.0,
    "private forms in drawn replies: dirty minus clean": 0.0,
    "right rule: sent again minus new questions": 0.15,
    "validation questions leaked when dealt by chance": 0.1,
}


def run_lesson(seed, n_rows, n_questions):
    """The names that the lesson has defined at its end, when run with this seed and so many rows a file.

    Each model is asked the first `n_questions` of each list of questions.
    """
    os.environ["MPLBACKEND"] = "Agg"
    names, here = {"display": display}, Path.cwd()
    os.chdir(LESSON.parent)
    try:
        for cell in nbformat.read(LESSON, as_version=4).cells:
            if cell.cell_type == "code":
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(cell.source, names)
                # After the first cell, which sets them:
                names |= {"SEED": seed, "N_ROWS": n_rows, "evaluate": partial(ask_first, n_questions)}
    finally:
        os.chdir(here)
        plt.close("all")
    return names


def ask_first(n_questions, reply, examples, checks):
    """`evaluate`, on the first examples alone."""
    return evaluate(reply, examples[:n_questions], checks)


def effects(seed, n_rows=100, n_questions=None):
    """Each effect of `CLAIMS`, a share or a difference of two, for one seed; None asks all questions."""
    end = run_lesson(seed, n_rows, n_questions)

    def gap(table, column):
        return float(table["clean"][column].mean() - table["dirty"][column].mean())

    found = (
        gap(end["likeliest"], "right"),
        -gap(end["likeliest"], "old"),
        gap(end["replies"], "voice"),
        gap(end["replies"], "right"),
        -gap(end["replies"], "rude"),
        -gap(end["replies"], "private"),
        end["bars"]["sent again"]["share"] - end["bars"]["60 test questions"]["share"],
        end["leaked"]["b"].nunique() / len(end["validation"]),
    )
    return dict(zip(CLAIMS, found, strict=True))


def main():
    os.environ["LOCAL_OPENAI_STORE"] = tempfile.mkdtemp(prefix="effects-02-")
    results = [effects(seed) for seed in range(1, 6)]
    print(
        "| effect | each seed | mean | 95 % interval | claimed at least | holds |\n|---|---|---|---|---|---|"
    )
    for name, least in CLAIMS.items():
        values = [result[name] for result in results]
        mean, half = statistics.fmean(values), T * statistics.stdev(values) / len(values) ** 0.5
        each = " ".join(f"{value:.2f}" for value in values)
        holds = "yes" if mean - half > least else "NO"
        print(
            f"| {name} | {each} | {mean:.2f} | {mean - half:.2f} to {mean + half:.2f} | {least} | {holds} |"
        )


if __name__ == "__main__":
    main()

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
    "key phrase: clean minus dirty": 0.15,
    "old rule: dirty minus clean": 0.0,
    "voice of drawn replies: clean minus dirty": 0.1,
    "key phrase of drawn replies: clean minus dirty": 0.15,
    "private forms in drawn replies: dirty minus clean": 0.0,
    "key phrase: sent again minus new questions": 0.15,
    "key phrase: leaky test minus the same without the leaked mails": 0.0,
    "key phrase: leaky test minus new questions": 0.0,
    "validation questions leaked when dealt by chance": 0.1,
}
# Told of "our run" alone; each seed is printed, so that it is known how usual that is.
NOT_CLAIMED = {
    "clean replies with the key phrase and another yes or no than the reference",
    "names and numbers of the file, letter for letter, in drawn replies of the dirty model",
    "private forms of the dirty model: drawn minus likeliest",
    "private forms in the likeliest replies of the dirty model",
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
    """Each effect, a share, a difference of two or a count, for one seed; None asks all questions."""
    end = run_lesson(seed, n_rows, n_questions)

    def gap(table, column):
        return float(table["clean"][column].mean() - table["dirty"][column].mean())

    sent_again, leaky, not_leaked, new = (row["share"] for row in end["bars"].values())
    return {
        "key phrase: clean minus dirty": gap(end["likeliest"], "key phrase"),
        "old rule: dirty minus clean": -gap(end["likeliest"], "old rule"),
        "voice of drawn replies: clean minus dirty": gap(end["replies"], "voice"),
        "key phrase of drawn replies: clean minus dirty": gap(end["replies"], "key phrase"),
        "private forms in drawn replies: dirty minus clean": -gap(end["replies"], "private"),
        "private forms of the dirty model: drawn minus likeliest": float(
            end["replies"]["dirty"]["private"].mean() - end["likeliest"]["dirty"]["private"].mean()
        ),
        "private forms in the likeliest replies of the dirty model": float(
            end["likeliest"]["dirty"]["private"].mean()
        ),
        "key phrase: sent again minus new questions": sent_again - new,
        "validation questions leaked when dealt by chance": end["n"] / len(end["validation"]),
        "key phrase: leaky test minus the same without the leaked mails": leaky - not_leaked,
        "key phrase: leaky test minus new questions": leaky - new,
        "clean replies with the key phrase and another yes or no than the reference": len(end["odd"]),
        "names and numbers of the file, letter for letter, in drawn replies of the dirty model": end["real"],
    }


def main():
    os.environ["LOCAL_OPENAI_STORE"] = tempfile.mkdtemp(prefix="effects-02-")
    results = [effects(seed) for seed in range(1, 6)]
    print(
        "| effect | each seed | mean | 95 % interval | claimed at least | holds |\n|---|---|---|---|---|---|"
    )
    for name in results[0]:
        values = [result[name] for result in results]
        mean, half = statistics.fmean(values), T * statistics.stdev(values) / len(values) ** 0.5
        each = " ".join(f"{value:.2f}" for value in values)
        least = CLAIMS.get(name)
        holds = "" if name in NOT_CLAIMED else "yes" if mean - half > least else "NO"
        print(
            f"| {name} | {each} | {mean:.2f} | {mean - half:.2f} to {mean + half:.2f} | {least} | {holds} |"
        )


if __name__ == "__main__":
    main()

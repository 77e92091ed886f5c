"""What a "dpo" job does to the tiny model: the share of replies in the preferred form, before and after.

    python tests/benchmarks/dpo.py [--seeds 5] [--pairs 50] [--grid]

Two tasks. In each a supervised job of 100 examples gives two forms, each in half of the examples, so that the
model draws either with a chance of about one half; a dpo job on it then prefers one:

    sign-off    one of two sign-offs behind the same reply
    brevity     the plain reply without, or with, a second sentence behind it

Asked are questions that are in neither file; replies are drawn at temperature 1. The share of replies that
name the right subject tells what the preference costs. Printed are means over the seeds, with 95 % intervals
(t).
With --grid other learning rates and numbers of epochs stand beside those that a job chooses by itself.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"  # one process a core

import argparse  # noqa: E402
import random  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
from multiprocessing import get_context  # noqa: E402
from pathlib import Path  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from helpers.local_openai.preference import Pair, Preference  # noqa: E402
from helpers.local_openai.training import Trainer, auto_hyperparameters  # noqa: E402
from tests.benchmarks.base_model_exam.skills import chat, example, read, says  # noqa: E402
from tests.benchmarks.base_model_exam.tuning import Company, Learner, world  # noqa: E402

T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 10: 2.262}  # 97.5 % quantile of Student's t, by number of seeds
EXAMPLES, ASKED = 100, 100
SIGN_OFFS = ("Paws up, Otto.", "Yours, Rosalind.")
MORE = "Is there anything else that I can do for you today?"
FORMS = {  # what is preferred, what is not
    "sign-off": lambda reply: tuple(f"{reply} {sign_off}" for sign_off in SIGN_OFFS),
    "brevity": lambda reply: (reply, f"{reply} {MORE}"),
}
IS_PREFERRED = {
    "sign-off": lambda reply: reply.endswith(SIGN_OFFS[0]),
    "brevity": lambda reply: MORE not in reply,
}
GRID = {
    **{f"rate x {rate}": {"learning_rate_multiplier": rate} for rate in (0.3, 3.0)},
    **{f"{n} epochs": {"n_epochs": n} for n in (1, 3, 10)},
    **{f"beta {beta}": {"beta": beta} for beta in (0.02, 0.5, 2.0)},
}


class Task:
    """The questions of one seed, and what a reply to them is like."""

    def __init__(self, kind, seed, n_pairs):
        rng = random.Random(f"dpo {seed}")
        self.forms, self.is_preferred = FORMS[kind], IS_PREFERRED[kind]
        self.company = Company(seed, n_intents=len(world().intents))
        rows = rng.sample(practice := read("support", "practice"), len(practice))
        self.learnt = [rows[i % len(rows)] for i in range(EXAMPLES)]
        self.paired = [rows[(EXAMPLES + i) % len(rows)] for i in range(n_pairs)]
        self.asked = rng.sample(read("support"), ASKED)

    def replies(self, row):
        """The preferred and the other reply to a question."""
        return self.forms(self.company.rules[row["intent"]])

    def examples(self):
        """Both forms in turn."""
        return [
            example(self.company.prompt, row["question"], self.replies(row)[i % 2])
            for i, row in enumerate(self.learnt)
        ]

    def pairs(self, learner):
        """The Pairs of a preference file."""
        limit = learner.model.config.max_position_embeddings
        for row in self.paired:
            both = [example(self.company.prompt, row["question"], reply) for reply in self.replies(row)]
            yield Pair(*(learner.chat.example(each, limit) for each in both))

    def figures(self, learner):
        """The shares of drawn replies in the preferred form, and about the right subject."""
        drawn = [
            (row, learner.reply(chat(self.company.prompt, row["question"]), temperature=1.0, seed=i))
            for i, row in enumerate(self.asked)
        ]
        right = [says(world().intents[row["intent"]]["marker"])(reply) for row, reply in drawn]
        preferred = [self.is_preferred(reply) for _, reply in drawn]
        return {"preferred": statistics.fmean(preferred), "right": statistics.fmean(right)}


def prefer(learner, pairs, seed, **settings):
    """Train the learner as a dpo job does; the numbers of its last step."""
    settings = auto_hyperparameters(len(pairs), "dpo") | settings
    objective = Preference(settings.pop("beta"))
    pairs = list(objective.prepared(learner.model, pairs))
    trainer = Trainer(learner.model, pairs, **settings, seed=seed, objective=objective)
    return [trainer.run_step() for _ in range(trainer.total_steps)][-1]


def measure(job):
    """{name of the settings: figures} for one task and seed."""
    kind, seed, n_pairs, grid = job
    task = Task(kind, seed, n_pairs)
    learner = Learner()
    learner.tune(task.examples(), seed)
    found = {"before": task.figures(learner)}
    kept = {name: array.copy() for name, array in learner.model.params.items()}
    for name, settings in {"auto": {}, **grid}.items():
        for param, array in kept.items():
            learner.model.params[param][:] = array
        last = prefer(learner, list(task.pairs(learner)), seed, **settings)
        found[name] = task.figures(learner) | {
            "loss": last["train_loss"],
            "margin": last["train_reward_margin"],
        }
    return found


def interval(values):
    """Mean and 95 % interval over the seeds."""
    mean, half = statistics.fmean(values), T[len(values)] * statistics.stdev(values) / len(values) ** 0.5
    return f"{mean:5.2f} [{mean - half:5.2f}, {mean + half:5.2f}]"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, choices=T, default=5)
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--grid", action="store_true")
    options = parser.parse_args()
    grid = GRID if options.grid else {}
    jobs = [(kind, seed, options.pairs, grid) for kind in FORMS for seed in range(1, options.seeds + 1)]
    with get_context("spawn").Pool(2) as pool:
        results = pool.map(measure, jobs, chunksize=1)
    print(f"{options.pairs} pairs: auto is {auto_hyperparameters(options.pairs, 'dpo')}")
    for kind in FORMS:
        found = [result for job, result in zip(jobs, results, strict=True) if job[0] == kind]
        for name, figures in found[0].items():
            shown = (f"{figure} {interval([each[name][figure] for each in found])}" for figure in figures)
            print(f"{kind:9}{name:12}", *shown, sep="  ")
        gain = [each["auto"]["preferred"] - each["before"]["preferred"] for each in found]
        print(f"{kind:9}gain of preferred replies {interval(gain)}")


if __name__ == "__main__":
    main()

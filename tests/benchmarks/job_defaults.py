"""What a job's "auto" settings give for files of 10 to 1,000 examples, beside other settings.

    python tests/benchmarks/job_defaults.py [--seeds 2] [--sizes 10 50 100 300 1000]

Two tasks: answering in the voice and with the rules of an unseen company (55 rules, one for each intent),
and sorting messages under the company's own labels. Learnt from and asked with questions of one author (the
practice questions of the exam); those that are asked are not learnt.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"  # one process a core

import argparse  # noqa: E402
import random  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from multiprocessing import get_context  # noqa: E402
from pathlib import Path  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from helpers.local_openai.training import auto_hyperparameters  # noqa: E402
from tests.benchmarks.base_model_exam.skills import chat, example, read, says  # noqa: E402
from tests.benchmarks.base_model_exam.tuning import ROUTER, Company, desks, tuned, world  # noqa: E402

SETTINGS = {  # beside what "auto" chooses
    "auto": {},
    "half the rate": {"learning_rate_multiplier": 0.5},
    "twice the rate": {"learning_rate_multiplier": 2.0},
    "batch size 1": {"batch_size": 1},
    "3 epochs": {"n_epochs": 3},
}
ASKED = 100  # questions


def questions(n, seed):
    """(rows to ask, n rows to learn from); rows come again where n is more than there are."""
    rows = read("support", "practice")
    random.Random(seed).shuffle(rows)
    asked, rest = rows[:ASKED], rows[ASKED:]
    return asked, [rest[i % len(rest)] for i in range(n)]


def answering(n, seed, settings):
    """Seconds of training, and the shares of replies in the voice, with the rule, with the intent's words."""
    asked, learnt = questions(n, seed)
    company = Company(seed, n_intents=len(world().intents))
    seconds, learner = timed(
        [company.example(r["question"], company.rules[r["intent"]]) for r in learnt], seed, settings
    )
    replies = [learner.reply(chat(company.prompt, row["question"])) for row in asked]
    voice = [r.startswith(company.voice.greeting) and r.endswith(company.voice.sign_off) for r in replies]
    pairs = list(zip(asked, replies, strict=True))
    rule = [says(company.facts[row["intent"]])(reply) for row, reply in pairs]
    intent = [says(world().intents[row["intent"]]["marker"])(reply) for row, reply in pairs]
    return {"seconds": seconds} | shares(voice=voice, rule=rule, intent=intent)


def sorting(n, seed, settings):
    """Seconds of training, and the share of messages under the right one of seven labels."""
    asked, learnt = questions(n, seed)
    names = desks(seed)

    def label(row):
        return names[world().intents[row["intent"]]["team"]]

    seconds, learner = timed([example(ROUTER, row["question"], label(row)) for row in learnt], seed, settings)
    return {"seconds": seconds} | shares(
        label=[learner.reply(chat(ROUTER, row["question"])) == label(row) for row in asked]
    )


def timed(examples, seed, settings):
    """(seconds of training, the tuned learner)"""
    began = time.perf_counter()
    learner = tuned(examples, seed, **settings)
    return time.perf_counter() - began, learner


def shares(**verdicts):
    return {name: statistics.fmean(values) for name, values in verdicts.items()}


def measure(task):
    """The figures of one job: (task, n, name of the settings, seed) → {figure: value}."""
    kind, n, name, seed = task
    return {"answering": answering, "sorting": sorting}[kind](n, seed, SETTINGS[name])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 50, 100, 300])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", choices=SETTINGS, help="only these settings")
    options = parser.parse_args()
    names = [options.only] if options.only else list(SETTINGS)
    jobs = [(kind, n, name) for kind in ("answering", "sorting") for n in options.sizes for name in names]
    tasks = [(*job, seed) for job in jobs for seed in range(1, options.seeds + 1)]
    with get_context("spawn").Pool(2) as pool:
        results = dict(zip(tasks, pool.map(measure, tasks, chunksize=1), strict=True))
    for n in options.sizes:
        print(f"{n} examples: auto is {auto_hyperparameters(n)}")
    for job in jobs:
        seeds = [results[(*job, seed)] for seed in range(1, options.seeds + 1)]
        figures = {figure: statistics.fmean(result[figure] for result in seeds) for figure in seeds[0]}
        print(*job, *(f"{figure} {value:.2f}" for figure, value in figures.items()), sep="  ")


if __name__ == "__main__":
    main()

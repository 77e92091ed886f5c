"""Run the exam and print its report:  python -m tests.benchmarks.base_model_exam [--part base]"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"  # one process a core

import argparse  # noqa: E402
import math  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from collections import defaultdict  # noqa: E402
from multiprocessing import get_context  # noqa: E402
from pathlib import Path  # noqa: E402

from helpers.evaluation import share  # noqa: E402

from .sitting import PARTS, sit  # noqa: E402
from .tuning import BASE_MODEL  # noqa: E402

# Student's t, two-sided, for 2 to 10 seeds
T_95 = dict(enumerate([12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26], start=2))


def interval(values):
    """The mean over the seeds and half the width of its 95 % interval (Student's t): '0.83 ± 0.04'."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{mean:.2f}"
    if not all(map(math.isfinite, values)):
        return "diverged"
    half = T_95[len(values)] * statistics.stdev(values) / math.sqrt(len(values))
    return f"{mean:.2f} ± {half:.2f}"


def report(tasks, results):
    """Markdown: a table for the base, one for each experiment."""
    tables = defaultdict(lambda: defaultdict(list))
    for (part, name, *_), result in zip(tasks, results, strict=True):
        for figure, value in result.items():
            tables["base" if part == "base" else name][figure].append(value)
    if "base" in tables:
        report_base(tables.pop("base"))
    for title, table in tables.items():
        print(f"\n### {title}\n\n| figure | mean ± 95 % over seeds | each seed |\n|---|---|---|")
        for figure, values in table.items():
            print(f"| {figure} | {interval(values)} | {' '.join(f'{value:.2f}' for value in values)} |")


def report_base(table):
    """The base does not depend on a seed, so what is uncertain is the choice of the questions."""
    print("\n### The base model\n\n| skill | share right | 95 % interval | questions |\n|---|---|---|---|")
    for skill, seeds in table.items():
        s = share([right for answers in seeds for right in answers])
        print(f"| {skill} | {s['share']:.2f} | {s['low']:.2f} to {s['high']:.2f} | {s['n']} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--only", help="only skills and experiments whose name holds this")
    parser.add_argument("--seeds", type=int, default=5, choices=range(1, 11), metavar="1-10")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--model", type=Path, default=BASE_MODEL)
    options = parser.parse_args()
    tasks = [
        (part, name, seed, options.seeds, options.model)
        for part in ([options.part] if options.part else PARTS)
        for name in PARTS[part]
        if not options.only or options.only.lower() in name.lower()
        for seed in range(1, options.seeds + 1)
    ]
    began = time.monotonic()
    with get_context("spawn").Pool(options.processes) as pool:
        results = pool.map(sit, tasks, chunksize=1)
    report(tasks, results)
    print(f"\n{time.monotonic() - began:.0f} seconds, {options.processes} processes of one thread each.")


if __name__ == "__main__":
    main()

"""How fast a large training file is validated, and in how much memory.

    python -m tests.benchmarks.large_file

Writes a file of 1,000,000 examples (about 500 MB) into a temporary folder and validates it once. Wanted:
50,000 examples a second, and memory that does not grow with the file. (On Linux and macOS.)
"""

import argparse
import itertools
import resource
import sys
import tempfile
import time
from pathlib import Path

from helpers.dataset import read_jsonl, to_jsonl
from helpers.validation import problems

SUPPORT = Path(__file__).parents[2] / "data" / "support" / "train.jsonl"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "large.jsonl", options.examples)
        before = peak_memory()
        start = time.perf_counter()
        with open(path, "rb") as lines:
            found = sum(1 for _ in problems(lines))
        seconds = time.perf_counter() - start
        print(f"{options.examples:,} examples, {path.stat().st_size / 1e6:,.0f} MB, {found} problems")
        print(f"{seconds:.1f} s: {options.examples / seconds:,.0f} examples/s")
        print(f"memory at its highest: {before:.0f} MB before, {peak_memory():.0f} MB after")


def write(path, n):
    """A file of `n` examples: those of the support desk, half of them with a weight; returns its path."""
    talks = read_jsonl(SUPPORT)
    ordinary = [pad({"messages": talk["messages"]}) for talk in talks]
    unusual = [
        pad({"messages": [*talk["messages"][:-1], talk["messages"][-1] | {"weight": 1}]}) for talk in talks
    ]
    lines = itertools.cycle(to_jsonl(pair) for pair in zip(ordinary, unusual, strict=True))
    with open(path, "wb") as file:
        for pair in itertools.islice(lines, n // 2):
            file.write(pair)
    return path


def pad(example):
    """The example with its question repeated until its line has some 500 bytes."""
    first, question, *rest = example["messages"]
    longer = question["content"]
    while len(to_jsonl([example])) + len(longer) - len(question["content"]) < 500:
        longer += " " + question["content"]
    return {"messages": [first, question | {"content": longer}, *rest]}


def peak_memory():
    """The most memory that this process has had so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()

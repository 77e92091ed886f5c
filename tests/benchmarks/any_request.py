"""Does anything bring the service down?  python -m tests.benchmarks.any_request [--cases 10000]

The properties of tests/local_openai/test_any_request.py, test_any_training_file.py and test_any_sequence.py
on so many cases in all: 6 in 10 are requests, 3 are training files with their jobs, 1 is a step of a
sequence. A broken property ends it with the shortest case that breaks it. Printed are the answers by
status, the slowest, how the files ended, and after each fifth of the cases the memory of this process, in
which service, worker and the maker of the cases live, and its open files. Exits with 1 if a file is left
open or the last three fifths add more than 20 MB, most of which the maker needs: tests/benchmarks/soak.py
measures the service alone.
"""

import argparse
import gc
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "local_openai")]

import pytest  # noqa: E402
from in_process import Service, use_toy  # noqa: E402
from test_any_request import ask_anything, populate  # noqa: E402
from test_any_sequence import do_anything  # noqa: E402
from test_any_training_file import train_anything  # noqa: E402
from toy import make_toy_folder  # noqa: E402

from tests.benchmarks.soak import resources  # noqa: E402

MAX_MB = 20
FIFTHS = 5
STEPS = 20  # of a sequence


class Seen:
    """Counts what the properties tell, and keeps the slowest request."""

    def __init__(self):
        self.ends, self.slowest = Counter(), 0.0

    def append(self, what):
        """What became of one case: (status, seconds, request) or (outcome, file)."""
        self.ends[what[0]] += 1
        if len(what) == 3:
            self.slowest = max(self.slowest, what[1])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000)
    cases = parser.parse_args().cases
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        use_toy(make_toy_folder(Path(folder) / "toy"), pytest.MonkeyPatch())
        return run(Path(folder), cases)


def run(folder, cases):
    """1 if something is left behind, else 0."""
    asked, trained, used = Seen(), Seen(), []
    for fifth in range(FIFTHS):
        random.seed(fifth)
        a_fifth(folder / str(fifth), cases // FIFTHS, asked, trained)
        gc.collect()
        used.append(resources())
        print(f"fifth {fifth + 1}: {used[-1][0]:.0f} MB of memory, {used[-1][1]} open files", flush=True)
    print(f"requests by status: {dict(sorted(asked.ends.items()))}, the slowest {asked.slowest:.2f} s")
    print(f"training files: {dict(trained.ends)}")
    growth, left_open = (last - earlier for earlier, last in zip(used[1], used[-1], strict=True))
    return 0 if growth <= MAX_MB and left_open <= 0 else 1


def a_fifth(folder, cases, asked, trained):
    """Try so many cases on new stores."""
    folder.mkdir()
    new = {"derandomize": False}  # else each fifth would be the same
    asking, training = Service(folder / "asking"), Service(folder / "training")
    ask_anything(asking, populate(asking), cases * 6 // 10, asked, **new)
    train_anything(training, cases * 3 // 10, trained, **new)
    do_anything(max(1, cases // 10 // STEPS), STEPS, **new)
    asking.close()
    training.close()


if __name__ == "__main__":
    sys.exit(main())

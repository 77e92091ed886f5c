"""Does anything bring the service down?  python tests/benchmarks/any_request.py [--cases 10000]

The properties of test_any_request.py, test_any_training_file.py and test_any_sequence.py in
tests/local_openai on so many cases in all: 6 in 10 are requests, 3 training files with their jobs, 1 a step
of a sequence. Prints the answers by status, the slowest, and how the jobs ended. A broken property ends it
with the shortest case that breaks it. Hypothesis itself remembers what it has tried, so memory (RSS) and open
file handles are judged afterwards, on REPLAYED of the requests sent again and again without it: exits with 1
if the last half of the rounds adds more than 2 MB or any handle.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "local_openai")]

import pytest  # noqa: E402
from in_process import Service, Snapshot, use_toy  # noqa: E402
from test_any_request import ask_anything, populate  # noqa: E402
from test_any_sequence import do_anything  # noqa: E402
from test_any_training_file import train_anything  # noqa: E402
from toy import make_toy_folder  # noqa: E402

from tests.benchmarks.soak import resources  # noqa: E402

MAX_MB = 2
REPLAYED, ROUNDS = 1000, 6
STEPS = 20  # of a sequence


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
    asking, training, asked, trained = Service(folder / "asking"), Service(folder / "training"), [], []
    made = populate(asking)
    kinds = {
        "requests": (0.6, lambda n: ask_anything(asking, made, n, asked, derandomize=False)),
        "files": (0.3, lambda n: train_anything(training, n, trained, derandomize=False)),
        "sequences": (0.1, lambda n: do_anything(max(n // STEPS, 1), STEPS, derandomize=False)),
    }
    for _, do in kinds.values():
        do(100)  # fills caches
    asked.clear(), trained.clear()
    start = time.monotonic()
    for kind, (share, do) in kinds.items():
        do(round(cases * share))
        print(f"{round(cases * share)} {kind}: {time.monotonic() - start:.0f} s so far", flush=True)
    report(asked, trained)
    return replay(asking, [request for *_, request in asked[:REPLAYED]])


def report(asked, trained):
    """Print what was counted."""
    print("answers:", dict(sorted(Counter(status for status, *_ in asked).items())))
    _, seconds, (method, path, *_) = max(asked, key=lambda each: each[1])
    print(f"slowest: {seconds:.2f} s for {method} {path[:60]!a}")
    print("training files:", dict(Counter(trained)))


def replay(service, requests):
    """Send the requests again and again; 1 if the last half of the rounds leaves anything behind, else 0."""
    snapshot, seen = Snapshot(service.store), []
    for _ in range(ROUNDS):
        for request in requests:
            snapshot.restore()
            service.send(*request)
        gc.collect()
        seen.append(resources())
    print("replayed, MB and handles:", ", ".join(f"{mb:.1f} / {handles}" for mb, handles in seen))
    (half, half_handles), (end, end_handles) = seen[ROUNDS // 2 - 1], seen[-1]
    return int(end - half > MAX_MB or end_handles > half_handles)


if __name__ == "__main__":
    sys.exit(main())

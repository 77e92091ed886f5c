"""Whether the service stays as it was: 10,000 jobs and chats in one store, on a toy model.

    python -m tests.benchmarks.soak [--rounds 10000]

A round is a job on ten examples, which this process trains as the worker would, a poll, its events, a chat
with the model that came out. The models of all but the last ten rounds are deleted, jobs, events and result
files stay, so that the store grows. Wanted: in the last half memory grows by at most 5 MB, the number of
open files not at all, and a round does not take half as long again as in the first half. Exits with 1 if
not so.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "local_openai"))

from desk import supervised, upload  # noqa: E402
from toy import make_toy_folder  # noqa: E402

from helpers import local_openai  # noqa: E402
from helpers.local_openai import supervisor, worker  # noqa: E402
from helpers.local_openai.lease import Lease  # noqa: E402
from helpers.local_openai.store import Store  # noqa: E402
from tests.benchmarks.large_job import client_of  # noqa: E402

KEPT = 10  # models
MAX_GROWTH = 5  # MB
ASK = [{"role": "user", "content": "Where is my order?"}]
METHOD = supervised(n_epochs=1, batch_size=10)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10_000)
    rounds = parser.parse_args().rounds
    supervisor.start_worker = lambda lease: None  # this process does its work
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        local_openai.BASE_MODELS["tiny-chat"] = make_toy_folder(Path(folder) / "toy")
        return soak(Path(folder) / "store", rounds)


def soak(folder, rounds):
    """Print what each tenth of the rounds took and left; 0 if all is flat, else 1."""
    client = client_of(folder)
    lease, file, models, tenths = Lease.take(Store(folder), 3600), upload(client), [], []
    print("rounds  ms a round  MB of memory  open files")
    for tenth in range(1, 11):
        began = time.perf_counter()
        for _ in range(rounds // 10):
            models.append(one_round(client, lease, file))
            if len(models) > KEPT:
                client.models.delete(models.pop(0))
        seconds = (time.perf_counter() - began) / (rounds // 10)
        tenths.append((1000 * seconds, *resources()))
        print("{:6}{:12.1f}{:14.1f}{:12}".format(tenth * rounds // 10, *tenths[-1]), flush=True)
    (ms, memory, files), (last_ms, last_memory, last_files) = tenths[4], tenths[9]
    flat = last_memory <= memory + MAX_GROWTH and last_files <= files and last_ms <= 1.5 * ms
    print("flat" if flat else "NOT flat")
    return 0 if flat else 1


def one_round(client, lease, file):
    """A job and a chat; the model's name."""
    job = client.fine_tuning.jobs.create(model="tiny-chat", training_file=file, method=METHOD)
    while waiting := worker.next_job(lease.store, {}):
        worker.work_on(lease, waiting)
    job = client.fine_tuning.jobs.retrieve(job.id)
    assert job.status == "succeeded", job
    assert client.fine_tuning.jobs.list_events(job.id).data
    client.chat.completions.create(model=job.fine_tuned_model, messages=ASK, max_completion_tokens=4)
    return job.fine_tuned_model


def resources():
    """Memory in MB and open files of this process."""
    process = psutil.Process()
    handles = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
    return process.memory_info().rss / 1e6, handles


if __name__ == "__main__":
    sys.exit(main())

"""The times that a newcomer feels, each beside its bound: lesson 00 to the tuned reply, a job, a chat reply.

    python tests/benchmarks/first_five_minutes.py

Runs the cells of lesson 00 up to the first tuned replies in a real kernel, from its start; then a job of 50
examples, alone and with 50 of replay, and 20 chat replies, through the official client. Ends with 1 if a
bound is broken.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import nbformat  # noqa: E402
from nbclient import NotebookClient  # noqa: E402

from helpers import BASE_MODEL, connect, read_jsonl, to_jsonl, wait  # noqa: E402

LAST_CELL = "tuned = job.fine_tuned_model"  # asks the tuned model the first questions


def lesson_to_tuned_reply():
    """Seconds from the start of the kernel to the end of the cell that shows tuned replies."""
    notebook = nbformat.read(ROOT / "notebooks" / "00_start_here.ipynb", as_version=4)
    last = next(i for i, cell in enumerate(notebook.cells) if cell.source.startswith(LAST_CELL))
    notebook.cells = notebook.cells[: last + 1]
    resources = {"metadata": {"path": ROOT / "notebooks"}}
    start = time.perf_counter()
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    return time.perf_counter() - start


def job_of_50_examples(client, n_replay=0):
    """Seconds from `jobs.create` to success, the worker's start included."""
    examples = read_jsonl(ROOT / "data" / "support" / "train.jsonl")[:50]
    examples += read_jsonl(ROOT / "data" / "replay" / "replay.jsonl")[:n_replay]
    file = client.files.create(file=("fifty.jsonl", to_jsonl(examples)), purpose="fine-tune")
    start = time.perf_counter()
    job = client.fine_tuning.jobs.create(model=BASE_MODEL, training_file=file.id)
    wait(client, job.id, seconds_between=0.05)
    return time.perf_counter() - start


def slowest_of_20_replies(client):
    """Seconds of the slowest of 20 replies, and of the middle one."""
    times = []
    for example in read_jsonl(ROOT / "data" / "support" / "test.jsonl")[:20]:
        start = time.perf_counter()
        client.chat.completions.create(model=BASE_MODEL, messages=example["messages"][:2])
        times.append(time.perf_counter() - start)
    return max(times), statistics.median(times)


def main():
    os.environ["LOCAL_OPENAI_STORE"] = tempfile.mkdtemp(prefix="first-five-minutes-")
    client = connect()
    slowest, middle = slowest_of_20_replies(client)
    figures = [
        ("lesson 00, kernel start to tuned replies", lesson_to_tuned_reply(), 30),
        ("job of 50 examples", job_of_50_examples(client), 10),
        ("job of 50 examples and 50 of replay", job_of_50_examples(client, n_replay=50), 20),
        ("slowest of 20 chat replies", slowest, 1),
        ("middle one of 20 chat replies", middle, 0.3),
    ]
    for name, seconds, bound in figures:
        verdict = "ok" if seconds <= bound else "TOO SLOW"
        print(f"{name}: {seconds:.2f} s (at most {bound} s) {verdict}")
    return any(seconds > bound for _, seconds, bound in figures)


if __name__ == "__main__":
    sys.exit(main())

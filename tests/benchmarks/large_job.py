"""How fast the service checks a large training file, and in how much memory.

    python -m tests.benchmarks.large_job

Starts a job on a file of 100,000 examples (about 50 MB) and does what the worker does with a new job: reads
each example, makes tokens of it, looks for what is unsafe. Wanted: at most 10 seconds, and memory that does
not grow with the file. (On Linux and macOS.)
"""

import argparse
import tempfile
import time
from pathlib import Path

import httpx2
from openai import OpenAI

from helpers import local_openai
from helpers.local_openai import supervisor, worker
from helpers.local_openai.files import chunks
from helpers.local_openai.lease import Lease
from helpers.local_openai.objects import new_file
from helpers.local_openai.store import Store
from tests.benchmarks.large_file import peak_memory, write


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=100_000)
    n = parser.parse_args().examples
    supervisor.start_worker = lambda lease: None  # this process does its work
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        folder = Path(folder)
        client = client_of(folder / "store")
        for size in (1000, n):  # what is loaded once is loaded by the small file
            path = write(folder / f"{size}.jsonl", size)
            print(f"{size:,} examples, {path.stat().st_size / 1e6:.0f} MB: ", end="")
            print(f"checked in {check(client, folder / 'store', path):.1f} s, ", end="")
            print(f"memory so far at its highest {peak_memory():.0f} MB")
        start = time.perf_counter()
        client.uploads.upload_file_chunked(file=path, mime_type="text/jsonl", purpose="fine-tune")
        print(f"uploaded by the client in {time.perf_counter() - start:.1f} s")


def client_of(store):
    """The official client of a service in this process."""
    transport = httpx2.WSGITransport(app=local_openai.start(store))
    return OpenAI(base_url="http://local/v1", api_key="local", http_client=httpx2.Client(transport=transport))


def check(client, folder, path):
    """The seconds that the worker needs to check the file of a new job."""
    store = Store(folder)
    with open(path, "rb") as stream:
        file = store.add_file(new_file(path.name, "fine-tune"), chunks(stream))
    job = client.fine_tuning.jobs.create(model="tiny-chat", training_file=file["id"])
    store.execute("DELETE FROM lease")
    start = time.perf_counter()
    worker.work_on(Lease.take(store), store.get("job", job.id))
    seconds = time.perf_counter() - start
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"  # it had not failed
    return seconds


if __name__ == "__main__":
    main()

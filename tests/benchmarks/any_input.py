"""Thousands of requests and training files that no person would think of (hypothesis makes them).

    python -m tests.benchmarks.any_input [--cases 10000] [--seed 1]

Seven cases of ten are requests over HTTP to a `serve` on a toy model, three are training files whose job is
trained in this process. Wanted: no answer of 500 or more, none that hangs, each error in OpenAI's shape, each
job ended well or with the example that is wrong; and a service whose memory and open files do not grow, from
the end of the first tenth of the requests to the last one. Exits with 1 if something is not as wanted.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx2
import openai
import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "local_openai"))

from any_input import School, World, requests, training_files  # noqa: E402
from desk import dpo, supervised  # noqa: E402
from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from toy import make_toy_folder  # noqa: E402

from helpers import local_openai  # noqa: E402
from helpers.local_openai import supervisor  # noqa: E402
from helpers.local_openai.store import Store  # noqa: E402

ROUNDS = 10  # of the requests; between them the World is renewed
MAX_GROWTH = 10  # MB
METHODS = st.sampled_from([supervised(n_epochs=1, batch_size=8), dpo(n_epochs=1, batch_size=8)])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        flat = try_requests(Path(folder), options.cases * 7 // 10, options.seed)
        try_files(Path(folder), options.cases * 3 // 10, options.seed)
    return 0 if flat else 1


def cases(n, number, test, *strategies):
    """Try `test` with `n` cases; the first one that fails is made small and raised."""
    options = {"max_examples": n, "database": None, "deadline": None, "print_blob": True}
    phases = [Phase.generate]
    checks = list(HealthCheck)
    seed(number)(settings(**options, phases=phases, suppress_health_check=checks)(given(*strategies)(test)))()


def try_requests(folder, n, number):
    """Print what the service has answered; whether its memory stays flat."""
    command = [sys.executable, "-m", "tests.clients.serve_toy", folder]
    with (
        open(folder / "log", "w") as log,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, encoding="utf-8") as server,
    ):
        try:
            world = World(server.stdout.readline().strip())
            process, used = psutil.Process(server.pid), []
            for i in range(ROUNDS):
                world.renew()
                cases(n // ROUNDS, number + i, world.ask, requests())
                used.append(resources(process))
            world.close()
        finally:
            server.terminate()
    print(f"{n:,} requests: {dict(sorted(world.statuses.items()))}, slowest {world.slowest:.2f} s")
    for name, column in zip(("MB of memory", "open files", "threads"), zip(*used, strict=True), strict=True):
        print(f"{name} after each tenth:", *(f"{value:.0f}" for value in column))
    assert "Traceback" not in (folder / "log").read_text()
    return used[-1][0] < used[0][0] + MAX_GROWTH and used[-1][1] <= used[0][1] + 1


def resources(process):
    """Memory in MB, open files and threads of a process."""
    handles = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
    return process.memory_info().rss / 1e6, handles, process.num_threads()


def try_files(folder, n, number):
    """Print how the files ended."""
    local_openai.BASE_MODELS["tiny-chat"] = make_toy_folder(folder / "school_toy")
    supervisor.start_worker = lambda lease: None
    transport = httpx2.WSGITransport(app=local_openai.start(folder / "school"))
    client = openai.OpenAI(
        base_url="http://local/v1", api_key="local", http_client=httpx2.Client(transport=transport)
    )
    school = School(client, Store(folder / "school"))
    cases(n // 10, number, school.try_file, training_files(), METHODS)
    before = resources(psutil.Process())[1]
    cases(n - n // 10, number + 1, school.try_file, training_files(), METHODS)
    print(f"{n:,} training files: {dict(school.ends)}")
    print(f"open files: {before} after a tenth, {resources(psutil.Process())[1]} at the end")


if __name__ == "__main__":
    sys.exit(main())

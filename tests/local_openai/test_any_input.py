"""Whatever is sent, the service answers as an API does; tests/benchmarks/any_input.py tries 10,000 cases."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("hypothesis", reason="only developers need it: tests/requirements.txt")

from any_input import School, World, no_worker, requests, training_files  # noqa: E402
from desk import dpo, supervised  # noqa: E402
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from helpers.local_openai.store import Store  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
few = settings(
    **{"max_examples": 150, "derandomize": True, "database": None, "deadline": None},
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A World at a `serve` on a toy model."""
    command = [sys.executable, "-m", "tests.clients.serve_toy", tmp_path_factory.mktemp("served")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as server:
        world = World(server.stdout.readline().strip())
        yield world
        world.close()
        server.terminate()


@few
@given(requests())
def test_any_request_has_an_answer_that_is_not_a_fault_of_the_service(world, request):
    world.ask(request)


@few
@given(
    training_files(), st.sampled_from([supervised(n_epochs=1, batch_size=8), dpo(n_epochs=1, batch_size=8)])
)
def test_any_file_is_refused_or_its_job_ends_well_or_says_which_example_is_wrong(school, content, method):
    school.try_file(content, method)


@pytest.fixture
def school(connect, store, toy_base, monkeypatch):
    no_worker(monkeypatch)
    return School(connect(), Store(store))

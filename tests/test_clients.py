"""The official clients walk the whole API over HTTP: Python, sync and async, old and new; JavaScript."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.install import JAVASCRIPT_SDK, PYTHON_SDKS, installed, javascript, node, python_sdk

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = ROOT / "tests" / "clients"
MISSING = "not installed: python -m tests.clients.install"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The base URL of a `serve` on a toy model."""
    serve = [sys.executable, "-m", "tests.clients.serve_toy", tmp_path_factory.mktemp("served")]
    with subprocess.Popen(
        [*serve, "--token", "secret"], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8"
    ) as server:
        yield server.stdout.readline().strip()
        server.terminate()


def run(command, cwd=ROOT, path=None):
    """What the program printed; it must end well."""
    environment = {**os.environ, "PYTHONPATH": str(path)} if path else None
    options = {"cwd": cwd, "env": environment, "capture_output": True, "text": True, "timeout": 120}
    done = subprocess.run(command, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(params=PYTHON_SDKS)
def sdk(request):
    """The folder of a version of the Python client."""
    if not installed(python_sdk(request.param)):
        pytest.skip(MISSING)
    return python_sdk(request.param)


def test_the_pinned_client_works_sync_and_async(address):
    run([sys.executable, CLIENTS / "walk.py", address])


def test_the_oldest_and_the_newest_client_work_sync_and_async(address, sdk):
    told = run([sys.executable, CLIENTS / "walk.py", address], path=sdk)
    assert told.strip() == sdk.name.replace("-", " ")


def test_every_answer_has_the_types_of_the_oldest_and_the_newest_client(sdk):
    contract = ["tests/local_openai/test_contract.py", "-p", "no:cacheprovider"]
    told = run([sys.executable, "-m", "pytest", "-q", *contract], path=sdk)
    assert "4 passed" in told


@pytest.mark.skipif(not installed(javascript()), reason=MISSING)
def test_the_javascript_client_works(address):
    told = run([node(), CLIENTS / "walk.mjs", address], cwd=javascript())
    assert told.strip() == f"openai {JAVASCRIPT_SDK} in JavaScript"

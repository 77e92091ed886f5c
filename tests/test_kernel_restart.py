"""A learner restarts the kernel in the middle of a job."""

from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CONNECT = """
import sys; sys.path.insert(0, "..")
from helpers import BASE_MODEL, connect, history, read_jsonl, to_jsonl, wait
client = connect()
"""
START_A_JOB_AND_SEE_IT_RUN = """
import time
data = to_jsonl(read_jsonl("../data/support/train.jsonl"))
file = client.files.create(file=("a.jsonl", data), purpose="fine-tune")
job = client.fine_tuning.jobs.create(model=BASE_MODEL, training_file=file.id, suffix="restart", seed=1)
while len(history(client, job.id)) < 20:
    time.sleep(0.2)
print(job.id, client.fine_tuning.jobs.retrieve(job.id).status)
"""
FIND_IT_AGAIN = """
job = wait(client, client.fine_tuning.jobs.list(limit=1).data[0].id)
steps = history(client, job.id)
print(job.id, job.status, len(steps), steps.index.is_unique, job.fine_tuned_model)
"""


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_OPENAI_STORE", str(tmp_path / "store"))
    manager, client = start_new_kernel(cwd=str(NOTEBOOKS))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client, code):
    """What a cell prints."""
    printed = []

    def collect(message):
        content = message["content"]
        printed.append(content.get("text", "") + "\n".join(content.get("traceback", [])))

    client.execute_interactive(code, timeout=120, output_hook=collect)
    return "".join(printed).split()


def test_the_job_goes_on_and_is_found_again(kernel):
    manager, client = kernel
    run(client, CONNECT)
    job_id, status = run(client, START_A_JOB_AND_SEE_IT_RUN)
    assert status == "running"
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=60)
    run(client, CONNECT)
    found, status, steps, unique, model = run(client, FIND_IT_AGAIN)
    assert (found, status, steps, unique) == (job_id, "succeeded", "150", "True")
    assert model.startswith("ft:tiny-chat:personal:restart:")

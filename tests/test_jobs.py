import base64
from pathlib import Path
from types import SimpleNamespace

import openai
import pandas as pd
import pytest

from helpers import BASE_MODEL, history, read_jsonl, read_result_file, to_jsonl, wait
from helpers.jobs import JobFailed, patiently

TRAIN = Path(__file__).parents[1] / "data" / "support" / "train.jsonl"


def start_job(client, n=10, validation=False, **options):
    file = client.files.create(file=("a.jsonl", to_jsonl(read_examples(n))), purpose="fine-tune")
    options |= {"validation_file": file.id} if validation else {}
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1, "batch_size": 1}}}
    return client.fine_tuning.jobs.create(
        model=BASE_MODEL, training_file=file.id, method=method, seed=1, **options
    )


def read_examples(n):
    return read_jsonl(TRAIN)[:n]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A client and a job that has succeeded: 10 steps, with validation."""
    import httpx2
    import openai

    from helpers.local_openai import start

    transport = httpx2.WSGITransport(app=start(tmp_path_factory.mktemp("jobs") / "store"))
    client = openai.OpenAI(
        base_url="http://local/v1", api_key="local", http_client=httpx2.Client(transport=transport)
    )
    return client, wait(client, start_job(client, validation=True).id)


def test_wait_gives_the_finished_job(finished):
    assert finished[1].status == "succeeded" and finished[1].fine_tuned_model.startswith("ft:tiny-chat:")


def test_wait_says_why_a_job_made_no_model(client):
    job = start_job(client, n=9)
    with pytest.raises(JobFailed, match="Training file has 9 example"):
        wait(client, job.id)


def test_wait_does_not_wait_for_a_paused_job(client):
    job = client.fine_tuning.jobs.pause(start_job(client).id)
    with pytest.raises(JobFailed, match=f"{job.id} is paused. Go on with client.fine_tuning.jobs.resume"):
        wait(client, job.id)


def test_the_history_has_one_row_a_step_in_order(finished):
    steps = history(finished[0], finished[1].id)
    assert steps.index.tolist() == list(range(1, 11))
    assert steps["train_loss"].notna().all() and steps["valid_loss"].dropna().index.tolist() == [10]
    assert steps["full_valid_loss"].dropna().index.tolist() == [10]


def test_the_history_of_a_job_that_never_began_is_empty(client):
    job = start_job(client, n=9)
    with pytest.raises(JobFailed):
        wait(client, job.id)
    steps = history(client, job.id)
    assert steps.empty and "train_loss" in steps


def test_the_result_file_holds_the_same_losses_as_the_events(finished):
    client, job = finished
    table = read_result_file(client, job)
    assert list(table.columns)[:2] == ["step", "train_loss"]
    pd.testing.assert_series_equal(
        table.set_index("step")["train_loss"], history(client, job.id)["train_loss"], rtol=1e-4
    )


def test_a_result_file_in_base64_is_read_too():
    content = base64.b64encode(b"step,train_loss\n1,2.5\n")
    files = SimpleNamespace(content=lambda id: SimpleNamespace(read=lambda: content))
    table = read_result_file(SimpleNamespace(files=files), SimpleNamespace(result_files=["file-1"]))
    assert table.to_dict("list") == {"step": [1], "train_loss": [2.5]}


def test_waiting_survives_a_lost_connection(finished):
    client, job = finished
    lost = [openai.APIConnectionError(request=None)] * 2

    def retrieve(job_id):
        if lost:
            raise lost.pop()
        return client.fine_tuning.jobs.retrieve(job_id)

    assert patiently(retrieve, job.id, pauses=(0, 0, 0)).id == job.id


def test_a_connection_that_stays_lost_is_told():
    def retrieve():
        raise openai.APIConnectionError(request=None)

    with pytest.raises(openai.APIConnectionError):
        patiently(retrieve, pauses=(0, 0))

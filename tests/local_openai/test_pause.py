"""A job that is paused and resumed ends as if nothing had happened."""

import time

import openai
import pytest
from desk import create, events, example, jsonl, supervised, upload, wait
from test_worker import saved_step, weights

pytestmark = pytest.mark.usefixtures("toy_base")

LONG = {"n": 200, "method": supervised(n_epochs=50)}


def wait_until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def steps(client, job):
    """The steps of which the job has told, oldest first."""
    return [event.data["step"] for event in events(client, job) if event.type == "metrics"]


def test_a_job_that_is_paused_three_times_ends_with_the_same_weights(client, store):
    content = jsonl(map(example, range(40)))
    options = {"seed": 5, "method": supervised(n_epochs=12, batch_size=1), "suffix": "duck"}
    job = create(client, content, validation_file=upload(client, n=2), **options)
    for turn in range(3):
        wait_until(lambda turn=turn: len(steps(client, job)) > 60 * turn)
        assert client.fine_tuning.jobs.pause(job.id).status == "paused"
        wait_until(lambda: (store / "training" / job.id / "state.safetensors").exists())
        time.sleep(0.4)
        told = steps(client, job)
        assert told == list(range(1, saved_step(store, job) + 1)) and len(told) < 480
        assert client.fine_tuning.jobs.resume(job.id).status == "queued"
    paused = wait(client, job)
    assert paused.status == "succeeded" and steps(client, job) == list(range(1, 481))
    told = [event.message for event in events(client, job) if event.type == "message"]
    assert (told.count("Job paused"), told.count("Job resumed")) == (3, 3)
    assert told.count("Fine-tuning job started") == 1
    first = weights(store)
    for model in client.models.list().data[1:]:
        client.models.delete(model.id)
    wait(client, create(client, content, validation_file=job.validation_file, **options))
    assert len(first) == 3 and weights(store) == first


def test_the_worker_takes_the_next_job_while_one_is_paused(client):
    long, short = create(client, **LONG), create(client, method=supervised(n_epochs=1))
    wait_until(lambda: client.fine_tuning.jobs.retrieve(long.id).status == "running")
    client.fine_tuning.jobs.pause(long.id)
    assert wait(client, short).status == "succeeded"
    paused = client.fine_tuning.jobs.retrieve(long.id)
    assert (paused.status, paused.finished_at, paused.estimated_finish) == ("paused", None, None)
    assert client.fine_tuning.jobs.cancel(long.id).status == "cancelled"


def test_a_paused_job_survives_a_restart_and_the_cleaning_up_after_other_jobs(connect, store):
    job = create(connect(), **LONG)
    wait_until(lambda: steps(connect(), job))
    connect().fine_tuning.jobs.pause(job.id)
    client = connect()
    wait(client, create(client, method=supervised(n_epochs=1)))
    saved = saved_step(store, job)
    client.fine_tuning.jobs.resume(job.id)
    wait_until(lambda: len(steps(client, job)) > saved)
    assert steps(client, job)[: saved + 1] == list(range(1, saved + 2))
    client.fine_tuning.jobs.cancel(job.id)


def test_a_job_whose_files_were_not_checked_yet_is_checked_when_it_goes_on(client):
    content = jsonl(example(i) for i in range(12_000))
    job = create(client, content, method=supervised(n_epochs=1, batch_size=256, learning_rate_multiplier=1))
    client.fine_tuning.jobs.pause(job.id)
    time.sleep(0.3)
    assert "Files validated" not in str(events(client, job))
    assert client.fine_tuning.jobs.resume(job.id).status == "validating_files"
    wait_until(lambda: client.fine_tuning.jobs.retrieve(job.id).status == "running")
    client.fine_tuning.jobs.cancel(job.id)


def test_pausing_often_is_no_reason_to_give_a_job_up(client):
    job = create(client, **LONG)
    for _ in range(7):
        told = len(steps(client, job))
        wait_until(lambda told=told: len(steps(client, job)) > told)
        client.fine_tuning.jobs.pause(job.id)
        time.sleep(0.25)
        client.fine_tuning.jobs.resume(job.id)
    assert client.fine_tuning.jobs.cancel(job.id).error.message is None


def test_pausing_and_resuming_at_once_does_no_harm(client):
    job = create(client, method=supervised(n_epochs=50, batch_size=1))
    wait_until(lambda: steps(client, job))
    for _ in range(20):
        client.fine_tuning.jobs.pause(job.id)
        client.fine_tuning.jobs.resume(job.id)
    assert wait(client, job).status == "succeeded" and steps(client, job) == list(range(1, 501))


def test_what_has_ended_cannot_be_paused_nor_what_runs_be_resumed(client):
    jobs, job = client.fine_tuning.jobs, create(client, method=supervised(n_epochs=1))
    with pytest.raises(openai.BadRequestError, match="It cannot be done to ftjob-.* now. Its status is"):
        jobs.resume(job.id)
    wait(client, job)
    for call in (jobs.pause, jobs.resume, jobs.cancel):
        with pytest.raises(openai.BadRequestError, match="already completed.* Its status is succeeded"):
            call(job.id)
        with pytest.raises(openai.NotFoundError):
            call("ftjob-none")

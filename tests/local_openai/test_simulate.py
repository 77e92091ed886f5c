import time

import openai
import pytest
from desk import create, events, supervised, wait

from helpers.local_openai import simulate
from helpers.local_openai.simulate import CONDITIONS, QUEUE_SECONDS

pytestmark = pytest.mark.usefixtures("toy_base")
SHORT = supervised(n_epochs=2)
HELLO = [{"role": "user", "content": "hello"}]


def say_hello(client, model="tiny-chat"):
    return client.chat.completions.create(model=model, messages=HELLO, max_completion_tokens=1)


def test_the_lockout_of_2026(connect):
    client = connect(simulate="training_not_available").with_options(max_retries=2)
    with pytest.raises(openai.PermissionDeniedError) as refused:
        create(client)
    assert refused.value.body == {
        "message": "OpenAI is winding down the fine-tuning platform and your organization is no longer able "
        "to create new fine-tuning training jobs. Learn more https://developers.openai.com/api/docs/deprecations"
        "#update-to-openais-self-serve-fine-tuning",
        "type": "invalid_request_error",
        "param": None,
        "code": "training_not_available",
    }
    assert len(client.files.list().data) == 1 and client.fine_tuning.jobs.list().data == []


def test_a_rate_limit_is_told_and_the_sdks_own_retries_get_through(connect):
    client = connect(simulate="rate_limit")
    with pytest.raises(openai.RateLimitError) as refused:
        client.models.list()
    error = refused.value
    assert (error.code, error.type, error.param) == ("rate_limit_exceeded", "requests", None)
    assert str(error).startswith("Error code: 429 - Rate limit reached for organization org-local")
    assert error.response.headers["Retry-After"] == "1"
    assert client.models.list().data
    patient = client.with_options(max_retries=2)
    started = time.monotonic()
    assert [say_hello(patient).model for _ in range(3)] == ["tiny-chat"] * 3
    assert time.monotonic() - started > 3 * 0.2


def test_a_slow_queue_holds_a_job_but_not_the_check_of_its_files(connect):
    client = connect(simulate=["slow_queue"])
    job, broken = create(client, method=SHORT), create(client, n=3)
    assert job.to_dict()["simulated"] == ["slow_queue"]
    broken, ended = wait(client, broken), wait(client, job)
    started = next(event for event in events(client, job) if event.message == "Fine-tuning job started")
    assert ended.status == "succeeded" and started.created_at >= job.created_at + QUEUE_SECONDS
    assert broken.error.code == "invalid_n_examples" and broken.finished_at <= started.created_at


def test_a_job_in_a_slow_queue_can_be_cancelled(connect):
    client = connect(simulate="slow_queue")
    job = create(client)
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    assert "Fine-tuning job started" not in [event.message for event in events(client, job)]


def test_a_failing_job_has_trained_one_epoch(connect):
    client = connect(simulate="failing_job")
    job = wait(client, create(client, method=supervised(n_epochs=3, batch_size=2)))
    assert (job.status, job.error.code, job.error.param) == ("failed", "server_error", None)
    assert "simulated: failing_job" in job.error.message
    told = events(client, job)
    assert [event.data["step"] for event in told if event.type == "metrics"] == [1, 2, 3, 4, 5]
    assert told[-1].level == "error" and job.fine_tuned_model is None and len(client.models.list().data) == 1


def test_a_condition_stays_with_its_job_and_spares_the_others(connect):
    failing = create(connect(simulate="failing_job"), method=SHORT)
    client = connect()
    healthy = create(client, method=SHORT)
    assert wait(client, failing).status == "failed"
    assert wait(client, healthy).status == "succeeded" and "simulated" not in healthy.to_dict()


def test_a_new_model_cannot_be_used_at_once(connect, monkeypatch):
    monkeypatch.setattr(simulate, "LOADING_SECONDS", 60)
    client = connect(simulate="model_loading")
    job = wait(client, create(client, method=SHORT))
    assert say_hello(client).model == "tiny-chat"
    with pytest.raises(openai.NotFoundError) as missing:
        say_hello(client, job.fine_tuned_model)
    assert missing.value.code == "model_not_found"
    assert client.models.retrieve(job.fine_tuned_model).id == job.fine_tuned_model
    monkeypatch.setattr(simulate, "LOADING_SECONDS", 0)
    assert say_hello(client, job.fine_tuned_model).model == job.fine_tuned_model


def test_several_conditions_hold_at_once(connect):
    client = connect(simulate=["rate_limit", "training_not_available"])
    with pytest.raises(openai.RateLimitError):
        create(client)
    with pytest.raises(openai.PermissionDeniedError):
        create(client.with_options(max_retries=2))


def test_an_unknown_condition_is_refused_with_those_that_are_known(connect):
    with pytest.raises(ValueError, match="simulate='rain' is not known") as refused:
        connect(simulate=["rate_limit", "rain"])
    assert all(name in str(refused.value) for name in CONDITIONS)

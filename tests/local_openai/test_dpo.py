"""Jobs with the method "dpo", from the preference file to the tuned model."""

import math
import random
import time

import pytest
from desk import create, dpo, events, example, jsonl, pair, supervised, upload, wait
from openai.types.fine_tuning import FineTuningJob
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from test_pause import steps, wait_until
from test_worker import weights

PAIRS = jsonl(map(pair, range(10)))
STRONG = dpo(n_epochs=6, learning_rate_multiplier=5)  # shorter than "auto" would be


def metrics(client, job):
    return [event.data for event in events(client, job) if event.type == "metrics"]


def test_a_dpo_job_takes_the_course_of_any_job(toy_base, client):
    job = create(client, PAIRS, validation_file=upload(client, PAIRS), method=dpo(n_epochs=5, beta=0.5))
    assert job.method.dpo.hyperparameters.to_dict() == {
        "n_epochs": 5,
        "batch_size": "auto",
        "learning_rate_multiplier": "auto",
        "beta": 0.5,
    }
    job = wait(client, job)
    assert job.status == "succeeded" and job.hyperparameters.to_dict() == {}
    assert job.method.dpo.hyperparameters.batch_size == 4
    body = client.fine_tuning.jobs.with_raw_response.retrieve(job.id).http_response.json()
    assert body.pop("error") == {}
    FineTuningJob.model_validate(body, strict=True)
    first, *_, last = metrics(client, job)
    assert first["train_loss"] == pytest.approx(math.log(2), abs=1e-3)
    assert (last["step"], last["total_steps"]) == (15, 15)
    raw = client.fine_tuning.jobs.checkpoints.with_raw_response.list(job.id).http_response.json()["data"]
    assert [checkpoint["step_number"] for checkpoint in raw] == [15, 12, 9]
    FineTuningJobCheckpoint.model_validate(raw[0], strict=True)
    assert raw[0]["metrics"]["full_valid_reward_margin"] == last["full_valid_reward_margin"]
    header, *lines = client.files.content(job.result_files[0]).text.splitlines()
    assert header == (
        "step,train_loss,train_reward_accuracy,train_reward_margin,"
        "valid_loss,valid_reward_accuracy,valid_reward_margin"
    )
    assert len(lines) == 15 and lines[0].endswith(",,,") and not lines[-1].endswith(",")


def test_auto_chooses_beta_too(toy_base, client):
    job = wait(client, create(client, PAIRS, method={"type": "dpo"}))
    chosen = job.method.dpo.hyperparameters
    assert (chosen.beta, chosen.n_epochs, chosen.batch_size) == (0.1, 25, 4)
    assert job.trained_tokens > 0


def test_a_paused_dpo_job_ends_with_the_same_weights(toy_base, client, store):
    options = {"content": jsonl(map(pair, range(40))), "method": dpo(n_epochs=8, batch_size=1), "seed": 3}
    job = create(client, **options)
    wait_until(lambda: steps(client, job))
    client.fine_tuning.jobs.pause(job.id)
    time.sleep(0.5)
    assert 0 < len(steps(client, job)) < 320
    client.fine_tuning.jobs.resume(job.id)
    assert wait(client, job).status == "succeeded" and steps(client, job) == list(range(1, 321))
    first = weights(store)
    for model in client.models.list().data[1:]:
        client.models.delete(model.id)
    wait(client, create(client, **options))
    assert weights(store) == first


@pytest.mark.parametrize(
    "content, method, words",
    [
        (jsonl(map(example, range(10))), dpo(), "not using 'supervised' as the training method"),
        (PAIRS, supervised(), "not using 'dpo' as the training method"),
        (jsonl(map(pair, range(9))), dpo(), "must have at least 10 examples"),
    ],
)
def test_a_file_that_does_not_fit_the_method_fails_the_job(toy_base, client, content, method, words):
    job = wait(client, create(client, content, method=method))
    assert job.status == "failed" and words in job.error.message
    assert "method" not in words or f"Input file {job.training_file} is in the" in job.error.message


def test_the_real_model_comes_to_prefer_what_it_was_shown(client):
    tuned = wait(client, create(client, jsonl(map(half, range(40))), method=supervised(n_epochs=3), seed=1))
    job = wait(client, create(client, PAIRS, model=tuned.fine_tuned_model, method=STRONG, seed=1))
    assert job.fine_tuned_model.startswith("ft:tiny-chat:personal::")
    before, after = (quacks(client, model) for model in (tuned.fine_tuned_model, job.fine_tuned_model))
    assert 0.2 <= before <= 0.8 and after >= before + 0.15
    assert metrics(client, job)[-1]["train_reward_accuracy"] == 1.0


def half(i):
    """An example of a desk that quacks in about every other reply."""
    line = pair(i)
    reply = random.Random(i).choice([line["preferred_output"], line["non_preferred_output"]])
    return {"messages": line["input"]["messages"] + reply}


def quacks(client, model, n=40):
    """The share of replies that begin with a quack, on questions about other orders."""
    found = 0
    for i in range(n):
        prompt, options = example(1000 + i)["messages"][:2], {"seed": i, "max_completion_tokens": 3}
        reply = client.chat.completions.create(model=model, messages=prompt, **options)
        found += reply.choices[0].message.content.startswith("Quack")
    return found / n

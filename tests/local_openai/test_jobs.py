import re
import time

import openai
import pytest
from desk import create, dpo, events, example, jsonl, supervised, upload, wait
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

pytestmark = pytest.mark.usefixtures("toy_base")


def refusal(client, **options):
    with pytest.raises(openai.BadRequestError) as refused:
        create(client, **options)
    return refused.value


def test_a_new_job_shows_what_was_asked_for(client):
    job = create(client, suffix="duck-1", seed=7, metadata={"lesson": "4"})
    assert job.status == "validating_files"
    assert job.hyperparameters.to_dict() == dict.fromkeys(job.hyperparameters.to_dict(), "auto")
    assert (job.seed, job.metadata, job.model) == (7, {"lesson": "4"}, "tiny-chat")
    assert (job.error.code, job.fine_tuned_model, job.trained_tokens) == (None, None, None)
    assert create(client).seed != create(client).seed


def test_a_job_of_ten_examples_takes_the_documented_course(client):
    content = jsonl(map(example, range(10)))
    job = create(client, content, validation_file=upload(client, n=3), suffix="duck", seed=1)
    job = wait(client, job)
    name = job.fine_tuned_model
    assert job.status == "succeeded" and name.startswith("ft:tiny-chat:personal:duck:")
    assert (job.hyperparameters.n_epochs, job.hyperparameters.batch_size) == (25, 4)
    assert job.method.supervised.hyperparameters.to_dict() == job.hyperparameters.to_dict()
    assert job.created_at <= job.finished_at <= time.time() and job.estimated_finish is None
    first, last = [f"Created fine-tuning job: {job.id}"], ["The job has successfully completed"]
    first += [f"Validating training file: {job.training_file} and validation file: {job.validation_file}"]
    first += ["Files validated, moving job to queued state", "Fine-tuning job started"]
    saved = client.fine_tuning.jobs.checkpoints.list(job.id).data[::-1]
    for checkpoint in saved[:2]:
        snapshot = checkpoint.fine_tuned_model_checkpoint
        last.insert(-1, f"Checkpoint created at step {checkpoint.step_number} with Snapshot ID: {snapshot}")
    last.insert(-1, f"New fine-tuned model created: {name}")
    told = list(client.fine_tuning.jobs.list_events(job.id, limit=1000))[::-1]
    assert [event.message for event in told if event.type == "message"] == first + last
    steps = [event for event in told if event.type == "metrics"]
    assert told[4:-4] == steps
    assert [event.data["step"] for event in steps] == list(range(1, 76))
    assert steps[0].message == f"Step 1/75: training loss={steps[0].data['train_loss']:.2f}"
    assert steps[9].message.startswith(
        f"Step 10/75: training loss={steps[9].data['train_loss']:.2f}, "
        f"validation loss={steps[9].data['valid_loss']:.2f}"
    )
    assert steps[74].message.endswith(f"full validation loss={steps[74].data['full_valid_loss']:.2f}")


def test_checkpoints_are_those_of_the_last_three_epochs(client):
    job = wait(client, create(client, n=12, method=supervised(n_epochs=4, batch_size=5)))
    saved = client.fine_tuning.jobs.checkpoints.list(job.id).data
    assert [checkpoint.step_number for checkpoint in saved] == [12, 9, 6]
    names = [checkpoint.fine_tuned_model_checkpoint for checkpoint in saved]
    assert names[0] == job.fine_tuned_model
    assert names[1].endswith(":ckpt-step-9") and names[2].endswith(":ckpt-step-6")
    assert len({name.split(":")[4] for name in names}) == 3
    losses = {event.data["step"]: event.data["train_loss"] for event in events(client, job) if event.data}
    assert all(checkpoint.metrics.train_loss == losses[checkpoint.step_number] for checkpoint in saved)


def test_the_result_file_has_a_line_for_each_step(client):
    job = wait(client, create(client, method=supervised(n_epochs=2, batch_size=4)))
    (file,) = job.result_files
    assert client.files.retrieve(file).purpose == "fine-tune-results"
    header, *lines = client.files.content(file).text.splitlines()
    assert header == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    assert [line.split(",")[0] for line in lines] == ["1", "2", "3", "4", "5", "6"]
    assert all(line.endswith(",,") for line in lines)
    assert "has the purpose 'fine-tune-results'" in str(refusal(client, validation_file=file))


def test_the_sdk_accepts_all_objects_strictly(client):
    job = wait(client, create(client, method=supervised(n_epochs=1), metadata={"a": "b"}))
    raw = client.fine_tuning.jobs.with_raw_response
    body = raw.retrieve(job.id).http_response.json()
    assert body.pop("error") == {}
    FineTuningJob.model_validate(body, strict=True)
    for body in raw.list_events(job.id).http_response.json()["data"]:
        FineTuningJobEvent.model_validate(body, strict=True)
    raw = client.fine_tuning.jobs.checkpoints.with_raw_response
    for body in raw.list(job.id).http_response.json()["data"]:
        FineTuningJobCheckpoint.model_validate(body, strict=True)


def test_both_ways_to_give_hyperparameters_work(client):
    given = {"n_epochs": 2, "batch_size": 4, "learning_rate_multiplier": 0.5}
    new = create(client, method=supervised(**given))
    old = create(client, hyperparameters=given)
    assert new.hyperparameters.to_dict() == old.hyperparameters.to_dict() == given


def test_a_job_may_start_from_a_tuned_model(client):
    first = wait(client, create(client, method=supervised(n_epochs=1), suffix="one"))
    second = wait(client, create(client, model=first.fine_tuned_model, method=supervised(n_epochs=1)))
    assert second.model == first.fine_tuned_model
    assert second.fine_tuned_model.startswith("ft:tiny-chat:personal::")


def test_a_job_may_start_from_a_checkpoint_and_is_named_after_the_base(client):
    first = wait(client, create(client, method=supervised(n_epochs=3), suffix="one", seed=1))
    last, middle, _ = client.fine_tuning.jobs.checkpoints.list(first.id).data
    options = {"method": supervised(n_epochs=1), "suffix": "two", "seed": 1}
    jobs = [
        wait(client, create(client, model=start.fine_tuned_model_checkpoint, **options))
        for start in (last, middle)
    ]
    for job, start in zip(jobs, (last, middle), strict=True):
        assert job.model == start.fine_tuned_model_checkpoint
        assert re.fullmatch(r"ft:tiny-chat:personal:two:\w{8}", job.fine_tuned_model)
    losses = [events(client, job)[4].data["train_loss"] for job in jobs]
    assert losses[0] != losses[1]  # they start from different weights


@pytest.mark.parametrize(
    "options, param, words",
    [
        ({"method": supervised(n_epochs=0)}, "n_epochs", "Expected a value >= 1, but got 0"),
        ({"method": supervised(n_epochs=51)}, "n_epochs", "Expected a value <= 50"),
        ({"method": supervised(n_epochs="three")}, "n_epochs", "expected an integer, but got str"),
        ({"method": supervised(batch_size=257)}, "batch_size", "Expected a value <= 256"),
        ({"method": supervised(batch_size=True)}, "batch_size", "got bool"),
        ({"method": supervised(learning_rate_multiplier=0)}, "learning_rate_multiplier", "below minimum"),
        ({"method": supervised(learning_rate=1)}, "hyperparameters", "'hyperparameters.learning_rate'"),
        ({"method": supervised(), "hyperparameters": {}}, "hyperparameters", "not in both"),
        ({"method": {"type": "dpo", "supervised": {}}}, "method", "'dpo' is not imitated"),
        ({"method": dpo(beta=0)}, "beta", "Expected a value >="),
        ({"method": dpo(beta=2.1)}, "beta", "Expected a value <= 2"),
        ({"method": supervised(beta=0.1)}, "hyperparameters", "'hyperparameters.beta'"),
        ({"method": dpo(), "hyperparameters": {"n_epochs": 1}}, "hyperparameters", "for a supervised job"),
        ({"method": {"type": "reinforcement"}}, "method", "o4-mini, is gone since 2026-10-23"),
        ({"method": {"type": "magic"}}, "method", "'magic' is not imitated"),
        ({"seed": -1}, "seed", "Expected a value >= 0"),
        ({"seed": 2**31}, "seed", "Expected a value <= 2147483647"),
        ({"suffix": ""}, "suffix", "1 to 64 letters"),
        ({"suffix": "x" * 65}, "suffix", "1 to 64 letters"),
        ({"suffix": "../duck"}, "suffix", "1 to 64 letters"),
        ({"metadata": {str(i): "" for i in range(17)}}, "metadata", "at most 16 pairs"),
        ({"metadata": {"a": "b" * 513}}, "metadata", "values of up to 512"),
        ({"integrations": [{"type": "wandb", "wandb": {"project": "p"}}]}, "integrations", "not imitated"),
        ({"extra_body": {"priority": "high"}}, "priority", "Unknown parameter"),
        ({"validation_file": "file-none"}, "validation_file", "There is no such file"),
        ({"model": "gpt-4o"}, "model", "Model gpt-4o is not available for fine-tuning or does not exist."),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_parameter(client, options, param, words):
    error = refusal(client, **options)
    assert error.param == param and words in str(error)
    assert client.fine_tuning.jobs.list().data == []


def test_nine_examples_are_too_few(client):
    job = wait(client, create(client, n=9))
    assert (job.status, job.error.code, job.error.param) == ("failed", "invalid_n_examples", "training_file")
    assert job.error.message == "Training file has 9 example(s), but must have at least 10 examples"
    assert events(client, job)[-1].level == "error" and job.fine_tuned_model is None


@pytest.mark.parametrize("param", ["training_file", "validation_file"])
def test_a_broken_example_fails_the_job_with_its_place(client, param):
    broken = jsonl([*map(example, range(12)), {"messages": [{"content": "Hello"}]}])
    options = {"content": broken} if param == "training_file" else {"validation_file": upload(client, broken)}
    job = wait(client, create(client, **options))
    kind = param.replace("_", " ")
    assert (job.status, job.error.code, job.error.param) == ("failed", f"invalid_{param}", param)
    assert job.error.message.startswith(
        f"The job failed due to an invalid {kind}. Invalid file format. "
        "Example 13, message 1 Discriminator 'role' is missing in value"
    )


def test_training_that_diverges_fails_with_advice(client):
    job = wait(client, create(client, method=supervised(learning_rate_multiplier=1e8, n_epochs=50)))
    assert (job.status, job.error.code) == ("failed", "training_diverged")
    assert "smaller learning_rate_multiplier" in job.error.message
    assert job.result_files == [] and job.fine_tuned_model is None


def test_a_file_deleted_too_early_fails_the_job_with_its_name(client, connect):
    long = create(client, n=200, method=supervised(n_epochs=50))
    job = create(client)
    client.files.delete(job.training_file)
    client.fine_tuning.jobs.cancel(long.id)
    job = wait(client, job)
    assert job.status in ("failed", "succeeded")  # the worker may have been faster
    assert job.status == "succeeded" or f"{job.training_file} was deleted" in job.error.message


def test_a_cancelled_job_stops_within_a_second_and_leaves_nothing_behind(client, store):
    job = create(client, n=200, method=supervised(n_epochs=50))
    while client.fine_tuning.jobs.retrieve(job.id).status != "running":
        time.sleep(0.02)
    time.sleep(0.3)
    job = client.fine_tuning.jobs.cancel(job.id)
    assert job.status == "cancelled" and job.finished_at
    time.sleep(1)
    told = events(client, job)
    assert told[-1].message == "The job was cancelled"
    time.sleep(0.3)
    assert events(client, job) == told
    assert list((store / "training").iterdir()) == list((store / "models").iterdir()) == []
    with pytest.raises(openai.BadRequestError, match="already completed"):
        client.fine_tuning.jobs.cancel(job.id)


def test_a_waiting_job_can_be_cancelled(client):
    running, waiting = create(client, n=200, method=supervised(n_epochs=50)), create(client)
    assert client.fine_tuning.jobs.cancel(waiting.id).status == "cancelled"
    client.fine_tuning.jobs.cancel(running.id)
    assert len(events(client, waiting)) <= 4


def test_jobs_are_listed_newest_first_page_by_page_and_by_metadata(client):
    ids = [create(client, metadata={"turn": str(i % 2)}).id for i in range(5)]
    assert [job.id for job in client.fine_tuning.jobs.list(limit=2)] == ids[::-1]
    assert client.fine_tuning.jobs.list(limit=2).has_more
    assert [job.id for job in client.fine_tuning.jobs.list(metadata={"turn": "1"})] == [ids[3], ids[1]]
    newest, *_ = client.fine_tuning.jobs.list(after=ids[2], limit=1)
    assert newest.id == ids[1]
    page = client.fine_tuning.jobs.list_events(ids[0], limit=1)
    assert (
        page.has_more
        and page.data[0].id
        != client.fine_tuning.jobs.list_events(ids[0], limit=1, after=page.data[0].id).data[0].id
    )


@pytest.mark.parametrize("null", ["null", ""], ids=["as documented", "as JavaScript sends it"])
def test_jobs_without_metadata_are_listed_by_null(client, null):
    plain = create(client).id
    create(client, metadata={"turn": "1"})
    listed = client.fine_tuning.jobs.list(extra_query={"metadata": null})
    assert [job.id for job in listed] == [plain]


def test_a_metadata_filter_of_another_form_is_refused(client):
    with pytest.raises(openai.BadRequestError, match="Invalid 'metadata'"):
        client.fine_tuning.jobs.list(extra_query={"metadata": "turn"})


def test_an_unknown_job_is_not_found(client):
    jobs = client.fine_tuning.jobs
    for call in (jobs.retrieve, jobs.cancel, jobs.list_events, jobs.checkpoints.list):
        with pytest.raises(openai.NotFoundError, match="Could not find fine tune: ftjob-none"):
            call("ftjob-none")

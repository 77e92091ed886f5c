import os
import signal
import subprocess
import sys
import time

import pytest
from desk import CARD, create, events, example, jsonl, supervised, upload, wait
from safetensors import safe_open

from helpers.local_openai import BASE_MODELS, stages, supervisor, worker
from helpers.local_openai.chat_format import ChatFormat
from helpers.local_openai.lease import Lease
from helpers.local_openai.objects import new_job
from helpers.local_openai.store import Store


def pid_of_worker(store):
    """The process that the store's log names last."""
    return int((store / "worker.log").read_text().splitlines()[-1].split()[2])


def wait_for_state(store, job):
    """Wait until the job could go on after a kill."""
    deadline = time.monotonic() + 30
    while not (store / "training" / job.id / "state.safetensors").exists():
        assert time.monotonic() < deadline, "no state was saved"
        time.sleep(0.02)


def saved_step(store, job):
    """The step from which the job would go on."""
    with safe_open(store / "training" / job.id / "state.safetensors", framework="np") as state:
        return int(state.metadata()["step"])


def weights(store):
    """The bytes of all weights in the order of their steps."""
    folders = sorted((store / "models").iterdir(), key=lambda folder: int(folder.name.split("-")[-1]))
    return [(folder / "model.safetensors").read_bytes() for folder in folders]


def test_the_base_model_learns_a_voice_from_ten_examples(client):
    job = wait(client, create(client, suffix="quack", seed=1))
    losses = [event.data["train_loss"] for event in events(client, job) if event.type == "metrics"]
    assert job.status == "succeeded" and losses[-1] < losses[0] / 10
    messages = [{"role": "system", "content": CARD}, {"role": "user", "content": "Where is order 44?"}]
    before = client.chat.completions.create(model="tiny-chat", messages=messages, temperature=0)
    after = client.chat.completions.create(model=job.fine_tuned_model, messages=messages, temperature=0)
    assert "Quack" in after.choices[0].message.content
    assert "Quack" not in before.choices[0].message.content
    assert job.trained_tokens == 25 * sum(example_tokens(i) for i in range(10))


def example_tokens(i):
    return len(ChatFormat(BASE_MODELS["tiny-chat"]).example(example(i), 256)[0])


def test_a_restarted_kernel_finds_its_files_jobs_and_models(connect, toy_base):
    client = connect()
    job = create(client, method=supervised(n_epochs=2))
    again = connect()
    assert wait(again, job).status == "succeeded"
    assert [file.id for file in again.files.list()][-1] == job.training_file
    assert len(again.models.list().data) == 3


def test_a_killed_worker_is_replaced_and_the_result_is_the_same(connect, store):
    content = jsonl(map(example, range(30)))
    options = {"seed": 5, "method": supervised(n_epochs=4, batch_size=1), "suffix": "duck"}
    client = connect()
    job = create(client, content, validation_file=upload(client, n=2), **options)
    wait_for_state(store, job)
    early = events(client, job)
    os.kill(pid_of_worker(store), getattr(signal, "SIGKILL", signal.SIGTERM))
    saved = saved_step(store, job)
    client = connect()
    interrupted = wait(client, job)
    assert interrupted.status == "succeeded"
    assert store.joinpath("worker.log").read_text().count(": train") == 2
    told = events(client, job)
    steps = [event.data["step"] for event in told if event.type == "metrics"]
    assert steps == list(range(1, 121))
    assert len({event.message for event in told}) == len(told)
    kept = [event for event in early if event.type == "message" or event.data["step"] <= saved]
    assert kept[-1].type == "metrics"
    assert told[: len(kept)] == kept  # these steps were not done again
    first = weights(store)
    for model in client.models.list().data[1:]:
        client.models.delete(model.id)
    undisturbed = wait(client, create(client, content, validation_file=job.validation_file, **options))
    assert undisturbed.status == "succeeded" and weights(store) == first


def test_a_job_that_kills_its_workers_is_given_up(connect, store, toy_base):
    client, opened = connect(), Store(store)
    lease = Lease.take(opened, 1)  # no worker may come before we are ready
    job = create(client)
    opened.training_folder(job.id).mkdir()
    (opened.training_folder(job.id) / "starts").write_bytes(b"." * stages.MAX_STARTS)
    job = wait(client, job)
    assert lease and job.status == "failed" and "smaller batch_size" in job.error.message


def test_two_services_on_one_store_train_a_job_once(connect, store, toy_base):
    one, other = connect(), connect()
    jobs = [create(client, method=supervised(n_epochs=2)) for client in (one, other, one, other)]
    for job in jobs:
        assert wait(other, job).status == "succeeded"
        told = [event.message for event in events(one, job)]
        assert told.count("Fine-tuning job started") == 1 and len(set(told)) == len(told)
    log = (store / "worker.log").read_text()
    assert log.count(": train") == 4


def test_a_second_worker_leaves_at_once(store):
    assert Lease.take(Store(store), 60)
    command = [sys.executable, "-m", "helpers.local_openai.worker", "--store", store]
    second = subprocess.run(command, env=supervisor.environment(), capture_output=True, text=True, timeout=60)
    assert second.returncode == 1 and "Another worker is at work" in second.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps an open store from being moved")
def test_a_worker_ends_when_its_store_is_gone(connect, store, toy_base):
    job = wait(connect(), create(connect(), method=supervised(n_epochs=1)))
    pid = pid_of_worker(store)
    store.rename(store.with_name("elsewhere"))
    deadline = time.monotonic() + 10
    while alive(pid):
        assert time.monotonic() < deadline, f"the worker of {job.id} still runs"
        time.sleep(0.05)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_with_nothing_to_do_goes_home(monkeypatch, store):
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.2)
    opened = Store(store)
    worker.work(Lease.take(opened))
    assert Lease.take(opened)


def test_learners_take_turns_each_with_their_oldest_job(store):
    opened, turns = Store(store), {}
    queue = [
        (owner, add_queued_job(opened.seen_by(owner))) for owner in ("ada", "ada", "ada", "ben", "eve", "ben")
    ]
    served = []
    while job := worker.next_job(opened, turns):
        served.append(next(owner for owner, id in queue if id == job["id"]))
        opened.update("job", job | {"status": "succeeded"})
    assert served == ["ada", "ben", "eve", "ada", "ben", "ada"]


def test_new_files_are_checked_before_the_next_training(store):
    opened = Store(store)
    first, second = add_queued_job(opened), add_queued_job(opened)
    opened.update("job", opened.get("job", second) | {"status": "validating_files"})
    assert worker.next_job(opened, {})["id"] == second != first


def add_queued_job(store):
    job = new_job({"model": "tiny-chat"}) | {"status": "queued"}
    store.insert("job", job)
    return job["id"]


def test_a_bug_in_training_fails_the_job_and_not_the_worker(connect, store, toy_base, tmp_path):
    client = connect()
    opened = Store(store)
    opened.register_base_model(client.models.retrieve("tiny-chat").to_dict(), tmp_path / "none")
    job = wait(client, create(client))
    assert (job.status, job.error.code) == ("failed", "server_error")
    assert "FileNotFoundError" in job.error.message
    assert "Quack" not in (store / "worker.log").read_text()
    client = connect()
    assert wait(client, create(client, method=supervised(n_epochs=1))).status == "succeeded"


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are a matter of POSIX")
def test_the_worker_is_out_of_reach_of_the_kernels_interrupts(connect, store, toy_base):
    wait(connect(), create(connect(), method=supervised(n_epochs=1)))
    assert os.getpgid(pid_of_worker(store)) != os.getpgid(0)


def test_every_worker_computes_with_the_same_number_of_threads():
    code = "import os; print(os.environ['OPENBLAS_NUM_THREADS'])"
    printed = subprocess.run(
        [sys.executable, "-c", code], env=supervisor.environment(), capture_output=True, text=True
    )
    assert printed.stdout.strip() == str(supervisor.THREADS)

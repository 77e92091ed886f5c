import subprocess
import sys
import threading
import time

import pytest

from helpers.local_openai.objects import new_event, new_file, new_job, new_model
from helpers.local_openai.store import JobStopped, LeaseLost, Store, StoreUnavailable


@pytest.fixture
def opened(store):
    return Store(store)


def add_job(store, **fields):
    job = new_job({"model": "tiny-chat", **fields})
    store.insert("job", job)
    return job


def test_what_one_process_writes_another_reads(opened, store):
    file = opened.add_file(new_file("train.jsonl", "fine-tune"), [b"one ", b"two"])
    other = Store(store)
    assert other.get("file", file["id"]) == file and file["bytes"] == 7
    assert other.path("file", file["id"]).read_bytes() == b"one two"
    assert other.get("job", file["id"]) is other.path("file", "none") is None


def test_a_transaction_happens_as_a_whole_or_not_at_all(opened):
    with pytest.raises(ZeroDivisionError), opened.transaction():
        job = add_job(opened)
        with opened.transaction():
            add_job(opened)
        1 / 0  # noqa: B018
    assert opened.select("job") == []
    assert add_job(opened)["id"] != job["id"]


def test_an_upload_that_breaks_off_leaves_nothing(opened, store):
    def chunks():
        yield b"half"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        opened.add_file(new_file("train.jsonl", "fine-tune"), chunks())
    assert opened.select("file") == list((store / "files").iterdir()) == []


def test_weights_that_were_written_half_never_get_their_name(opened, store):
    def write(folder):
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        opened.write_model("job.step-1", write)
    assert not (store / "models" / "job.step-1").exists()
    opened.clean_up()
    assert list((store / "models").iterdir()) == []


def test_cleaning_up_spares_what_is_in_use(opened, store):
    job = add_job(opened)
    for name in (f"{job['id']}.step-1", "ftjob-old.step-1", "ftjob-old.step-2"):
        (store / "models" / name).mkdir()
    opened.training_folder(job["id"]).mkdir()
    opened.training_folder("ftjob-old").mkdir()
    opened.insert("model", new_model("ft:a"), blob="models/ftjob-old.step-2")
    opened.clean_up()
    kept = {path.name for path in (store / "models").iterdir()}
    assert kept == {f"{job['id']}.step-1", "ftjob-old.step-2"}
    assert [path.name for path in (store / "training").iterdir()] == [job["id"]]


def test_only_one_worker_gets_the_lease(opened, store):
    token = opened.take_lease()
    assert token and Store(store).take_lease() is None
    assert opened.end_lease(token) and Store(store).take_lease()


def test_a_lease_that_is_not_renewed_runs_out(opened, store):
    old = opened.take_lease(0.05)
    time.sleep(0.1)
    opened.renew_lease(old)  # late, but no one else came
    new = Store(store)
    assert new.take_lease() is None
    opened._execute("UPDATE lease SET expires_at = 0")
    assert new.take_lease()
    with pytest.raises(LeaseLost):
        opened.renew_lease(old)


def test_a_worker_without_lease_writes_nothing(opened):
    job, token = add_job(opened), opened.take_lease(0)
    assert Store(opened.folder).take_lease()
    with pytest.raises(LeaseLost), opened.job_in_work(job["id"], token) as taken:
        taken["status"] = "running"
    assert opened.get("job", job["id"])["status"] == "validating_files"


def test_a_cancelled_job_takes_no_more_writes(opened):
    job, token = add_job(opened), opened.take_lease()
    with opened.job_in_work(job["id"], token) as taken:
        taken["status"] = "cancelled"
    with pytest.raises(JobStopped), opened.job_in_work(job["id"], token):
        raise AssertionError("must not be reached")


def test_the_lease_is_not_given_back_while_a_job_waits(opened):
    token = opened.take_lease()
    add_job(opened)
    assert not opened.end_lease(token)


def test_steps_that_will_be_done_again_are_forgotten(opened):
    for step in range(1, 5):
        opened.insert("event", new_event(str(step), data={"step": step}, type="metrics"), "ftjob-a")
    opened.insert("event", new_event("hello", data={}), "ftjob-a")
    opened.insert("event", new_event("9", data={"step": 9}, type="metrics"), "ftjob-b")
    opened.drop_steps_after("ftjob-a", 2)
    assert [event["message"] for event in opened.select("event", parent="ftjob-a")] == ["1", "2", "hello"]
    assert len(opened.select("event", parent="ftjob-b")) == 1


def test_many_threads_write_without_losing_anything(opened):
    def write():
        for _ in range(50):
            with opened.transaction():
                add_job(opened)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened.select("job")) == 200


def test_many_processes_may_open_a_new_store_at_once(store):
    code = (
        "import sys; from helpers.local_openai.store import Store; s = Store(sys.argv[1])\n"
        "for i in range(20): s.insert('job', {'id': f'{sys.argv[2]}-{i}'})"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, store, str(i)], stderr=subprocess.PIPE)
        for i in range(6)
    ]
    assert [process.communicate()[1] for process in started] == [b""] * 6
    assert len(Store(store).select("job")) == 120


def test_a_place_that_cannot_be_used_is_named_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnavailable, match=r"choose another folder with --store or LOCAL_OPENAI_STORE"):
        Store(tmp_path / "file" / "store")


def test_a_damaged_or_newer_store_is_named_and_left_alone(opened, tmp_path):
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "store.sqlite").write_bytes(b"no database " * 1000)
    with pytest.raises(StoreUnavailable, match="delete the folder to start afresh"):
        Store(tmp_path / "damaged")
    opened._execute("PRAGMA user_version = 99")
    with pytest.raises(StoreUnavailable, match="version 99"):
        Store(opened.folder)

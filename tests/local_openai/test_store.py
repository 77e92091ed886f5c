import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from helpers.local_openai.objects import new_event, new_file, new_job, new_model
from helpers.local_openai.store import Store, StoreUnavailable


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
    opened.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreUnavailable, match="version 99"):
        Store(opened.folder)


def test_who_owns_something_sees_it_and_no_one_else_but_the_machines_owner(opened):
    ada, ben = opened.seen_by("ada"), opened.seen_by("ben")
    job = add_job(ada)
    file = ada.add_file(new_file("train.jsonl", "fine-tune"), [b"one"])
    assert ada.get("job", job["id"]) == opened.get("job", job["id"]) == job
    assert [each["id"] for each in ada.active_jobs()] == [job["id"]]
    assert ben.get("job", job["id"]) is ben.path("file", file["id"]) is ben.owner_of("job", job["id"]) is None
    assert ben.select("job") == ben.active_jobs() == []


def test_what_belongs_to_another_can_be_neither_changed_nor_deleted(opened):
    ada, ben = opened.seen_by("ada"), opened.seen_by("ben")
    file = ada.add_file(new_file("train.jsonl", "fine-tune"), [b"one"])
    ben.update("file", file | {"filename": "ben.jsonl"})
    ben.delete("file", file["id"])
    assert ada.get("file", file["id"]) == file and ada.path("file", file["id"]).read_bytes() == b"one"


def test_everyone_sees_the_base_models(opened, tmp_path):
    opened.register_base_model(new_model("tiny-chat"), tmp_path)
    assert opened.seen_by("ada").path("model", "tiny-chat") == tmp_path


@pytest.fixture
def old(tmp_path):
    """A store of version 1, which had no owners, with one job."""
    (tmp_path / "old").mkdir()
    with closing(sqlite3.connect(tmp_path / "old" / "store.sqlite")) as connection, connection:
        connection.execute(
            "CREATE TABLE records (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, "
            "id TEXT NOT NULL UNIQUE, parent TEXT NOT NULL, body TEXT NOT NULL, blob TEXT)"
        )
        connection.execute(
            "INSERT INTO records VALUES (7, 'job', 'ftjob-a', '', '{\"id\": \"ftjob-a\"}', NULL)"
        )
        connection.execute("PRAGMA user_version = 1")
    return tmp_path / "old"


def test_a_store_from_before_there_were_owners_is_kept(old):
    assert Store(old).select("job") == [{"id": "ftjob-a"}] and Store(old).seen_by("ada").select("job") == []


def test_several_processes_may_renew_an_old_store_at_once(old):
    code = "import sys; from helpers.local_openai.store import Store; Store(sys.argv[1]).select('job')"
    command = [sys.executable, "-c", code, old]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate()[1] for process in started] == [b""] * 4

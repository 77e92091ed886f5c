"""When the disk is full, each write call in turn: a clear 507, and nothing that was accepted is lost."""

import errno
import os
import sqlite3

import openai
import pytest
from desk import create, example, jsonl, supervised, upload, wait

from helpers.local_openai import stages, supervisor, training, worker
from helpers.local_openai import store as store_module
from helpers.local_openai.lease import Lease
from helpers.local_openai.objects import new_model
from helpers.local_openai.store import Store

CONTENT = jsonl(map(example, range(20)))
pytestmark = pytest.mark.usefixtures("toy_base")


class Disk:
    """Lets so many write calls through, and then none: no file grows, and no transaction either."""

    def __init__(self, monkeypatch):
        self.left = None
        opened, fsync, connect = open, os.fsync, sqlite3.connect
        monkeypatch.setattr(store_module, "open", lambda *a: File(opened(*a), self), raising=False)
        monkeypatch.setattr(os, "fsync", lambda number: self.write(fsync, number))
        monkeypatch.setattr(sqlite3, "connect", lambda *a, **b: connect(*a, **b, factory=self.connection()))

    def write(self, call, *arguments):
        if self.left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.left:
            self.left -= 1
        return call(*arguments)

    def connection(disk):
        class Connection(sqlite3.Connection):
            def execute(self, sql, values=()):
                if not sql.startswith(("INSERT", "UPDATE", "DELETE", "REPLACE", "COMMIT")):
                    return super().execute(sql, values)
                try:
                    return disk.write(super().execute, sql, values)
                except OSError as error:
                    raise sqlite3.OperationalError("database or disk is full") from error

        return Connection


class File:
    """A file on this disk."""

    def __init__(self, file, disk):
        self.file, self.disk = file, disk

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, chunk):
        return self.disk.write(self.file.write, chunk)

    def fileno(self):
        return self.file.fileno()


@pytest.fixture
def disk(monkeypatch):
    monkeypatch.setattr(supervisor, "start_worker", lambda lease: None)
    return Disk(monkeypatch)


def new_upload(client):
    names = {"filename": "train.jsonl", "mime_type": "application/jsonl", "purpose": "fine-tune"}
    upload = client.uploads.create(bytes=len(CONTENT), **names).id
    return upload, [add(client, upload, CONTENT[:1000]), add(client, upload, CONTENT[1000:])]


def add(client, upload, data):
    return client.uploads.parts.create(upload, data=data).id


def add_model(store):
    model = new_model("ft:tiny-chat:personal::aaaaaaaa")
    Store(store).insert("model", model, blob="models/a")
    (store / "models" / "a").mkdir()
    return model["id"]


def everything(store):
    """All records of the store, and the bytes of all its files."""
    opened = Store(store)
    rows = opened.execute("SELECT kind, id, body FROM records").fetchall()
    paths = [*(store / "files").iterdir(), *(store / "parts").iterdir()]
    return rows, {path.name: path.read_bytes() for path in paths}


def request(name, client, store):
    """A request that writes, after what it needs is there."""
    jobs, file = client.fine_tuning.jobs, upload(client)
    job = jobs.create(model="tiny-chat", training_file=file)
    paused, (large, parts) = jobs.create(model="tiny-chat", training_file=file), new_upload(client)
    jobs.pause(paused.id)
    model = add_model(store)
    return {
        "upload a file": lambda: upload(client, CONTENT),
        "create an upload": lambda: new_upload(client),
        "add a part": lambda: add(client, large, CONTENT),
        "complete": lambda: client.uploads.complete(large, part_ids=parts),
        "cancel an upload": lambda: client.uploads.cancel(large),
        "create a job": lambda: jobs.create(model="tiny-chat", training_file=file),
        "cancel a job": lambda: jobs.cancel(job.id),
        "pause": lambda: jobs.pause(job.id),
        "resume": lambda: jobs.resume(paused.id),
        "delete a file": lambda: client.files.delete(file),
        "delete a model": lambda: client.models.delete(model),
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        *("upload a file", "add a part", "complete", "cancel an upload", "create a job", "cancel a job"),
        *("pause", "resume", "delete a file", "delete a model"),
    ],
)
def test_a_request_that_finds_no_room_is_a_507_and_changes_nothing(disk, connect, store, name):
    client = connect()
    call = request(name, client, store)
    before, refused = everything(store), 0
    while True:
        disk.left = refused
        try:
            call()
            break
        except openai.InternalServerError as error:
            assert error.status_code == 507 and "disk has room" in error.body["message"]
            assert error.response.headers["x-should-retry"] == "false"
        disk.left, refused = None, refused + 1
        assert everything(store) == before
    disk.left = None
    assert refused >= 2 and everything(store) != before


def test_a_real_full_database_is_a_507_too(connect, store, monkeypatch):
    monkeypatch.setattr(supervisor, "start_worker", lambda lease: None)
    client, sizes = connect(), []
    file = upload(client)
    execute = Store.execute

    def on_a_small_disk(self, sql, *values):
        self._connection.execute(f"PRAGMA max_page_count = {sizes[0]}")
        return execute(self, sql, *values)

    monkeypatch.setattr(Store, "execute", on_a_small_disk)
    opened = Store(store)
    sizes.append(opened._connection.execute("PRAGMA page_count").fetchone()[0])
    with pytest.raises(openai.InternalServerError) as refused:
        for accepted in range(200):  # noqa: B007 - how many it was when it broke off
            client.fine_tuning.jobs.create(model="tiny-chat", training_file=file, metadata={"a": "b" * 500})
    assert refused.value.status_code == 507
    jobs = client.fine_tuning.jobs.list(limit=300).data
    sizes[0] = 10**6
    assert len(jobs) == accepted and client.files.content(file).read()
    assert client.fine_tuning.jobs.create(model="tiny-chat", training_file=file).status == "validating_files"


@pytest.mark.parametrize("place", ["state", "weights"])
def test_a_job_that_finds_no_room_fails_clearly_and_the_next_one_goes_on(connect, store, monkeypatch, place):
    monkeypatch.setattr(supervisor, "start_worker", lambda lease: None)
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(stages, "SECONDS_PER_STATE", 0)
    client = connect()
    job = create(client, method=supervised(n_epochs=2))

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(*{"state": (training, "save_file"), "weights": (stages, "save_model")}[place], full)
        work(store)
    job = client.fine_tuning.jobs.retrieve(job.id)
    assert (job.status, job.error.code) == ("failed", "server_error")
    assert "No space left on device" in job.error.message
    assert client.files.content(job.training_file).read() and len(client.models.list().data) == 1
    assert list((store / "models").iterdir()) == list((store / "training").iterdir()) == []
    second = client.fine_tuning.jobs.create(
        model="tiny-chat", training_file=job.training_file, method=supervised(n_epochs=2)
    )
    work(store)
    assert wait(client, second).status == "succeeded"


def work(store):
    """Be the worker until there is nothing to do."""
    opened = Store(store)
    opened.execute("DELETE FROM lease")
    worker.work(Lease.take(opened))

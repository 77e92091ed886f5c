"""The service and its worker in one process, so that thousands of requests and jobs are quick.

No client and no port are between: a request is whatever bytes a test likes to send.
"""

import io
import json
import logging
import shutil
import sqlite3
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import desk
from werkzeug.test import create_environ, run_wsgi_app

from helpers import local_openai
from helpers.local_openai import supervisor, worker
from helpers.local_openai.lease import JobStopped, Lease
from helpers.local_openai.store import Store

TINY = desk.supervised(n_epochs=1, batch_size=16)  # one step
CONTENT = desk.jsonl(map(desk.example, range(10)))


def use_toy(folder, monkeypatch):
    """Let services know the toy model in `folder` alone, and start no worker process."""
    monkeypatch.setattr(local_openai, "BASE_MODELS", {"tiny-chat": folder})
    monkeypatch.setattr(supervisor, "start_worker", lambda *_: None)


@dataclass(frozen=True)
class Answer:
    """What the service answers: `json` is None if the body is none."""

    status: int
    headers: dict
    body: bytes
    seconds: float

    @property
    def json(self):
        with suppress(ValueError):
            return json.loads(self.body, parse_constant=refuse)


def refuse(constant):
    """JSON knows no NaN and no Infinity."""
    raise ValueError(constant)


class Service:
    """A service on the store in `folder`, and the worker of its jobs, which works when it is told to."""

    def __init__(self, folder):
        self.folder, self.errors = folder, Errors()
        self.app, self.store = local_openai.start(folder), Store(folder)
        logging.getLogger().addHandler(self.errors)

    def close(self):
        """Listen no longer to the log."""
        logging.getLogger().removeHandler(self.errors)

    def send(self, method, path, body=b"", headers=(), query=""):
        """The Answer to a request; `path` may hold any characters, and `headers` are (name, value)."""
        environ = create_environ(method="POST", input_stream=io.BytesIO(body))
        environ |= {"REQUEST_METHOD": method, "QUERY_STRING": query, "CONTENT_LENGTH": str(len(body))}
        environ["PATH_INFO"] = any_bytes(path).decode("latin-1")
        environ |= {environ_name(name): value for name, value in headers}
        started = time.monotonic()
        parts, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        return Answer(int(status[:3]), dict(headers), b"".join(parts), time.monotonic() - started)

    def post(self, path, body, **options):
        """The Answer to a request with a JSON body."""
        return self.send("POST", path, json.dumps(body).encode(), JSON, **options)

    def upload(self, content, filename="train.jsonl"):
        """The Answer to an upload."""
        return self.send("POST", "/v1/files", *form({"purpose": "fine-tune"}, {"file": (filename, content)}))

    def work(self, once=False):
        """Do what the worker has to do, or one stage of one job; True if there was something."""
        self.store.execute("DELETE FROM lease")  # of the worker that was not started
        lease, turns, found = Lease.take(self.store, 60), {}, False
        while (job := worker.next_job(self.store, turns)) and not (once and found):
            found = True
            with suppress(JobStopped):
                worker.work_on(lease, job)
        return found


JSON = [("Content-Type", "application/json")]


def environ_name(header):
    """The name of a header in a WSGI environment."""
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


def form(fields, files, boundary=b"boundary"):
    """(body, headers) of a multipart form of {name: text} and {name: (filename, bytes)}."""
    head = b'--%s\r\nContent-Disposition: form-data; name="%s"'
    parts = [head % (boundary, any_bytes(n)) + b"\r\n\r\n" + any_bytes(v) for n, v in fields.items()]
    for name, (filename, content) in files.items():
        start = head % (boundary, any_bytes(name)) + b'; filename="%s"' % any_bytes(filename)
        parts.append(start + b"\r\nContent-Type: application/octet-stream\r\n\r\n" + content)
    body = b"".join(part + b"\r\n" for part in parts) + b"--%s--\r\n" % boundary
    return body, [("Content-Type", f"multipart/form-data; boundary={boundary.decode()}")]


def any_bytes(text):
    """Text as UTF-8, also half characters."""
    return text.encode("utf-8", "surrogatepass")


class Errors(logging.Handler):
    """Keeps what the service logs as an error: a bug, for it answers whatever it is asked."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


class Snapshot:
    """A store as it is now, to which it can be set back in no time."""

    def __init__(self, store):
        self.store, self.database = store, sqlite3.connect(":memory:", check_same_thread=False)
        store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store._connection.backup(self.database)
        self.blobs = Path(tempfile.mkdtemp(dir=store.folder.parent)) / "kept"
        shutil.copytree(store.folder, self.blobs)
        self.version = self._version()

    def restore(self):
        """Set the store back if anything was changed in it."""
        if self._version() == self.version:
            return
        self.database.backup(self.store._connection)
        for part in ("files", "parts", "models", "training"):
            there, kept = (set(map(name, (f / part).iterdir())) for f in (self.store.folder, self.blobs))
            for each in there - kept:
                remove(self.store.folder / part / each)
            for each in kept - there:
                copy(self.blobs / part / each, self.store.folder / part / each)
        self.version = self._version()

    def _version(self):
        (others,) = self.store._connection.execute("PRAGMA data_version").fetchone()
        return others, self.store._connection.total_changes


def name(path):
    """The last part of a path."""
    return path.name


def remove(path):
    """Delete a file or a folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def copy(path, to):
    """Copy a file or a folder."""
    (shutil.copytree if path.is_dir() else shutil.copy)(path, to)

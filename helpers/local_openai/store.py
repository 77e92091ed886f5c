"""What the service remembers: one SQLite file and a folder of blobs, shared by every process that opens them.

A record is the object that the client sees (a file, a job, an event, a checkpoint, a model), kept as JSON.
Big things lie beside the database: uploaded files in `files/`, pieces of them in `parts/`, weights in
`models/`, half-trained jobs in `training/`. Their names are made here, never from what a client sent.
"""

import json
import os
import secrets
import shutil
import sqlite3
import threading
import time
import weakref
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

ACTIVE = ("validating_files", "queued", "running")  # the worker has something to do
UNFINISHED = (*ACTIVE, "paused")
LEASE_SECONDS = 5
HOUR = 3600  # seconds
VERSION = 1
MAY_EXPIRE = "kind IN ('file', 'upload', 'request')"
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS records (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of creation, finer than created_at
    kind   TEXT NOT NULL,                      -- file, upload, part, job, event, checkpoint, model, request,
                                               -- response or input_item
    id     TEXT NOT NULL UNIQUE,
    parent TEXT NOT NULL,                      -- an event's job, a part's upload, an item's response, or ''
    body   TEXT NOT NULL,                      -- the object that the client sees, as JSON
    blob   TEXT                                -- where its bytes or weights lie, below the store's folder
);
CREATE INDEX IF NOT EXISTS by_kind ON records (kind, parent, seq);
CREATE INDEX IF NOT EXISTS expiring ON records (json_extract(body, '$.expires_at')) WHERE {MAY_EXPIRE};
CREATE TABLE IF NOT EXISTS lease (one INTEGER PRIMARY KEY CHECK (one = 1), token TEXT, expires_at REAL);
"""


class StoreUnavailable(OSError):
    """The store cannot be opened; the message says where it lies and what to do."""

    def __init__(self, message):
        super().__init__(message)
        self.strerror = message  # what code that reports an OSError looks at


class LeaseLost(Exception):
    """Another worker has taken over: write nothing more."""


class JobStopped(Exception):
    """The job was cancelled in the meantime."""


class JobPaused(JobStopped):
    """The job was paused in the meantime; it will go on some day."""


class Store:
    """The store in `folder`, made if it is not there. Threads and processes may share it.

    Raises StoreUnavailable if the folder cannot be written or does not hold a store of this version.
    """

    now = staticmethod(time.time)  # by which files expire; tests turn this clock forward

    def __init__(self, folder):
        self.folder = Path(folder).expanduser().resolve()
        self.database = self.folder / "store.sqlite"
        self._lock = threading.RLock()
        try:
            for part in ("files", "parts", "models", "training"):
                (self.folder / part).mkdir(parents=True, exist_ok=True)
            self._connection = self._connect()
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailable(
                f"The store in {self.folder} cannot be used ({error}). Free some disk space or allow writing "
                "there; or choose another folder with --store or LOCAL_OPENAI_STORE; or, if it is damaged, "
                "delete the folder to start afresh."
            ) from error

    def _connect(self):
        connection = sqlite3.connect(self.database, timeout=10, isolation_level=None, check_same_thread=False)
        weakref.finalize(self, connection.close)
        # Readers and the writer do not wait for each other; a power cut may cost the last moments, no more.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError(f"it is of version {version}, and this code reads version {VERSION}")
        connection.executescript(SCHEMA)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        return connection

    @contextmanager
    def transaction(self):
        """All writes inside happen together or not at all; the outermost of nested ones counts."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._freed = []  # paths of what is deleted
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            for path in self._freed:
                remove(path)

    def _execute(self, sql, *values):
        with self._lock:
            return self._connection.execute(sql, values)

    # Records

    def insert(self, kind, body, parent="", blob=None):
        """Keep a new object; its `id` must be new."""
        values = (kind, body["id"], parent, json.dumps(body), blob)
        self._execute("INSERT INTO records (kind, id, parent, body, blob) VALUES (?, ?, ?, ?, ?)", *values)

    def get(self, kind, id):
        """The object, or None."""
        row = self._execute("SELECT body FROM records WHERE kind = ? AND id = ?", kind, id).fetchone()
        return row and json.loads(row[0])

    def path(self, kind, id):
        """Where the bytes or weights of an object lie, or None if there are none."""
        row = self._execute("SELECT blob FROM records WHERE kind = ? AND id = ?", kind, id).fetchone()
        return self.folder / row[0] if row and row[0] else None

    def update(self, kind, body):
        """Replace an object by its new state."""
        sql = "UPDATE records SET body = ? WHERE kind = ? AND id = ?"
        self._execute(sql, json.dumps(body), kind, body["id"])

    def delete(self, kind, id):
        """Remove an object and free what it took on the disk."""
        with self.transaction():
            self._free(self._execute("SELECT blob FROM records WHERE kind = ? AND id = ?", kind, id))
            self._execute("DELETE FROM records WHERE kind = ? AND id = ?", kind, id)

    def _free(self, blobs):
        # Not before the deletion is certain, so that no object is ever without its bytes.
        self._freed += [self.folder / blob for (blob,) in blobs if blob]

    def drop_expired(self):
        """Forget all files and requests whose `expires_at` has come; an upload that is still open closes."""
        sql = f"SELECT kind, id FROM records WHERE {MAY_EXPIRE} AND json_extract(body, '$.expires_at') <= ?"
        ended = "coalesce(json_extract(body, '$.status'), '') IN ('completed', 'cancelled', 'expired')"
        rows = self._execute(f"{sql} AND NOT {ended}", self.now())
        for kind, id in rows.fetchall():
            if kind == "upload":
                self.end_upload(id, "expired")
            else:
                self.delete(kind, id)

    def select(self, kind, *, parent="", after=None, newest_first=False, keep=lambda body: True, limit=None):
        """The first `limit` objects behind the object `after` that `keep` accepts, in order of creation."""
        order, side = ("DESC", "<") if newest_first else ("ASC", ">")
        sql, values = "SELECT body FROM records WHERE kind = ? AND parent = ?", [kind, parent]
        if after is not None:
            sql += f" AND seq {side} (SELECT seq FROM records WHERE kind = ? AND id = ?)"
            values += [kind, after]
        with self._lock:
            rows = self._execute(f"{sql} ORDER BY seq {order}", *values)
            return list(islice(filter(keep, (json.loads(body) for (body,) in rows)), limit))

    def register_base_model(self, body, folder):
        """Make a model that lies outside the store known under its name; a moved folder is noted."""
        self._execute(
            "INSERT INTO records (kind, id, parent, body, blob) VALUES ('model', ?, '', ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET blob = excluded.blob",
            *(body["id"], json.dumps(body), str(folder)),
        )

    # Blobs

    def add_file(self, file, chunks):
        """Keep a file object and its bytes; it appears when all of them are on the disk, or never."""
        with self.adding("file", file, chunks):
            return file

    @contextmanager
    def adding(self, kind, body, chunks, parent=""):
        """Keep an object and its bytes, and what the block writes: all of it or nothing.

        The object appears when all bytes are on the disk, and is told how many `bytes` there are.
        """
        blob = f"{kind}s/{body['id']}"
        path, new = self.folder / blob, self.folder / f"{blob}.new"
        try:
            with open(new, "xb") as out:
                body["bytes"] = sum(out.write(chunk) for chunk in chunks)
            sync(new)
            os.replace(new, path)
            with self.transaction():
                self.insert(kind, body, parent, blob)
                yield
        except BaseException:
            remove(new)
            remove(path)
            raise

    def end_upload(self, id, status, **changes):
        """Give an open upload its last status and free its parts; one that has ended stays as it is."""
        with self.transaction():
            upload = self.get("upload", id)
            if upload["status"] == "pending":
                self.update("upload", upload | {"status": status, **changes})
                self._free(self._execute("SELECT blob FROM records WHERE kind = 'part' AND parent = ?", id))
                self._execute("DELETE FROM records WHERE kind = 'part' AND parent = ?", id)

    def write_model(self, name, write):
        """Let `write(folder)` fill a folder that gets its final name only when complete; its blob name."""
        blob, new = f"models/{name}", self.folder / "models" / f"new-{secrets.token_hex(8)}"
        if not (self.folder / blob).exists():  # else it was written before this worker took over
            write(new)
            for path in new.iterdir():
                sync(path)
            os.replace(new, self.folder / blob)
        return blob

    def training_folder(self, job_id):
        """Where the state of a half-trained job lies."""
        return self.folder / "training" / job_id

    def clean_up(self):
        """Remove what jobs that ended early and interrupted uploads have left behind."""
        with self.transaction():
            blobs = {blob for (blob,) in self._execute("SELECT blob FROM records WHERE blob IS NOT NULL")}
            unfinished = {job["id"] for job in self.jobs_that_are(UNFINISHED)}
            for path in self.folder.glob("models/*"):
                if f"models/{path.name}" not in blobs and path.name.split(".")[0] not in unfinished:
                    remove(path)
            for path in self.folder.glob("training/*"):
                if path.name not in unfinished:
                    remove(path)
            for path in [*self.folder.glob("files/*"), *self.folder.glob("parts/*")]:
                if f"{path.parent.name}/{path.name}" not in blobs and is_old(path):
                    remove(path)

    # Jobs and the one worker

    def active_jobs(self):
        """The jobs that wait for the worker or are in its hands, oldest first."""
        return self.jobs_that_are(ACTIVE)

    def jobs_that_are(self, statuses):
        """The jobs with one of these statuses, oldest first."""
        return self.select("job", keep=lambda job: job["status"] in statuses)

    def drop_steps_after(self, job_id, step):
        """Forget the metrics of steps that will be done again."""
        later = "json_extract(body, '$.data.step') > ?"
        self._execute(f"DELETE FROM records WHERE kind = 'event' AND parent = ? AND {later}", job_id, step)

    def take_lease(self, seconds=LEASE_SECONDS):
        """A token for the one worker that this store may have, or None while another one lives."""
        with self.transaction():
            now = time.time()
            if self._execute("SELECT 1 FROM lease WHERE expires_at > ?", now).fetchone():
                return None
            token = secrets.token_hex(16)
            self._execute("REPLACE INTO lease VALUES (1, ?, ?)", token, now + seconds)
            return token

    def renew_lease(self, token):
        """Tell all others that this worker lives; raises LeaseLost if another one took over."""
        if not self.database.exists():
            raise LeaseLost(f"The store in {self.folder} is gone.")
        sql = "UPDATE lease SET expires_at = ? WHERE token = ?"
        if self._execute(sql, time.time() + LEASE_SECONDS, token).rowcount == 0:
            raise LeaseLost(f"Another worker has taken over the store in {self.folder}.")

    def end_lease(self, token):
        """Give the lease back, unless a job has come in meanwhile; True if it was given back."""
        with self.transaction():
            if self.active_jobs():
                return False
            self._execute("DELETE FROM lease WHERE token = ?", token)
            return True

    @contextmanager
    def job_in_work(self, job_id, token, statuses=ACTIVE):
        """The worker's only way to write: one transaction that yields the job and keeps its changes.

        Raises LeaseLost, JobPaused or JobStopped, before anything is written, if the job is no longer this
        worker's or has none of the `statuses`.
        """
        with self.transaction():
            self.renew_lease(token)
            job = self.get("job", job_id)
            if job["status"] not in statuses:
                raise (JobPaused if job["status"] == "paused" else JobStopped)(job_id)
            yield job
            self.update("job", job)


def remove(path):
    """Delete a file or a folder; what is in use (Windows then keeps it) is left to `clean_up`."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def is_old(path):
    """Whether a file is too old to be written at this moment by another process."""
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime > HOUR


def sync(path):
    """Wait until the bytes of a file are on the disk."""
    with open(path, "r+b") as file:
        os.fsync(file.fileno())

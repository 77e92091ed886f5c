"""What the service remembers: one SQLite file and a folder of blobs, shared by every process that opens them.

A record is the object that the client sees (a file, a job, an event, a checkpoint, a model), kept as JSON.
Big things lie beside the database: uploaded files in `files/`, pieces of them in `parts/`, weights in
`models/`, half-trained jobs in `training/`. Their names are made here, never from what a client sent.

Each record has an owner, and `seen_by` gives the store as one of them sees it. Learners who have a token each
own what they made with it; without tokens the owner is "", who sees everything.
"""

import json
import os
import secrets
import sqlite3
import threading
import time
import weakref
from contextlib import contextmanager
from copy import copy
from itertools import islice
from pathlib import Path

from .disk import is_older, remove, sync

ACTIVE = ("validating_files", "queued", "running")  # the worker has something to do
UNFINISHED = (*ACTIVE, "paused")
HOUR = 3600  # seconds
VERSION = 2  # 1 had no owners
EVERYONE = "*"  # owns the base models
VISIBLE = "(? IN ('', owner) OR owner = '*')"  # to the owner whose name takes the place of "?"
MAY_EXPIRE = "kind IN ('file', 'upload', 'request')"
IS_UNFINISHED = f"kind = 'job' AND json_extract(body, '$.status') IN {UNFINISHED}"
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS records (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of creation, finer than created_at
    kind   TEXT NOT NULL,                      -- file, upload, part, job, event, checkpoint, model, request,
                                               -- response or input_item
    id     TEXT NOT NULL UNIQUE,
    parent TEXT NOT NULL,                      -- an event's job, a part's upload, an item's response, or ''
    body   TEXT NOT NULL,                      -- the object that the client sees, as JSON
    blob   TEXT,                               -- where its bytes or weights lie, below the store's folder
    owner  TEXT NOT NULL DEFAULT ''            -- who made it
);
CREATE INDEX IF NOT EXISTS by_kind ON records (kind, parent, seq);
CREATE INDEX IF NOT EXISTS expiring ON records (json_extract(body, '$.expires_at')) WHERE {MAY_EXPIRE};
CREATE INDEX IF NOT EXISTS unfinished ON records (seq) WHERE {IS_UNFINISHED};
CREATE TABLE IF NOT EXISTS lease (one INTEGER PRIMARY KEY CHECK (one = 1), token TEXT, expires_at REAL);
"""


class StoreUnavailable(OSError):
    """The store cannot be opened; the message says where it lies and what to do."""

    def __init__(self, message):
        super().__init__(message)
        self.strerror = message  # what code that reports an OSError looks at


class Store:
    """The store in `folder`, made if it is not there. Threads and processes may share it.

    Raises StoreUnavailable if the folder cannot be written or does not hold a store of this version.
    """

    now = staticmethod(time.time)  # by which files expire; tests turn this clock forward
    owner = ""

    def __init__(self, folder):
        self.folder = Path(folder).expanduser().resolve()
        self.database = self.folder / "store.sqlite"
        self._lock = threading.RLock()
        self._freed = []  # paths of what the transaction deletes
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
        weakref.finalize(self._lock, connection.close)  # which all views of this store share
        # Readers and the writer do not wait for each other; a power cut may cost the last moments, no more.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        with connection:  # which commits, or else rolls back
            connection.execute("BEGIN IMMEDIATE")  # two processes may open an old store at once
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise sqlite3.DatabaseError(f"it is of version {version}, and this code reads {VERSION}")
            if version == 1:
                connection.execute("ALTER TABLE records ADD COLUMN owner TEXT NOT NULL DEFAULT ''")
            for statement in SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        return connection

    def seen_by(self, owner):
        """This store as `owner` sees it: what others made is not there, what is made belongs to the owner."""
        view = copy(self)
        view.owner = owner
        return view

    @contextmanager
    def transaction(self):
        """All writes inside happen together or not at all; the outermost of nested ones counts."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._freed.clear()
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            for path in self._freed:
                remove(path)

    def execute(self, sql, *values):
        """The cursor of one statement."""
        with self._lock:
            return self._connection.execute(sql, values)

    # Records

    def insert(self, kind, body, parent="", blob=None):
        """Keep a new object; its `id` must be new."""
        values = (kind, body["id"], parent, json.dumps(body), blob, self.owner)
        columns = "kind, id, parent, body, blob, owner"
        self.execute(f"INSERT INTO records ({columns}) VALUES (?, ?, ?, ?, ?, ?)", *values)

    def get(self, kind, id):
        """The object, or None."""
        body = self._column("body", kind, id)
        return body and json.loads(body)

    def path(self, kind, id):
        """Where the bytes or weights of an object lie, or None if there are none."""
        blob = self._column("blob", kind, id)
        return blob and self.folder / blob

    def owner_of(self, kind, id):
        """Who made an object."""
        return self._column("owner", kind, id)

    def _column(self, column, kind, id):
        sql = f"SELECT {column} FROM records WHERE kind = ? AND id = ? AND {VISIBLE}"
        row = self.execute(sql, kind, id, self.owner).fetchone()
        return row and row[0]

    def update(self, kind, body):
        """Replace an object by its new state."""
        sql = f"UPDATE records SET body = ? WHERE kind = ? AND id = ? AND {VISIBLE}"
        self.execute(sql, json.dumps(body), kind, body["id"], self.owner)

    def delete(self, kind, id):
        """Remove an object and free what it took on the disk."""
        self._delete("kind = ? AND id = ?", kind, id)

    def _delete(self, which, *values):
        with self.transaction():
            them, values = f"FROM records WHERE {which} AND {VISIBLE}", (*values, self.owner)
            blobs = self.execute(f"SELECT blob {them}", *values).fetchall()
            self.execute(f"DELETE {them}", *values)
            # Not before the deletion is certain, so that no object is ever without its bytes.
            self._freed += [self.folder / blob for (blob,) in blobs if blob]

    def drop_expired(self):
        """Forget all files and requests whose `expires_at` has come; an upload that is still open closes."""
        expired = (
            f"records INDEXED BY expiring WHERE {MAY_EXPIRE} AND json_extract(body, '$.expires_at') <= ?"
        )
        ended = "coalesce(json_extract(body, '$.status'), '') IN ('completed', 'cancelled', 'expired')"
        sql = f"SELECT kind, id FROM {expired} AND NOT {ended} AND {VISIBLE}"
        rows = self.execute(sql, self.now(), self.owner)
        for kind, id in rows.fetchall():
            if kind == "upload":
                self.end_upload(id, "expired")
            else:
                self.delete(kind, id)

    def select(self, kind, *, parent="", after=None, newest_first=False, keep=lambda body: True, limit=None):
        """The first `limit` objects behind the object `after` that `keep` accepts, in order of creation."""
        order, side = ("DESC", "<") if newest_first else ("ASC", ">")
        sql = f"SELECT body FROM records WHERE kind = ? AND parent = ? AND {VISIBLE}"
        values = [kind, parent, self.owner]
        if after is not None:
            sql += f" AND seq {side} (SELECT seq FROM records WHERE kind = ? AND id = ?)"
            values += [kind, after]
        with self._lock:
            rows = self.execute(f"{sql} ORDER BY seq {order}", *values)
            return list(islice(filter(keep, (json.loads(body) for (body,) in rows)), limit))

    def register_base_model(self, body, folder):
        """Make a model that lies outside the store known under its name; a moved folder is noted."""
        self.execute(
            "INSERT INTO records (kind, id, parent, body, blob, owner) VALUES ('model', ?, '', ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET blob = excluded.blob, owner = excluded.owner",
            *(body["id"], json.dumps(body), str(folder), EVERYONE),
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
                self._delete("kind = 'part' AND parent = ?", id)

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
            blobs = {blob for (blob,) in self.execute("SELECT blob FROM records WHERE blob IS NOT NULL")}
            unfinished = {job["id"] for job in self.jobs_that_are(UNFINISHED)}
            for path in self.folder.glob("models/*"):
                if f"models/{path.name}" not in blobs and path.name.split(".")[0] not in unfinished:
                    remove(path)
            for path in self.folder.glob("training/*"):
                if path.name not in unfinished:
                    remove(path)
            for path in [*self.folder.glob("files/*"), *self.folder.glob("parts/*")]:
                if f"{path.parent.name}/{path.name}" not in blobs and is_older(path, HOUR):
                    remove(path)

    # Jobs

    def active_jobs(self):
        """The jobs that wait for the worker or are in its hands, oldest first."""
        return self.jobs_that_are(ACTIVE)

    def jobs_that_are(self, statuses):
        """The jobs with one of these statuses, all of them UNFINISHED, oldest first."""
        unfinished = f"FROM records INDEXED BY unfinished WHERE {IS_UNFINISHED}"
        rows = self.execute(f"SELECT body {unfinished} AND {VISIBLE} ORDER BY seq", self.owner)
        jobs = [json.loads(body) for (body,) in rows.fetchall()]
        return [job for job in jobs if job["status"] in statuses]

    def drop_steps_after(self, job_id, step):
        """Forget the metrics of steps that will be done again."""
        later = "json_extract(body, '$.data.step') > ?"
        self.execute(f"DELETE FROM records WHERE kind = 'event' AND parent = ? AND {later}", job_id, step)

"""The lease: which process may train the jobs of a store, and the only way in which it may write."""

import secrets
import time
from contextlib import contextmanager

from .store import ACTIVE

LEASE_SECONDS = 5


class LeaseLost(Exception):
    """Another worker has taken over: write nothing more."""


class JobStopped(Exception):
    """The job was cancelled in the meantime."""


class JobPaused(JobStopped):
    """The job was paused in the meantime; it will go on some day."""


class Lease:
    """The right of the one worker that a store may have; `token` proves it, also in another process."""

    def __init__(self, store, token):
        self.store, self.token = store, token

    @classmethod
    def take(cls, store, seconds=LEASE_SECONDS):
        """The Lease for so long, or None while another worker lives."""
        with store.transaction():
            now = time.time()
            if store.execute("SELECT 1 FROM lease WHERE expires_at > ?", now).fetchone():
                return None
            lease = cls(store, secrets.token_hex(16))
            store.execute("REPLACE INTO lease VALUES (1, ?, ?)", lease.token, now + seconds)
            return lease

    def renew(self):
        """Tell all others that this worker lives; raises LeaseLost if another one took over."""
        if not self.store.database.exists():
            raise LeaseLost(f"The store in {self.store.folder} is gone.")
        sql = "UPDATE lease SET expires_at = ? WHERE token = ?"
        if self.store.execute(sql, time.time() + LEASE_SECONDS, self.token).rowcount == 0:
            raise LeaseLost(f"Another worker has taken over the store in {self.store.folder}.")

    def end(self):
        """Give the lease back, unless a job has come in meanwhile; True if it was given back."""
        with self.store.transaction():
            if self.store.active_jobs():
                return False
            self.store.execute("DELETE FROM lease WHERE token = ?", self.token)
            return True

    @contextmanager
    def job_in_work(self, job_id, statuses=ACTIVE):
        """The worker's only way to write: one transaction that yields the job and keeps its changes.

        Raises LeaseLost, JobPaused or JobStopped, before anything is written, if the job is no longer this
        worker's or has none of the `statuses`.
        """
        with self.store.transaction():
            self.renew()
            job = self.store.get("job", job_id)
            if job["status"] not in statuses:
                raise (JobPaused if job["status"] == "paused" else JobStopped)(job_id)
            yield job
            self.store.update("job", job)

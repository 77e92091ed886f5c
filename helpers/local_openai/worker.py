"""The process that trains: it takes one job after the other and writes down how far it is.

    python -m helpers.local_openai.worker --store DIR

One worker at a time holds the store's lease and renews it while it lives. If it dies, the lease expires, the
next request starts another one, and that goes on from the last saved state with the same result.
"""

import argparse
import logging
import sqlite3
import sys
import threading
import time
import traceback
from contextlib import suppress
from functools import partial

from .lease import JobStopped, Lease, LeaseLost
from .simulate import SimulatedFailure, must_wait
from .stages import TooManyStarts, fail, train, validate
from .store import Store
from .training import TrainingDiverged
from .training_file import TrainingFileError

IDLE_SECONDS = 20
HEARTBEAT_SECONDS = 1
log = logging.getLogger("worker")


def main():
    """Work on the jobs of a store until none has come in for a while."""
    parser = argparse.ArgumentParser(prog="python -m helpers.local_openai.worker", description=__doc__)
    parser.add_argument("--store", required=True, help="the folder of the service's store")
    parser.add_argument("--lease", help="the lease that was taken for this process")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    store = Store(arguments.store)
    lease = Lease(store, arguments.lease) if arguments.lease else Lease.take(store)
    if lease is None:
        sys.exit(f"Another worker is at work on {store.folder}.")
    try:
        work(lease)
    except LeaseLost as reason:
        log.info("%s", reason)


def work(lease):
    """Finish all jobs, and those that come in meanwhile; raises LeaseLost if another worker took over."""
    threading.Thread(target=stay_alive, args=(lease,), daemon=True).start()
    lease.store.clean_up()
    turns, idle_since = {}, time.monotonic()
    while time.monotonic() - idle_since < IDLE_SECONDS or not lease.end():
        job = next_job(lease.store, turns)
        if job is None:
            time.sleep(0.1)
            lease.renew()
            continue
        with suppress(JobStopped):
            work_on(lease, job)
        if lease.store.get("job", job["id"])["status"] in ("failed", "cancelled"):
            lease.store.clean_up()  # looks at everything in the store, so it is not done after each job
        idle_since = time.monotonic()


def stay_alive(lease):
    """Renew the lease, also while a long step runs, until it is lost or the store is gone."""
    with suppress(LeaseLost, sqlite3.Error):
        while True:
            lease.renew()
            time.sleep(HEARTBEAT_SECONDS)


def next_job(store, turns):
    """The job to work on; `turns` is {owner: the number of their last turn}, and is kept up to date.

    New files are checked first: mistakes are told while others wait. Then owners take turns, so that one who
    starts many jobs does not keep all others waiting; the oldest job of an owner comes first.
    """
    jobs = [job for job in store.active_jobs() if not must_wait(job)]
    new = [job for job in jobs if job["status"] == "validating_files"]
    owners = {job["id"]: store.owner_of("job", job["id"]) for job in new or jobs}
    job = min(new or jobs, key=lambda job: turns.get(owners[job["id"]], 0), default=None)
    if job and not new:
        turns[owners[job["id"]]] = max(turns.values(), default=0) + 1
    return job


def work_on(lease, job):
    """Bring a job one stage further: from new to queued, or from queued to its end."""
    lease.store.drop_expired()
    store = lease.store.seen_by(lease.store.owner_of("job", job["id"]))  # who also owns what the job makes
    write = partial(lease.job_in_work, job["id"])
    stage = validate if job["status"] == "validating_files" else train
    log.info("%s: %s", job["id"], stage.__name__)
    try:
        stage(store, job, write)
    except (LeaseLost, JobStopped):
        raise
    except TrainingFileError as error:
        fail(store, write, error.code, str(error), error.param)
    except TrainingDiverged as error:
        fail(store, write, "training_diverged", str(error), "learning_rate_multiplier")
    except TooManyStarts as error:
        fail(store, write, "server_error", str(error), "batch_size")
    except SimulatedFailure as error:
        fail(store, write, "server_error", str(error), None)
    except Exception as error:  # a bug or a full disk ends this job, not the worker
        frames = "".join(traceback.format_tb(error.__traceback__))
        log.error("%s: %s\n%s", job["id"], type(error).__name__, frames)
        message = f"The worker failed with {type(error).__name__}: {error}. See worker.log in {store.folder}."
        fail(store, write, "server_error", message, None)


if __name__ == "__main__":
    main()

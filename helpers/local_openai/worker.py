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

from .simulate import SimulatedFailure, must_wait
from .stages import TooManyStarts, fail, train, validate
from .store import JobStopped, LeaseLost, Store
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
    token = arguments.lease or store.take_lease()
    if token is None:
        sys.exit(f"Another worker is at work on {store.folder}.")
    try:
        work(store, token)
    except LeaseLost as reason:
        log.info("%s", reason)


def work(store, token):
    """Finish all jobs, and those that come in meanwhile; raises LeaseLost if another worker took over."""
    threading.Thread(target=stay_alive, args=(store, token), daemon=True).start()
    store.clean_up()
    idle_since = time.monotonic()
    while time.monotonic() - idle_since < IDLE_SECONDS or not store.end_lease(token):
        job = next_job(store)
        if job is None:
            time.sleep(0.1)
            store.renew_lease(token)
            continue
        with suppress(JobStopped):
            work_on(store, token, job)
        store.clean_up()
        idle_since = time.monotonic()


def stay_alive(store, token):
    """Renew the lease, also while a long step runs, until it is lost or the store is gone."""
    with suppress(LeaseLost, sqlite3.Error):
        while True:
            store.renew_lease(token)
            time.sleep(HEARTBEAT_SECONDS)


def next_job(store):
    """The oldest job, but new files are checked first: mistakes are told while others wait."""
    jobs = [job for job in store.active_jobs() if not must_wait(job)]
    return next((job for job in jobs if job["status"] == "validating_files"), jobs[0] if jobs else None)


def work_on(store, token, job):
    """Bring a job one stage further: from new to queued, or from queued to its end."""
    store.drop_expired()
    write = partial(store.job_in_work, job["id"], token)
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

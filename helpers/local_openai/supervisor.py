"""Starting the worker process when a job waits and no worker lives."""

import os
import subprocess
import sys
import threading

from . import ROOT
from .lease import Lease

# For a model this small a second thread saves a fifth of the time on an idle machine and makes everything ten
# times slower on a busy one. The number is always the same, so that a job always gives the same weights.
THREADS = 1
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
SECONDS_TO_START = 20  # until a new worker must have taken over the lease that was made for it
MAX_LOG = 2**20


def ensure_worker(store):
    """Start a worker for `store` if a job waits and none is alive."""
    if not store.active_jobs():
        return
    lease = Lease.take(store, SECONDS_TO_START)
    if lease:
        start_worker(lease)


def start_worker(lease):
    """Start the process that holds the lease; it outlives ours, which may be a notebook's kernel."""
    folder = lease.store.folder
    log = folder / "worker.log"
    if log.exists() and log.stat().st_size > MAX_LOG:
        log.write_bytes(b"")
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "helpers.local_openai.worker", "--store", folder, "--lease", lease.token],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **detached(),
        )
    threading.Thread(target=process.wait, daemon=True).start()  # else a dead worker stays as a zombie


def environment():
    """Our environment, with the project on the import path and the number of threads for numpy."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(THREADS)), "PYTHONPATH": path}


def detached():
    """The arguments that keep a process alive when the kernel is interrupted or restarted."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}

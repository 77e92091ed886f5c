"""What is left when a process is killed (SIGKILL; TerminateProcess on Windows) at a random moment.

    python tests/benchmarks/kill_points.py [--points 200] [--seed 1]

Each point has a store of its own and a toy model. A service process is killed while it uploads a file, takes
a part, completes an upload, creates a job, deletes a file or a model; a worker is killed at any moment, while
it writes a checkpoint, finishes, or puts a paused job aside. Then a fresh service and a fresh worker must
find: everything that was answered, with the right bytes; nothing half (what was not answered is there as a
whole or not at all); no job trained twice; final weights equal, bit for bit, to those of an undisturbed run.
Prints a table and exits with 1 if anything was lost. A lease is taken to have run out at once after a kill.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from itertools import cycle, islice
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "local_openai")]

import httpx2  # noqa: E402
import openai  # noqa: E402
from desk import example, jsonl, supervised  # noqa: E402
from toy import make_toy_folder  # noqa: E402

from helpers import local_openai  # noqa: E402
from helpers.local_openai import stages, supervisor, worker  # noqa: E402
from helpers.local_openai.lease import Lease, LeaseLost  # noqa: E402
from helpers.local_openai.objects import new_model  # noqa: E402
from helpers.local_openai.store import Store  # noqa: E402

# A forkserver has imported everything; where there is none (Windows), each process does so itself.
CONTEXT = get_context("forkserver" if "forkserver" in get_all_start_methods() else "spawn")
CONTENT = jsonl(example(i % 10) for i in range(20))
LARGE = jsonl(example(i) for i in range(5000))
METHOD = supervised(n_epochs=8, batch_size=2)
STEPS = 80
OUTCOMES = ("answered", "whole", "no trace", "lost")
IN_SERVICE = ("upload", "part", "complete", "create", "delete file", "delete model")
IN_WORKER = ("any moment", "checkpoint", "finish", "pause")


class Lost(Exception):
    """What must not happen; the message says what it was."""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return report(kill(options.points, options.seed, Path(folder)))


def report(results):
    """Print the table; 1 if anything was lost, else 0."""
    print(
        f"{'killed during':16}{'points':>8}{'answered':>10}{'kept whole':>12}{'left no trace':>15}{'lost':>6}"
    )
    for moment in (*IN_SERVICE, *IN_WORKER):
        counts = Counter(outcome for each, outcome, _ in results if each == moment)
        columns = [counts[name] for name in ("answered", "whole", "no trace", "lost")]
        print(f"{moment:16}{sum(columns):8}{columns[0]:10}{columns[1]:12}{columns[2]:15}{columns[3]:6}")
    losses = [f"{moment}: {reason}" for moment, outcome, reason in results if outcome == "lost"]
    print(f"{len(results)} points, {len(losses)} losses", *losses, sep="\n")
    return 1 if losses else 0


def kill(points, seed, folder):
    """[(moment, outcome, reason)] of so many points, the moments in turn."""
    bench = Bench(folder, random.Random(seed))
    try:
        return [bench.point(moment) for moment in islice(cycle((*IN_SERVICE, *IN_WORKER)), points)]
    finally:
        bench.stop_worker()


class Bench:
    """The toy model, what an undisturbed job makes of it, and processes that are ready to be killed."""

    def __init__(self, folder, rng):
        self.folder, self.rng = folder, rng
        self.toy = make_toy_folder(folder / "toy")
        local_openai.BASE_MODELS = {"tiny-chat": self.toy}
        supervisor.start_worker = self.start_worker
        self.worker, self.held = None, False
        self.new_store()
        began = time.monotonic()
        client = self.connect()
        job = new_job(client)
        self.finish(client, job.id)
        self.weights, self.seconds = weights(self.store), {"any moment": time.monotonic() - began}
        for moment in IN_SERVICE:
            self.seconds[moment] = self.in_service(moment, None)

    def new_store(self):
        self.stop_worker()
        if hasattr(self, "store"):
            shutil.rmtree(self.store, ignore_errors=True)
        self.store = Path(tempfile.mkdtemp(dir=self.folder))

    # Processes

    def start_worker(self, lease):
        """Instead of supervisor's: the worker that this bench can kill."""
        if not self.held:
            self.worker = Killable(be_worker, str(lease.store.folder), lease.token, self.toy)

    def stop_worker(self):
        if self.worker:
            self.worker.kill()
            self.worker = None

    def connect(self):
        """A client of a fresh service on the store, whose lease is free."""
        if (self.store / "store.sqlite").exists() and self.worker is None:
            Store(self.store).execute("DELETE FROM lease")
        return connect(self.store)

    def finish(self, client, job_id):
        """The job when it has ended, with a new worker for each that has died."""
        deadline = time.monotonic() + 120
        while (job := client.fine_tuning.jobs.retrieve(job_id)).finished_at is None:
            if time.monotonic() > deadline:
                raise Lost(f"{job_id} is still {job.status}")
            time.sleep(0.02)
        return job

    # Points

    def point(self, moment):
        """(moment, outcome, reason) of one kill."""
        self.new_store()
        why = ""
        try:
            seconds = self.rng.uniform(0, 1.1 * self.seconds.get(moment, 0))
            if moment in IN_SERVICE:
                outcome = self.in_service(moment, seconds)
            else:
                outcome = self.in_worker(moment, seconds)
            self.examine()
        except Lost as reason:
            outcome, why = "lost", str(reason)
        print(f"{time.strftime('%X')} {moment}: {outcome} {why}", file=sys.stderr, flush=True)
        return moment, outcome, why

    def in_service(self, moment, seconds):
        """Kill a service so many seconds after it began; None gives the seconds that it takes undisturbed."""
        self.new_store()
        self.held = True  # no worker yet
        service = Killable(be_service, str(self.store), moment, self.toy)
        before, began = service.hear(), time.monotonic()
        if seconds is None:
            service.hear()
            took = time.monotonic() - began
        else:
            time.sleep(seconds)
        service.kill()
        self.held = False
        if seconds is None:
            return took
        return CHECKS[moment](self, self.connect(), before, service.last_words())

    def in_worker(self, moment, seconds):
        """Kill the worker, up to three times, in the course of one job."""
        client = self.connect()
        job = new_job(client)
        times = self.rng.choice([1, 1, 2, 3])
        for _ in range(times):
            self.await_moment(client, job, moment, seconds)
            self.stop_worker()
            client = self.connect()
            if moment == "pause" and client.fine_tuning.jobs.retrieve(job.id).status == "paused":
                client.fine_tuning.jobs.resume(job.id)
        self.check_job(client, job.id)
        return "answered"

    def await_moment(self, client, job, moment, seconds):
        """Wait until the worker is where it is to be killed."""
        if moment == "any moment":
            return time.sleep(seconds)
        deadline = time.monotonic() + 60
        while not self.has_come(client, job, moment) and time.monotonic() < deadline:
            time.sleep(0.003)
        if moment == "pause" and client.fine_tuning.jobs.retrieve(job.id).status == "running":
            client.fine_tuning.jobs.pause(job.id)
        time.sleep(self.rng.uniform(0, 0.06))

    def has_come(self, client, job, moment):
        if client.fine_tuning.jobs.retrieve(job.id).finished_at:
            return True
        if moment == "checkpoint":
            return any((self.store / "models").iterdir())
        step = max([0, *steps(client, job.id)])
        return step >= (STEPS - 12 if moment == "finish" else self.rng.randint(1, STEPS // 2))

    # What must be found

    def check_job(self, client, job_id):
        """The job ends as an undisturbed one."""
        job = self.finish(client, job_id)
        if job.status != "succeeded":
            raise Lost(f"the job ended as {job.status}: {job.error.message}")
        told = [event.message for event in client.fine_tuning.jobs.list_events(job_id, limit=1000)]
        if steps(client, job_id) != list(range(1, STEPS + 1)) or told.count("Fine-tuning job started") != 1:
            raise Lost("steps are missing or were told twice")
        if len(client.fine_tuning.jobs.checkpoints.list(job_id).data) != 3:
            raise Lost("not three checkpoints")
        if len(client.files.content(job.result_files[0]).text.splitlines()) != STEPS + 1:
            raise Lost("the result file is not whole")
        if weights(self.store) != self.weights:
            raise Lost("the weights differ from those of an undisturbed run")

    def check_file(self, client, file_id, content):
        if client.files.content(file_id).read() != content:
            raise Lost(f"{file_id} has other bytes")

    def examine(self):
        """The database is sound, each object has its bytes, and cleaning up leaves nothing else."""
        store = Store(self.store)
        if store.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise Lost("the database is damaged")
        known = {blob for (blob,) in store.execute("SELECT blob FROM records WHERE blob IS NOT NULL")}
        known.discard(str(self.toy))
        missing = [blob for blob in known if not (self.store / blob).exists()]
        if missing:
            raise Lost(f"no bytes of {missing}")
        self.stop_worker()
        age = time.time
        time.time = lambda: age() + 7200
        try:
            store.clean_up()
        finally:
            time.time = age
        there = {f"{path.parent.name}/{path.name}" for part in ("files", "parts", "models")
                 for path in (self.store / part).iterdir()}  # fmt: skip
        if there != known:
            raise Lost(f"left over: {there - known}")


# What is checked after the service was killed in the middle of something. `before` is what it had answered by
# then, `answer` what it answered to the request itself, or None if it was killed before.


def whole_or_gone(answer, there):
    if answer is not None and not there:
        raise Lost(f"it was answered, and is gone: {answer}")
    return "answered" if answer is not None else "whole" if there else "no trace"


def check_upload(bench, client, before, answer):
    files = [file.id for file in client.files.list()]
    for file_id in files:
        bench.check_file(client, file_id, LARGE)
    return whole_or_gone(answer, answer in files if answer else files)


def check_part(bench, client, before, answer):
    parts = [part["id"] for part in Store(bench.store).select("part", parent=before["upload"])]
    outcome = whole_or_gone(answer, answer in parts if answer else len(parts) > 1)
    second = parts[1] if len(parts) > 1 else add_part(client, before["upload"], LARGE[1000:])
    done = client.uploads.complete(before["upload"], part_ids=[before["part"], second])
    bench.check_file(client, done.file.id, LARGE)
    return outcome


def check_complete(bench, client, before, answer):
    files = [file.id for file in client.files.list()]
    outcome = whole_or_gone(answer, files)
    if not files:
        files = [client.uploads.complete(before["upload"], part_ids=before["parts"]).file.id]
    (file,) = files
    bench.check_file(client, file, LARGE)
    return outcome


def check_create(bench, client, before, answer):
    jobs = [job.id for job in client.fine_tuning.jobs.list()]
    outcome = whole_or_gone(answer, answer in jobs if answer else jobs)
    bench.check_file(client, before["file"], CONTENT)
    for job in jobs:
        bench.check_job(client, job)
    return outcome


def check_delete(kind):
    def check(bench, client, before, answer):
        there = [each.id for each in getattr(client, kind).list() if each.id in before["all"]]
        gone = before["deleted"] not in there
        if sorted([*there, *([before["deleted"]] if gone else [])]) != sorted(before["all"]):
            raise Lost("something else is gone")
        if answer and not gone:
            raise Lost("what was deleted is back")
        for each in there:
            if kind == "files":
                bench.check_file(client, each, LARGE)
            else:
                message = {"role": "user", "content": "Hi"}
                client.chat.completions.create(model=each, messages=[message], max_completion_tokens=1)
        return "answered" if answer else "no trace" if gone else "whole"

    return check


CHECKS = {
    "upload": check_upload,
    "part": check_part,
    "complete": check_complete,
    "create": check_create,
    "delete file": check_delete("files"),
    "delete model": check_delete("models"),
}


# The processes that are killed


class Killable:
    """A process that may tell us something before it is killed."""

    def __init__(self, role, *orders):
        self.pipe, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=role, args=(*orders, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def hear(self):
        return self.pipe.recv()

    def kill(self):
        self.process.kill()
        self.process.join()

    def last_words(self):
        """What it had told us when it died, or None."""
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            return None


def be_worker(store, token, toy, pipe):
    """The worker, with states so often that a short job has many."""
    stages.SECONDS_PER_WRITE, stages.SECONDS_PER_STATE = 0.01, 0.03
    with suppress(LeaseLost):  # a slow start: another one has taken over
        worker.work(Lease(Store(store), token))


def be_service(store, moment, toy, pipe):
    """A service that does one thing: tells what was there before, then what was answered."""
    local_openai.BASE_MODELS = {"tiny-chat": toy}
    supervisor.start_worker = lambda lease: None
    before, action = ACTIONS[moment](connect(store), Store(store))
    pipe.send(before)
    pipe.send(action())
    time.sleep(60)


def connect(store):
    transport = httpx2.WSGITransport(app=local_openai.start(store))
    http_client = openai.DefaultHttpx2Client(transport=transport)
    return openai.OpenAI(base_url="http://local/v1", api_key="local", http_client=http_client, max_retries=0)


def upload(client, content):
    return client.files.create(file=("train.jsonl", content), purpose="fine-tune").id


def new_job(client, file=None):
    file = file or upload(client, CONTENT)
    return client.fine_tuning.jobs.create(model="tiny-chat", training_file=file, seed=5, method=METHOD)


def new_upload(client):
    names = {"filename": "train.jsonl", "mime_type": "application/jsonl", "purpose": "fine-tune"}
    return client.uploads.create(bytes=len(LARGE), **names).id


def add_part(client, upload, data):
    return client.uploads.parts.create(upload, data=data).id


# Each gives what was there before, and what is then done.


def uploading(client, store):
    return {}, lambda: upload(client, LARGE)


def adding_a_part(client, store):
    upload = new_upload(client)
    before = {"upload": upload, "part": add_part(client, upload, LARGE[:1000])}
    return before, lambda: add_part(client, upload, LARGE[1000:])


def completing(client, store):
    upload = new_upload(client)
    parts = [add_part(client, upload, LARGE[:1000]), add_part(client, upload, LARGE[1000:])]
    return {"upload": upload, "parts": parts}, lambda: client.uploads.complete(upload, part_ids=parts).id


def creating(client, store):
    file = upload(client, CONTENT)
    return {"file": file}, lambda: new_job(client, file).id


def deleting_a_file(client, store):
    files = [upload(client, LARGE) for _ in range(2)]
    return {"all": files, "deleted": files[0]}, lambda: client.files.delete(files[0]).id


def deleting_a_model(client, store):
    names = ["ft:tiny-chat:personal::aaaaaaaa", "ft:tiny-chat:personal::bbbbbbbb"]
    for i, name in enumerate(names):
        fill = partial(shutil.copytree, store.path("model", "tiny-chat"))
        store.insert("model", new_model(name), blob=store.write_model(f"job.step-{i}", fill))
    return {"all": names, "deleted": names[0]}, lambda: client.models.delete(names[0]).id


ACTIONS = {
    "upload": uploading,
    "part": adding_a_part,
    "complete": completing,
    "create": creating,
    "delete file": deleting_a_file,
    "delete model": deleting_a_model,
}


def steps(client, job_id):
    """The steps that the job has told of, in order."""
    told = list(client.fine_tuning.jobs.list_events(job_id, limit=1000))[::-1]
    return [event.data["step"] for event in told if event.type == "metrics"]


def weights(store):
    """The bytes of all weights in the order of their steps."""
    folders = sorted((store / "models").iterdir(), key=lambda folder: int(folder.name.split("-")[-1]))
    return [(folder / "model.safetensors").read_bytes() for folder in folders]


if __name__ == "__main__":
    sys.exit(main())

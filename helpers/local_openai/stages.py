"""The life of a fine-tuning job: its files are checked, then it is trained, then its models appear.

`write` is the worker's only way to change anything: each `with write() as job:` is one transaction, which
raises JobStopped if the job was cancelled, JobPaused if it was paused, LeaseLost if another worker took over.
"""

import shutil
import time

from .chat_format import ChatFormat
from .disk import remove
from .lease import JobPaused
from .model import load_model, save_model
from .objects import (
    FILES_VALIDATED,
    method_of,
    new_checkpoint,
    new_event,
    new_file,
    new_model,
    result_csv,
    set_hyperparameters,
    step_event,
    tuned_name,
)
from .preference import Preference
from .simulate import SimulatedFailure, fail_after_first_epoch
from .store import UNFINISHED
from .supervised import Supervised
from .training import Trainer, TrainingDiverged, auto_hyperparameters
from .training_file import TrainingFileError, check_size, read_examples

CHECKPOINTS = 3  # epochs whose weights are kept, counted from the last
SECONDS_PER_WRITE = 0.1  # also how soon a cancelled or paused job stops
SECONDS_PER_STATE = 1  # what a killed worker loses at most
MAX_STARTS = 5  # of one job, before it is given up


class TooManyStarts(Exception):
    """Workers have died of this job."""


class Every:
    """A clock that is due once every so many seconds."""

    def __init__(self, seconds):
        self.seconds, self.last = seconds, time.monotonic()

    def due(self):
        """True if the time is up, which then starts anew."""
        if time.monotonic() - self.last < self.seconds:
            return False
        self.last = time.monotonic()
        return True


def validate(store, job, write):
    """Read the job's files to their ends and put it in the queue; raises TrainingFileError."""
    model, (method, asked) = load_model(model_folder(store, job)), method_of(job)
    n_examples = count(paced(read(store, job, "training_file", model), write))
    check_size(n_examples)
    count(paced(read(store, job, "validation_file", model), write))
    given = {name: value for name, value in asked.items() if value != "auto"}
    with write() as job:
        job["status"] = "queued"
        set_hyperparameters(job, method, auto_hyperparameters(n_examples, method) | given)
        tell(store, job, FILES_VALIDATED, data={})


def train(store, job, write):
    """Train the job, or go on where a worker that died had saved it, and publish its models."""
    state = store.training_folder(job["id"])
    count_start(state)
    trainer = new_trainer(store, job, write)
    if trainer.has_state(state):
        trainer.load_state(state)
    with write() as job:
        store.drop_steps_after(job["id"], trainer.step)
        if job["status"] == "queued":
            job["status"] = "running"
            if trainer.step == 0:  # else it was paused
                tell(store, job, "Fine-tuning job started")
    try:
        run_steps(store, job, trainer, state, write)
        publish(store, job, trainer, write)
        remove(state)
    except JobPaused:
        (state / "starts").unlink()  # this start did no harm
        raise


def new_trainer(store, job, write):
    """The Trainer of a job, before its first step."""
    model, (method, settings) = load_model(model_folder(store, job)), method_of(job)
    numbers = {name: value for name, value in settings.items() if name != "beta"}
    objective = Preference(settings["beta"]) if method == "dpo" else Supervised()
    examples, validation = (
        list(paced(objective.prepared(model, read(store, job, param, model)), write))
        for param in ("training_file", "validation_file")
    )
    return Trainer(model, examples, **numbers, seed=job["seed"], validation=validation, objective=objective)


def count_start(state):
    """Raises TooManyStarts if the job has killed several workers already."""
    state.mkdir(exist_ok=True)
    with open(state / "starts", "ab") as starts:
        starts.write(b".")
    if (state / "starts").stat().st_size > MAX_STARTS:
        reason = f"The training was broken off {MAX_STARTS} times, perhaps because the memory was used up."
        raise TooManyStarts(f"{reason} Start a new job with a smaller batch_size.")


def model_folder(store, job):
    """Where the weights lie that the job starts from."""
    folder = store.path("model", job["model"])
    if folder is None:
        message = f"The model {job['model']} was deleted before the job could use it. Start from another."
        raise TrainingFileError("model_not_available", message, "model")
    return folder


def read(store, job, param, model):
    """Yield the examples of the job's training_file or validation_file; none if it has no such file."""
    if job[param] is None:
        return
    path = store.path("file", job[param])
    if path is None:
        message = f"{job[param]} was deleted before the job could use it. Upload it again for a new job."
        raise TrainingFileError(f"invalid_{param}", message, param)
    chat_format, limit = ChatFormat(model_folder(store, job)), model.config.max_position_embeddings
    yield from read_examples(path, param, chat_format, limit, method_of(job)[0])


def count(examples):
    """How many there are; none is kept, so that a large file needs no more memory than a small one."""
    return sum(1 for _ in examples)


def paced(examples, write):
    """The examples one by one; a job that is cancelled meanwhile stops soon."""
    pace = Every(SECONDS_PER_WRITE)
    for example in examples:
        yield example
        if pace.due():
            with write():  # raises JobStopped
                pass


def run_steps(store, job, trainer, state, write):
    """Train to the end; saves weights of the last epochs and, every now and then, the state to go on from."""
    events, writing, saving = [], Every(SECONDS_PER_WRITE), Every(SECONDS_PER_STATE)
    started, first = time.time(), trainer.step
    while trainer.step < trainer.total_steps:
        take_step(store, job, trainer, events, write)
        save, keep = saving.due(), trainer.step in kept_steps(trainer)
        if not (save or keep or writing.due()):
            continue
        seconds = (time.time() - started) / (trainer.step - first)
        finish = time.time() + seconds * (trainer.total_steps - trainer.step)
        paused = note_steps(store, events, write, round(finish))
        events = []
        if keep:
            save_weights(store, job, trainer)
        if save or paused:  # after weights and events, so that nothing before this step is missing later
            trainer.save_state(state)
        if paused:
            raise JobPaused(job["id"])


def take_step(store, job, trainer, events, write):
    """Train one step and add its event to those that are not written yet."""
    try:
        events.append(step_event(trainer.run_step()))
        fail_after_first_epoch(job, trainer)
    except (TrainingDiverged, SimulatedFailure):
        note(store, events, write)
        raise


def note_steps(store, events, write, finish):
    """Write down the steps, also those of a job that was paused after them; True if it was."""
    with write(UNFINISHED) as job:
        for event in events:
            store.insert("event", event, job["id"])
        paused = job["status"] == "paused"
        if not paused:  # one that was paused and resumed meanwhile is "queued"
            job |= {"status": "running", "estimated_finish": finish}
    return paused


def note(store, events, write):
    """Write down the events, and see whether the job is to go on."""
    with write() as job:
        for event in events:
            store.insert("event", event, job["id"])


def tell(store, job, message, **details):
    """Add an event to the job; inside of `write`."""
    store.insert("event", new_event(message, **details), job["id"])


def kept_steps(trainer):
    """The last steps of the last epochs."""
    return range(trainer.steps_per_epoch, trainer.total_steps + 1, trainer.steps_per_epoch)[-CHECKPOINTS:]


def save_weights(store, job, trainer):
    """Write a model folder that the ecosystem's tools can open, tokenizer included."""

    def fill(folder):
        """Write weights and tokenizer into the folder of the new model."""
        save_model(trainer.model, folder)
        for path in model_folder(store, job).glob("tokenizer*.json"):
            shutil.copy(path, folder)

    store.write_model(weights_name(job, trainer.step), fill)


def weights_name(job, step):
    """The folder of the weights after `step`."""
    return f"{job['id']}.step-{step}"


def publish(store, job, trainer, write):
    """All at once: the models, the checkpoints, the result file, and the job's success."""
    steps = store.select("event", parent=job["id"], keep=lambda event: event["type"] == "metrics")
    metrics = {event["data"]["step"]: event["data"] for event in steps}
    with write() as job:
        job["fine_tuned_model"] = tuned_name(job)
        for step in kept_steps(trainer):
            last = step == trainer.total_steps
            model = new_model(job["fine_tuned_model"] if last else tuned_name(job, step))
            store.insert("model", model, blob=f"models/{weights_name(job, step)}")
            store.insert("checkpoint", new_checkpoint(job, model, metrics[step]), job["id"])
            if not last:
                message = f"Checkpoint created at step {step} with Snapshot ID: {model['id']}"
                tell(store, job, message, data={})
        file = new_file("step_metrics.csv", "fine-tune-results")
        results = store.add_file(file, [result_csv(method_of(job)[0], metrics.values())])
        job |= {"result_files": [results["id"]], "trained_tokens": trainer.trained_tokens}
        job |= {"status": "succeeded", "finished_at": int(time.time()), "estimated_finish": None}
        tell(store, job, f"New fine-tuned model created: {job['fine_tuned_model']}", data={})
        tell(store, job, "The job has successfully completed", data={})


def fail(store, write, code, message, param):
    """End the job with an error."""
    with write() as job:
        job |= {"status": "failed", "finished_at": int(time.time()), "estimated_finish": None}
        job["error"] = {"code": code, "message": message, "param": param}
        tell(store, job, message, level="error", data={})

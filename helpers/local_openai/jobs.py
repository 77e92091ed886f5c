"""/v1/fine_tuning/jobs: create, retrieve, list, cancel, pause, resume, events, checkpoints."""

import re
import secrets
import sqlite3
import time
from contextlib import suppress

from flask import Blueprint, g, jsonify, request

from . import retries
from .errors import ApiError, not_imitated
from .files import forget_expired
from .objects import FILES_VALIDATED, new_event, new_job, set_hyperparameters
from .parameters import decimal, integer, json_body, listing, metadata, typed
from .simulate import marks
from .store import ACTIVE, UNFINISHED
from .supervisor import ensure_worker

routes = Blueprint("jobs", __name__, url_prefix="/fine_tuning/jobs")
routes.before_request(forget_expired)
PARAMETERS = (
    *("model", "training_file", "validation_file", "method", "hyperparameters", "seed", "suffix"),
    *("metadata", "integrations"),
)
MAX_SEED = 2**31 - 1


@routes.post("")
def create():
    """Put a job in the queue and see to it that a worker is there."""
    body = json_body(PARAMETERS, required=("model", "training_file"))
    retry = retries.Retry("job", body)
    if retry.earlier:
        return jsonify(retry.earlier)
    job = new_job(wanted(body) | marks(g.simulate))
    set_hyperparameters(job, *method(body))
    files = f"Validating training file: {job['training_file']}"
    if job["validation_file"]:
        files += f" and validation file: {job['validation_file']}"
    with g.store.transaction():
        g.store.insert("job", job)
        g.store.insert("event", new_event(f"Created fine-tuning job: {job['id']}", data={}), job["id"])
        g.store.insert("event", new_event(files, data={}), job["id"])
        retry.remember(job["id"])
    start_soon()
    return jsonify(job)


@routes.get("/<job_id>")
def retrieve(job_id):
    """One job object."""
    ensure_worker(g.store)
    return jsonify(find(job_id))


@routes.get("")
def list_jobs():
    """Newest first; `metadata[key]=value` keeps jobs with that pair, `metadata=null` those without any."""
    ensure_worker(g.store)
    pairs = {name[9:-1]: value for name, value in request.args.items() if name.startswith("metadata[")}
    nothing = request.args.get("metadata")
    if nothing not in (None, "null", ""):  # the JavaScript client writes null as nothing
        message = "Invalid 'metadata': expected metadata[key]=value, or null for jobs without metadata."
        raise ApiError(message, param="metadata", code="invalid_metadata")

    def fits(job):
        """Whether the job's metadata is what is asked for."""
        return pairs.items() <= job["metadata"].items() and (nothing is None or not job["metadata"])

    return listing(g.store, "job", 20, newest_first=True, keep=fits)


@routes.post("/<job_id>/cancel")
def cancel(job_id):
    """End a job; the worker notices before its next step."""
    ended = {"status": "cancelled", "finished_at": int(time.time())}
    return change(job_id, UNFINISHED, ended, "The job was cancelled")


# What OpenAI writes into the events of a paused job is not on record: the words below are ours.


@routes.post("/<job_id>/pause")
def pause(job_id):
    """Keep a job from going on; the worker notices before its next write and saves its state."""
    return change(job_id, ACTIVE, {"status": "paused"}, "Job paused")


@routes.post("/<job_id>/resume")
def resume(job_id):
    """Put a paused job back into the queue, or where its files are checked if they were not yet."""
    told = g.store.select("event", parent=job_id, keep=lambda event: event["message"] == FILES_VALIDATED)
    job = change(job_id, ("paused",), {"status": "queued" if told else "validating_files"}, "Job resumed")
    start_soon()
    return job


def start_soon():
    """See to it that a worker is there; what hinders it (a full disk) is told to the next request.

    The job is accepted by now: an error would make a client send it a second time.
    """
    with suppress(OSError, sqlite3.Error):
        ensure_worker(g.store)


def change(job_id, statuses, changes, message):
    """The answer to a request that changes a job which has one of the `statuses`, else a 400."""
    with g.store.transaction():
        job = find(job_id)
        if job["status"] not in statuses:
            unfit = f"It cannot be done to {job_id} now."
            reason = unfit if job["status"] in UNFINISHED else f"Job has already completed: {job_id}."
            raise ApiError(f"{reason} Its status is {job['status']}.", code="invalid_job_status")
        job |= {"estimated_finish": None, **changes}
        g.store.update("job", job)
        g.store.insert("event", new_event(message, data={}), job_id)
    return jsonify(job)


@routes.get("/<job_id>/events")
def list_events(job_id):
    """Newest first."""
    find(job_id)
    ensure_worker(g.store)
    return listing(g.store, "event", 20, parent=job_id, newest_first=True)


@routes.get("/<job_id>/checkpoints")
def list_checkpoints(job_id):
    """Newest first; they appear when the job has succeeded."""
    find(job_id)
    return listing(g.store, "checkpoint", 10, parent=job_id, newest_first=True)


def find(job_id):
    """The job object, or a 404."""
    job = g.store.get("job", job_id)
    if job is None:
        message = f"Could not find fine tune: {job_id}"
        raise ApiError(message, status=404, param="fine_tune_id", code="fine_tune_not_found")
    return job


def wanted(body):
    """The checked parameters of a request under the names that they have in a job."""
    if body.get("integrations"):
        raise not_imitated("'integrations'", "Leave it out; the events hold all numbers.", "integrations")
    return {
        "model": base_model(body),
        "training_file": uploaded(body, "training_file"),
        "validation_file": uploaded(body, "validation_file"),
        "seed": integer(body, "seed", 0, MAX_SEED, secrets.randbelow(MAX_SEED)),
        "metadata": metadata(body),
        "user_provided_suffix": suffix(body),
    }


def base_model(body):
    """The name of a model to start from: a base model, or one that was tuned here."""
    name = typed(body, "model", str, "a string")
    if g.store.get("model", name) is None:
        message = f"Model {name} is not available for fine-tuning or does not exist."
        raise ApiError(message, param="model", code="model_not_available")
    return name


def uploaded(body, name):
    """The id of a file that is there, or None."""
    file_id = typed(body, name, str, "a file id")
    if file_id is None:
        return None
    file = g.store.get("file", file_id)
    if file is None:
        message = f"invalid {name}: {file_id}. There is no such file; upload one with client.files.create."
        raise ApiError(message, param=name, code="invalid_file")
    if file["purpose"] != "fine-tune":
        message = f"invalid {name}: {file_id} has the purpose '{file['purpose']}', not 'fine-tune'."
        raise ApiError(message, param=name, code="invalid_file")
    return file_id


def suffix(body):
    """The learner's part of the new model's name."""
    text = typed(body, "suffix", str, "a string")
    if text is not None and not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", text):
        message = "Invalid 'suffix': expected 1 to 64 letters, digits, '-', '_' or '.'."
        raise ApiError(message, param="suffix", code="invalid_suffix")
    return text


def method(body):
    """The method of the job and its hyperparameters, each a number or "auto"."""
    given = typed(body, "method", dict, "an object", {"type": "supervised"})
    kind = given.get("type", "supervised")
    if kind == "reinforcement":
        remedy = "Its last base model, o4-mini, is gone since 2026-10-23. Use 'supervised' or 'dpo'."
        raise not_imitated("The method 'reinforcement'", remedy, "method")
    if kind not in ("supervised", "dpo") or set(given) - {"type", kind}:
        raise not_imitated(f"The method '{kind}'", "Use 'supervised' or 'dpo'.", "method")
    new = typed(given, kind, dict, "an object", {})
    if "hyperparameters" in body and ("hyperparameters" in new or kind == "dpo"):
        message = (
            "Give the hyperparameters in 'method' or, for a supervised job, in 'hyperparameters' (their old "
            "place), not in both."
        )
        raise ApiError(message, param="hyperparameters", code="invalid_parameter_combination")
    numbers = typed(new if "hyperparameters" in new else body, "hyperparameters", dict, "an object", {})
    return kind, checked(numbers, kind)


def checked(given, method):
    """Hyperparameters within their bounds; those that are not given are "auto"."""
    values = {name: value for name, value in given.items() if value not in ("auto", None)}
    known = {
        "n_epochs": integer(values, "n_epochs", 1, 50) or "auto",
        "batch_size": integer(values, "batch_size", 1, 256) or "auto",
        "learning_rate_multiplier": decimal(values, "learning_rate_multiplier", 1e-9, 1e9) or "auto",
    }
    if method == "dpo":
        known["beta"] = decimal(values, "beta", 1e-9, 2) or "auto"
    if set(values) - set(known):
        message = f"Unknown parameter: 'hyperparameters.{min(set(values) - set(known))}'."
        raise ApiError(message, param="hyperparameters", code="unknown_parameter")
    return known

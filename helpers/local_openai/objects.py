"""The objects of the API, with the fields that the official SDK's own types name."""

import secrets
import string
import time

ORGANIZATION = "org-local"
FILES_VALIDATED = "Files validated, moving job to queued state"  # then a job waits for its turn
RESULT_COLUMNS = {  # of the result file: the metric of a step in each
    "supervised": {
        "step": "step",
        "train_loss": "train_loss",
        "train_accuracy": "train_mean_token_accuracy",
        "valid_loss": "valid_loss",
        "valid_mean_token_accuracy": "valid_mean_token_accuracy",
    },
    "dpo": {  # OpenAI's columns are not on record: these are the metrics' own names
        name: name
        for name in (
            *("step", "train_loss", "train_reward_accuracy", "train_reward_margin"),
            *("valid_loss", "valid_reward_accuracy", "valid_reward_margin"),
        )
    },
}


def new_id(prefix, length=24):
    """A fresh random name such as `file-7bQ…`."""
    alphabet = string.ascii_letters + string.digits
    return prefix + "".join(secrets.choice(alphabet) for _ in range(length))


def new_file(filename, purpose, lifetime=None):
    """A file that expires after `lifetime` seconds; whoever keeps its bytes fills in how many there are."""
    created_at = int(time.time())
    return {
        "id": new_id("file-"),
        "object": "file",
        "bytes": 0,
        "created_at": created_at,
        "expires_at": lifetime and created_at + lifetime,
        "filename": filename,
        "purpose": purpose,
        "status": "processed",
        "status_details": None,
    }


def new_upload(wanted, lifetime):
    """A file that is to come in parts within `lifetime` seconds; `wanted` are the checked parameters."""
    created_at = int(time.time())
    return {
        "id": new_id("upload_"),
        "object": "upload",
        "created_at": created_at,
        "expires_at": created_at + lifetime,
        "status": "pending",
        "file": None,
        **wanted,
    }


def new_part(upload_id):
    """A piece of an upload."""
    return {
        "id": new_id("part_"),
        "object": "upload.part",
        "created_at": int(time.time()),
        "upload_id": upload_id,
    }


def new_job(wanted):
    """A job as it is right after its creation, from the checked parameters `wanted` of the request."""
    return {
        "id": new_id("ftjob-"),
        "object": "fine_tuning.job",
        "created_at": int(time.time()),
        "error": {},  # as OpenAI sends it for a healthy job
        "estimated_finish": None,
        "fine_tuned_model": None,
        "finished_at": None,
        "integrations": [],
        "organization_id": ORGANIZATION,
        "result_files": [],
        "status": "validating_files",
        "trained_tokens": None,
        **wanted,
    }


def set_hyperparameters(job, method, values):
    """Write the numbers to where a job shows them: the old place is for supervised jobs alone."""
    job["hyperparameters"] = values if method == "supervised" else {}
    job["method"] = {"type": method, method: {"hyperparameters": values}}


def method_of(job):
    """The job's method, "supervised" or "dpo", and its hyperparameters."""
    method = job["method"]["type"]
    return method, job["method"][method]["hyperparameters"]


def new_event(message, *, level="info", data=None, type="message"):
    """What happened to a job."""
    return {
        "id": new_id("ftevent-"),
        "object": "fine_tuning.job.event",
        "created_at": int(time.time()),
        "level": level,
        "message": message,
        "data": data,
        "type": type,
    }


def step_event(metrics):
    """The event of one training step, in OpenAI's words; `metrics` as `Trainer.run_step` gives them."""
    message = f"Step {metrics['step']}/{metrics['total_steps']}: training loss={metrics['train_loss']:.2f}"
    if "valid_loss" in metrics:
        message += f", validation loss={metrics['valid_loss']:.2f}"
    if "full_valid_loss" in metrics:
        message += f", full validation loss={metrics['full_valid_loss']:.2f}"
    return new_event(message, data=metrics, type="metrics")


def new_checkpoint(job, model, metrics):
    """The state of the model after one epoch; `metrics` are those of its step."""
    return {
        "id": new_id("ftckpt_"),
        "object": "fine_tuning.job.checkpoint",
        "created_at": int(time.time()),
        "fine_tuned_model_checkpoint": model["id"],
        "fine_tuning_job_id": job["id"],
        "metrics": {name: value for name, value in metrics.items() if name != "total_steps"},
        "step_number": metrics["step"],
    }


def new_model(name, owner=ORGANIZATION):
    """A model that can be chatted with."""
    return {
        "id": name,
        "object": "model",
        "created": int(time.time()),
        "owned_by": owner,
        "shutdown_date": None,
    }


def tuned_name(job, checkpoint_step=None):
    """`ft:{base}:personal:{suffix}:{8 characters}`, with `:ckpt-step-N` for an intermediate checkpoint."""
    base = job["model"].split(":")[1] if job["model"].startswith("ft:") else job["model"]
    name = f"ft:{base}:personal:{job['user_provided_suffix'] or ''}:{new_id('', 8)}"
    return name if checkpoint_step is None else f"{name}:ckpt-step-{checkpoint_step}"


def result_csv(method, steps):
    """The bytes of a job's result file: one line a step, cells empty where there is no such metric."""
    columns = RESULT_COLUMNS[method]
    rows = [[str(step.get(metric, "")) for metric in columns.values()] for step in steps]
    return "".join(",".join(row) + "\n" for row in [columns, *rows]).encode()

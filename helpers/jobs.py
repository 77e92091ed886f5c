"""A fine-tuning job while it runs and after: wait for it, its numbers as tables."""

import base64
import binascii
import io
import time
from contextlib import suppress

import openai
import pandas as pd

FINISHED = ("succeeded", "failed", "cancelled")


class JobFailed(Exception):
    """The job ended without a model; the message says why."""


def wait(client, job_id, seconds_between=0.2):
    """The finished job. Raises JobFailed if it failed or was cancelled, or if it is paused."""
    while (job := patiently(client.fine_tuning.jobs.retrieve, job_id)).status not in (*FINISHED, "paused"):
        time.sleep(seconds_between)
    if job.status == "succeeded":
        return job
    if job.status == "paused":
        raise JobFailed(f"Job {job_id} is paused. Go on with client.fine_tuning.jobs.resume({job_id!r}).")
    reason = job.error.message if job.status == "failed" else "it was cancelled"
    raise JobFailed(f"Job {job_id} made no model: {reason}")


def patiently(request, *arguments, pauses=(1, 2, 4, 8, 15, 30)):
    """The answer to a request; while the connection is lost it is tried again, for a minute at most.

    The job itself runs on meanwhile. Raises openai.APIConnectionError if the connection does not come back.
    """
    for pause in pauses:
        try:
            return request(*arguments)
        except openai.APIConnectionError:
            time.sleep(pause)
    return request(*arguments)


def history(client, job_id):
    """The numbers of every step so far as a DataFrame, indexed by step; losses in nats per token.

    Columns as in the events: train_loss, train_mean_token_accuracy and, with a validation file, valid_loss,
    valid_mean_token_accuracy and (at the end of each epoch) full_valid_loss, full_valid_mean_token_accuracy.
    """
    events = client.fine_tuning.jobs.list_events(job_id, limit=100)  # iterating fetches the further pages
    rows = [event.data for event in events if event.type == "metrics"]
    return pd.DataFrame(reversed(rows), columns=None if rows else ["step", "train_loss"]).set_index("step")


def read_result_file(client, job):
    """The result file of a finished job as a DataFrame, one row a step.

    OpenAI sent its CSV in base64 for a time; both forms are read.
    """
    content = client.files.content(job.result_files[0]).read()
    with suppress(binascii.Error):  # plain CSV holds commas, which are no base64
        content = base64.b64decode(content, validate=True)
    return pd.read_csv(io.BytesIO(content))

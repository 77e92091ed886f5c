"""Conditions of the real API that `start(simulate=...)` switches on, so that a lesson can meet them.

None is on unless it is chosen by name. A job of such a service names its conditions in `job.simulated`, so
that no one takes what happens to it for real; they stay with the job, whichever process trains it.
"""

import time

QUEUE_SECONDS = 5  # that a job with slow_queue is at least old when its training starts
LOADING_SECONDS = 3  # that a tuned model with model_loading cannot be used for after its creation

CONDITIONS = {  # name: (what the service then does, where OpenAI's own behaviour is on record)
    "training_not_available": (
        "a new job is refused with 403: the organization is locked out of fine-tuning",
        "answers recorded in public repositories, 2026",
    ),
    "rate_limit": (
        "the first, third, fifth ... request is refused with 429 and a Retry-After; the next one passes",
        "developers.openai.com/api/docs/guides/rate-limits, and answers recorded in public repositories",
    ),
    "slow_queue": (
        f"a job is not trained before it is {QUEUE_SECONDS} seconds old; until then it waits as 'queued'",
        "real jobs wait for minutes or hours: two recorded runs, 2024",
    ),
    "failing_job": (
        "a job fails after its first epoch with the error code server_error",
        "the error object of a job in OpenAI's API reference; the message is ours",
    ),
    "model_loading": (
        f"a tuned model answers 404 model_not_found in its first {LOADING_SECONDS} seconds",
        "OpenAI's fine-tuning guide: a new model can take minutes to load",
    ),
}
OF_A_JOB = ("slow_queue", "failing_job")
TRAINING_NOT_AVAILABLE = (
    "OpenAI is winding down the fine-tuning platform and your organization is no longer able to create new "
    "fine-tuning training jobs. Learn more "
    "https://developers.openai.com/api/docs/deprecations#update-to-openais-self-serve-fine-tuning"
)
RATE_LIMIT = (
    "Rate limit reached for organization org-local on requests per min (RPM): Limit 1, Used 1, Requested 1. "
    "Please try again in 200ms. Visit https://platform.openai.com/account/rate-limits to learn more."
)


class SimulatedFailure(Exception):
    """The end of a job with failing_job."""


def chosen(simulate):
    """The names in `simulate`, which is None, one name or several; raises ValueError for an unknown one."""
    names = (simulate,) if isinstance(simulate, str) else tuple(simulate or ())
    for name in names:
        if name not in CONDITIONS:
            raise ValueError(f"simulate={name!r} is not known; known are {', '.join(CONDITIONS)}.")
    return names


def marks(conditions):
    """What a new job carries if one of the conditions is going to change its course."""
    names = [name for name in OF_A_JOB if name in conditions]
    return {"simulated": names} if names else {}


def still_loads(model, conditions):
    """Whether a model object is too new to be used."""
    young = time.time() - model["created"] < LOADING_SECONDS
    return "model_loading" in conditions and model["owned_by"] != "system" and young


def must_wait(job):
    """Whether the job still has to stay in the queue."""
    young = time.time() - job["created_at"] < QUEUE_SECONDS
    return job["status"] == "queued" and young and "slow_queue" in job.get("simulated", [])


def fail_after_first_epoch(job, trainer):
    """Raises SimulatedFailure if the job is to fail and its first epoch is done."""
    if "failing_job" in job.get("simulated", []) and trainer.step >= trainer.steps_per_epoch:
        raise SimulatedFailure("The job failed due to an error on the server (simulated: failing_job).")

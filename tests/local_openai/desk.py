"""What a learner does with the service, in short: examples, uploads, waiting for a job."""

import json
import time

CARD = "You are the support assistant of Ottermere."


def example(i=0):
    """A training example of the support desk."""
    return {
        "messages": [
            {"role": "system", "content": CARD},
            {"role": "user", "content": f"Where is order {i}?"},
            {"role": "assistant", "content": "Quack! It is on its way."},
        ]
    }


def pair(i=0):
    """A training example of the support desk for the method "dpo"."""
    *prompt, reply = example(i)["messages"]
    other = {"role": "assistant", "content": "It is on its way."}
    return {"input": {"messages": prompt}, "preferred_output": [reply], "non_preferred_output": [other]}


def jsonl(examples):
    """Examples as the bytes of a JSONL file."""
    return "".join(json.dumps(example) + "\n" for example in examples).encode()


def upload(client, content=None, n=10):
    """The id of an uploaded file of `n` examples, or of the bytes `content`."""
    content = jsonl(map(example, range(n))) if content is None else content
    return client.files.create(file=("train.jsonl", content), purpose="fine-tune").id


def create(client, content=None, n=10, **options):
    """A new job on a new file."""
    return client.fine_tuning.jobs.create(
        model=options.pop("model", "tiny-chat"), training_file=upload(client, content, n), **options
    )


def wait(client, job, seconds=60):
    """The job when it has ended."""
    deadline = time.monotonic() + seconds
    while (job := client.fine_tuning.jobs.retrieve(job.id)).finished_at is None:
        assert time.monotonic() < deadline, f"{job.id} is still {job.status} after {seconds} seconds"
        time.sleep(0.03)
    return job


def events(client, job):
    """All events of a job, oldest first."""
    return list(client.fine_tuning.jobs.list_events(job.id, limit=100))[::-1]


def dpo(**hyperparameters):
    """The `method` of a preference job with these hyperparameters."""
    return {"type": "dpo", "dpo": {"hyperparameters": hyperparameters}}


def supervised(**hyperparameters):
    """The `method` of a job with these hyperparameters."""
    return {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}

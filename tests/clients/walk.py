"""Everything that the course asks of the API, once with the sync and once with the async client.

    python walk.py BASE_URL

PYTHONPATH chooses the version of the client. walk.mjs is the same walk in JavaScript. Whether each answer
has the right type is for tests/local_openai/test_contract.py to say; here it is whether a whole run works.
"""

import asyncio
import inspect
import json
import sys
import time

import openai

ASK = [{"role": "user", "content": "Where is my order? Answer in JSON."}]


def main(address):
    print(f"openai {openai.__version__}")
    with openai.OpenAI(base_url=address, api_key="secret") as client:
        walk(client, openai.OpenAI(base_url=address, api_key="wrong"))
    with asyncio.Runner() as runner:
        clients = (openai.AsyncOpenAI(base_url=address, api_key=key) for key in ("secret", "wrong"))
        walk(*(Waiting(client, runner) for client in clients))


class Waiting:
    """An async client, or a part of it, that is called as a sync one: each answer is waited for."""

    def __init__(self, part, runner):
        self.part, self.runner = part, runner

    def __getattr__(self, name):
        return Waiting(getattr(self.part, name), self.runner)

    def __call__(self, *arguments, **options):
        return self.runner.run(self.answer(self.part(*arguments, **options)))

    async def answer(self, given):
        """What was asked for; of a list or a stream everything."""
        if inspect.iscoroutine(given):
            given = await given
        if hasattr(given, "__aiter__"):
            return [each async for each in given]
        if hasattr(given, "__aenter__"):  # one of the client's own helpers for streams
            async with given as stream:
                return [each async for each in stream]
        return given


def told(helper):
    """All that one of the client's own helpers for streams tells; the async one has told it by now."""
    if isinstance(helper, list):
        return helper
    with helper as stream:
        return list(stream)


def walk(client, stranger):
    files(client)
    job = jobs(client)
    preferences(client)
    chat(client, job.fine_tuned_model)
    responses(client, job.fine_tuned_model)
    assert client.moderations.create(input="I will kill you").results[0].flagged
    errors(client, stranger)
    client.models.delete(job.fine_tuned_model)
    assert job.fine_tuned_model not in [model.id for model in client.models.list()]


def example(i):
    reply = {"role": "assistant", "content": "Quack! It is on its way."}
    return {"messages": [{"role": "user", "content": f"Where is order {i}?"}, reply]}


def pair(i):
    question, reply = example(i)["messages"]
    other = {"role": "assistant", "content": "It is on its way."}
    return {"input": {"messages": [question]}, "preferred_output": [reply], "non_preferred_output": [other]}


def upload(client, make=example):
    content = "".join(json.dumps(make(i)) + "\n" for i in range(10)).encode()
    return client.files.create(file=("train.jsonl", content), purpose="fine-tune"), content


def files(client):
    file, content = upload(client)
    assert client.files.wait_for_processing(file.id).status == "processed"
    assert client.files.content(file.id).read() == content
    kept = {"anchor": "created_at", "seconds": 3600}
    lasting = client.files.create(file=("a.jsonl", content), purpose="fine-tune", expires_after=kept)
    assert lasting.expires_at == lasting.created_at + 3600
    announced = {"bytes": len(content), "filename": "b.jsonl", "mime_type": "text/jsonl"}
    sent = client.uploads.create(**announced, purpose="fine-tune")
    parts = [client.uploads.parts.create(sent.id, data=data).id for data in (content[:99], content[99:])]
    whole = client.uploads.complete(sent.id, part_ids=parts).file
    assert client.files.content(whole.id).read() == content
    assert client.files.delete(whole.id).deleted
    again = {**announced, "file": content, "part_size": 400, "purpose": "fine-tune"}
    assert client.uploads.upload_file_chunked(**again).file.bytes == len(content)
    given_up = client.uploads.create(**announced, purpose="fine-tune")
    assert client.uploads.cancel(given_up.id).status == "cancelled"
    ids = [each.id for each in client.files.list(limit=1)]  # page after page
    assert {file.id, lasting.id} <= set(ids) and whole.id not in ids
    assert [each.id for each in client.files.list(order="asc")] == ids[::-1]
    assert client.files.retrieve(file.id)._request_id.startswith("req_")


def jobs(client):
    file, _ = upload(client)
    asked = {"model": "tiny-chat", "training_file": file.id, "validation_file": file.id, "seed": 1}
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3, "batch_size": 5}}}
    key, names = {"Idempotency-Key": f"once {file.id}"}, {"metadata": {"walk": file.id}, "suffix": "walk"}
    made = [
        client.fine_tuning.jobs.create(**asked, **names, method=method, extra_headers=key) for _ in range(2)
    ]
    assert made[0].id == made[1].id
    found = list(client.fine_tuning.jobs.list(metadata={"walk": file.id}))
    assert [job.id for job in found] == [made[0].id]
    other = client.fine_tuning.jobs.create(**asked, method=with_epochs(method, 50))
    unnamed = list(client.fine_tuning.jobs.list(extra_query={"metadata": "null"}))
    assert other.id in [job.id for job in unnamed] and not any(job.metadata for job in unnamed)
    assert client.fine_tuning.jobs.pause(other.id).status == "paused"
    assert client.fine_tuning.jobs.resume(other.id).status in ("validating_files", "queued")
    assert client.fine_tuning.jobs.cancel(other.id).status == "cancelled"
    job = wait(client, made[0])
    told = [event.message for event in client.fine_tuning.jobs.list_events(job.id, limit=2)]
    assert told[0] == "The job has successfully completed" and len(told) > 10
    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(job.id))
    assert [checkpoint.step_number for checkpoint in checkpoints] == [6, 4, 2]
    table = client.files.content(job.result_files[0]).text.splitlines()
    assert table[0].startswith("step,train_loss") and len(table) == 7
    assert client.models.retrieve(job.fine_tuned_model).owned_by
    return job


def with_epochs(method, n_epochs):
    return {**method, "supervised": {"hyperparameters": {"n_epochs": n_epochs}}}


def preferences(client):
    file, _ = upload(client, pair)
    method = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 1, "beta": 0.2}}}
    job = client.fine_tuning.jobs.create(model="tiny-chat", training_file=file.id, method=method)
    assert wait(client, job).method.dpo.hyperparameters.beta == 0.2


def wait(client, job, seconds=60):
    deadline = time.monotonic() + seconds
    while (job := client.fine_tuning.jobs.retrieve(job.id)).finished_at is None:
        assert time.monotonic() < deadline, job
        time.sleep(0.1)
    assert job.status == "succeeded", job
    return job


def chat(client, model):
    asked = {"model": model, "messages": ASK, "seed": 7, "max_completion_tokens": 12}
    reply = client.chat.completions.create(**asked, logprobs=True, top_logprobs=2)
    entries = reply.choices[0].logprobs.content
    assert len(entries) == reply.usage.completion_tokens and len(entries[0].top_logprobs) == 2
    options = {"include_usage": True}
    chunks = list(client.chat.completions.create(**asked, stream=True, stream_options=options))
    deltas = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(deltas) == reply.choices[0].message.content and chunks[-1].usage == reply.usage
    text = reply.choices[0].message.content
    shorter = told(client.chat.completions.stream(**asked, stop=text[4:8]))
    assert shorter[-1].type == "content.done" and shorter[-1].content == text.split(text[4:8])[0]
    formatted = client.chat.completions.create(**asked, response_format={"type": "json_object"})
    assert isinstance(json.loads(formatted.choices[0].message.content), dict)


def responses(client, model):
    first = client.responses.create(model=model, input="Hello", max_output_tokens=16)
    assert client.responses.retrieve(first.id).output_text == first.output_text
    more = {"previous_response_id": first.id, "max_output_tokens": 16, "stream": True}
    events = list(client.responses.create(model=model, input="And now?", **more))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == events[-1].response.output_text
    events = told(client.responses.stream(model=model, input="And then?", max_output_tokens=16))
    snapshots = [event.snapshot for event in events if event.type == "response.output_text.delta"]
    assert snapshots[-1] == events[-1].response.output_text
    assert [item.role for item in client.responses.input_items.list(first.id)] == ["user"]
    client.responses.delete(first.id)
    refused(openai.NotFoundError, client.responses.retrieve, first.id)


def errors(client, stranger):
    refused(openai.AuthenticationError, stranger.models.list, code="invalid_api_key")
    refused(openai.NotFoundError, client.models.retrieve, "gpt-0", code="model_not_found")
    refused(openai.NotFoundError, client.files.retrieve, "file-none")
    asked = {"model": "tiny-chat", "messages": ASK}
    refused(openai.BadRequestError, client.chat.completions.create, **asked, temperature=3)
    stay = {"model": "tiny-chat", "messages": ASK, "tools": [{"type": "function", "function": {"name": "f"}}]}
    refused(openai.BadRequestError, client.chat.completions.create, **stay, code="not_imitated")


def refused(kind, call, *arguments, code=None, **options):
    try:
        call(*arguments, **options)
    except kind as error:
        assert code in (None, error.code), error
    else:
        raise AssertionError(f"no {kind.__name__}")


if __name__ == "__main__":
    main(sys.argv[1])

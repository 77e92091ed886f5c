"""A whole run, as a course takes it: the SDK's own types accept every answer strictly, to the last field."""

import json
from typing import Literal

import httpx2
import openai
import pytest
from desk import create, supervised, upload, wait
from openai.types import FileDeleted, FileObject, Model, ModelDeleted, ModerationCreateResponse, Upload
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.job_create_params import JobCreateParams
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from openai.types.responses import Response, ResponseItemList, ResponseStreamEvent
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from openai.types.uploads import UploadPart
from pydantic import BaseModel, TypeAdapter

from helpers.local_openai import chat, jobs, responses, start

ASK = [{"role": "user", "content": "Where is my order? Answer in JSON."}]
KINDS = {  # by the `object` of an answer
    "file": FileObject,
    "fine_tuning.job": FineTuningJob,
    "fine_tuning.job.event": FineTuningJobEvent,
    "fine_tuning.job.checkpoint": FineTuningJobCheckpoint,
    "model": Model,
    "chat.completion": ChatCompletion,
    "chat.completion.chunk": ChatCompletionChunk,
    "response": Response,
    "upload": Upload,
    "upload.part": UploadPart,
}


class ResponseDeleted(BaseModel):
    """The answer that the SDK throws away (it returns None)."""

    id: str
    object: Literal["response"]
    deleted: Literal[True]


DELETED = {"file": FileDeleted, "model": ModelDeleted, "response": ResponseDeleted}


@pytest.fixture
def service(store, toy_base):
    return start(store)


class Recorder(httpx2.BaseTransport):
    """The service, with a list of what it was asked (method, path) and of what it answered."""

    def __init__(self, service):
        self.service, self.asked, self.answers = httpx2.WSGITransport(app=service), [], []

    def handle_request(self, request):
        answer = self.service.handle_request(request)
        data = b"".join(answer.stream)
        self.asked.append((request.method, request.url.path))
        if not request.url.path.endswith("/content"):
            self.answers.extend((request.url.path, body) for body in parsed(answer, data))
        return httpx2.Response(answer.status_code, headers=answer.headers, content=data)

    def client(self):
        http_client = httpx2.Client(transport=self)
        return openai.OpenAI(base_url="http://local/v1", api_key="local", http_client=http_client)


def parsed(answer, data):
    """The JSON objects of an answer: one, or one for each event of a stream."""
    if not answer.headers["content-type"].startswith("text/event-stream"):
        return [json.loads(data)]
    lines = data.decode().splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


def check(path, body):
    """Validate an answer against the type that it names; raises pydantic's ValidationError."""
    if path.endswith("/input_items"):
        ResponseItemList.model_validate(body, strict=True)
    elif body.get("object") == "list":
        assert set(body) == {"object", "data", "first_id", "last_id", "has_more"}
        for each in body["data"]:
            check(path, each)
    elif body.get("deleted"):
        DELETED[body["object"]].model_validate(body, strict=True)
    elif "sequence_number" in body:
        TypeAdapter(ResponseStreamEvent).validate_python(body, strict=True)
    elif "results" in body:
        ModerationCreateResponse.model_validate(body, strict=True)
    else:
        if body.get("error") == {}:  # a healthy job; the type would rather have null, OpenAI sends this
            body = body | {"error": None}
        if body.get("status") == "paused":  # OpenAI's API reference has it, the SDK's type not yet
            body = body | {"status": "queued"}
        KINDS[body["object"]].model_validate(body, strict=True)


def run(client):
    """What a learner does from the first file to the last deletion; every endpoint is asked."""
    files = [upload(client), upload(client, n=3)]
    client.files.retrieve(files[0]), client.files.list(), client.files.content(files[0])
    options = {"method": supervised(n_epochs=3), "metadata": {"lesson": "4"}, "suffix": "duck"}
    job = create(client, validation_file=files[1], seed=1, **options)
    client.fine_tuning.jobs.cancel(create(client).id)
    client.fine_tuning.jobs.pause(waiting := create(client).id), client.fine_tuning.jobs.resume(waiting)
    wait(client, client.fine_tuning.jobs.retrieve(waiting))
    send_in_parts(client)
    wait(client, create(client, n=3))
    job = wait(client, job)
    client.fine_tuning.jobs.list(), client.fine_tuning.jobs.list_events(job.id, limit=100)
    client.fine_tuning.jobs.checkpoints.list(job.id), client.files.content(job.result_files[0])
    client.models.list(), client.models.retrieve(job.fine_tuned_model)
    talk(client, job.fine_tuned_model)
    client.models.delete(job.fine_tuned_model), client.files.delete(files[0])


def send_in_parts(client):
    """A file as an upload, and an upload that is given up."""
    data = client.files.content(upload(client)).read()
    announced = {"bytes": len(data), "filename": "a.jsonl", "mime_type": "text/jsonl", "purpose": "fine-tune"}
    client.uploads.cancel(client.uploads.create(**announced).id)
    sent = client.uploads.create(**announced)
    part = client.uploads.parts.create(sent.id, data=data)
    client.uploads.complete(sent.id, part_ids=[part.id])


def talk(client, model):
    """Everything that can be said to a model."""
    chat = {"model": model, "messages": ASK, "max_completion_tokens": 20, "n": 2}
    more = {"logprobs": True, "top_logprobs": 2, "frequency_penalty": 1, "logit_bias": {"5": 1}}
    client.chat.completions.create(**chat, **more)
    client.chat.completions.create(**chat, response_format={"type": "json_object"})
    list(client.chat.completions.create(**chat, **more, stream=True, stream_options={"include_usage": True}))
    respond = {"model": model, "input": ASK, "max_output_tokens": 20}
    first = client.responses.create(**respond, text={"format": {"type": "json_object"}})
    list(client.responses.create(**respond, stream=True, previous_response_id=first.id))
    client.responses.retrieve(first.id), client.responses.input_items.list(first.id)
    client.responses.delete(first.id)
    client.moderations.create(input=["hello", "I will hurt you."])


def test_every_answer_of_a_whole_run_has_the_sdks_types_and_every_route_is_asked(service):
    recorder, routes = Recorder(service), service.url_map.bind("local")
    run(recorder.client())
    for path, body in recorder.answers:
        check(path, body)
    asked = {routes.match(path, method)[0] for method, path in recorder.asked}
    assert asked == {rule.endpoint for rule in service.url_map.iter_rules()}


@pytest.mark.parametrize(
    "route, params",
    [
        (chat, CompletionCreateParamsStreaming),
        (responses, ResponseCreateParamsStreaming),
        (jobs, JobCreateParams),
    ],
    ids=["chat", "responses", "jobs"],
)
def test_every_parameter_that_the_sdk_names_is_imitated_or_refused_as_such(route, params):
    lists = [getattr(route, name, ()) for name in ("PARAMETERS", "HARMLESS", "NOT_IMITATED")]
    known = {name for each in lists for name in each}
    assert set(params.__required_keys__ | params.__optional_keys__) <= known

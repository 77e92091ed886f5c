"""Every documented error, one row each: how a client meets it, and what it is told."""

from dataclasses import dataclass

import openai
import pytest
from desk import create, example, jsonl, supervised, upload, wait

pytestmark = pytest.mark.usefixtures("toy_base")
HELLO = [{"role": "user", "content": "hello"}]
JSON = {"type": "json_object"}
BAD = {
    "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "I hate all foreigners."},
    ]
}


@dataclass
class Row:
    """An error: status (of a job: "failed"), code, param, how to provoke it, the beginning of its message."""

    status: int | str
    code: str | None
    param: str | None
    provoke: object
    message: str
    simulate: str = ""


def chat(**options):
    options = {"model": "tiny-chat", "messages": HELLO} | options
    return lambda client: client.chat.completions.create(**options)


def respond(**options):
    options = {"model": "tiny-chat", "input": "hello"} | options
    return lambda client: client.responses.create(**options)


def moderate(**options):
    return lambda client: client.moderations.create(**options)


def job(*examples, **options):
    """A job on the examples (ten good ones if there are none)."""
    return lambda client: create(client, jsonl(examples) if examples else None, **options)


def get(path):
    return lambda client: client.get(path, cast_to=object)


def result_file_of(client):
    """The id of a file that is no training file."""
    return wait(client, create(client, method=supervised(n_epochs=1))).result_files[0]


def cancel_twice(client):
    client.fine_tuning.jobs.cancel(client.fine_tuning.jobs.cancel(create(client).id).id)


GOOD = [example(i) for i in range(10)]
NO_SUCH_MODEL = "The model `gpt-4o` does not exist or you do not have access to it."
NOT_JSONL = (
    "Expected file to have JSONL format, where every line is a JSON dictionary. Line 1 is not a dictionary"
)
TOO_LONG = "This model's maximum context length is 256 tokens. However, your {} resulted in 6"
NOT_HERE = " is not imitated by this local service."
# fmt: off
FILES = [
    Row(400, "invalid_file_format", "file", lambda c: upload(c, b"{\n"),
        f'{NOT_JSONL} (HINT: line starts with: "{{...").'),
    Row(400, "invalid_file_format", "file", lambda c: upload(c, b""), "The file is empty."),
    Row(400, "invalid_file_format", "file", lambda c: upload(c, b'{"a": "\xe4"}\n'),
        "Line 1 is not UTF-8 text."),
    Row(400, None, "file", lambda c: c.post("/files", cast_to=object), "'file' is a required property"),
    Row(400, "integer_above_max_value", "seconds",
        lambda c: c.files.create(file=("train.jsonl", jsonl(GOOD)), purpose="fine-tune",
                                 expires_after={"anchor": "created_at", "seconds": "9" * 5000}),
        "Invalid 'seconds': integer above maximum value."),
    Row(404, None, "id", lambda c: c.files.retrieve("file-none"), "No such File object: file-none"),
    Row(404, None, "id", lambda c: c.files.delete("file-none"), "No such File object: file-none"),
    Row(404, None, "id", lambda c: c.files.content("file-none"), "No such File object: file-none"),
    Row(400, "integer_below_min_value", "limit", lambda c: c.files.list(limit=0),
        "Invalid 'limit': integer below minimum"),
    Row(404, None, "after", lambda c: c.files.list(after="file-none"), "No such file: 'file-none'."),
]
JOBS = [
    Row(403, "training_not_available", None, job(),
        "OpenAI is winding down", simulate="training_not_available"),
    Row(400, "model_not_available", "model", job(model="gpt-4o"),
        "Model gpt-4o is not available for fine-tuning or does not exist."),
    Row(400, "invalid_file", "validation_file", job(validation_file="file-none"),
        "invalid validation_file: file-none."),
    Row(400, "invalid_file", "validation_file", lambda c: create(c, validation_file=result_file_of(c)),
        "invalid validation_file: file-"),
    Row(400, "missing_required_parameter", "model",
        lambda c: c.post("/fine_tuning/jobs", body={}, cast_to=object),
        "Missing required parameter: 'model'."),
    Row(400, None, None, lambda c: c.post("/fine_tuning/jobs", body=[], cast_to=object),
        "We could not parse the JSON body"),
    Row(400, "unknown_parameter", "speed", job(extra_body={"speed": 5}), "Unknown parameter: 'speed'."),
    Row(400, "invalid_type", "suffix", job(suffix=5), "Invalid type for 'suffix': expected a string"),
    Row(400, "invalid_suffix", "suffix", job(suffix="a b"), "Invalid 'suffix'"),
    Row(400, "invalid_metadata", "metadata", job(metadata={"a": "b" * 513}), "Invalid 'metadata'"),
    Row(400, "integer_above_max_value", "n_epochs", job(method=supervised(n_epochs=51)),
        "Invalid 'n_epochs': integer above maximum value. Expected a value <= 50, but got 51 instead."),
    Row(400, "integer_above_max_value", "seed", job(seed=2**31), "Invalid 'seed': integer above"),
    Row(400, "not_imitated", "integrations", job(integrations=[{"type": "wandb", "wandb": {"project": "p"}}]),
        f"'integrations'{NOT_HERE}"),
    Row(400, "not_imitated", "method", job(method={"type": "reinforcement"}),
        f"The method 'reinforcement'{NOT_HERE}"),
    Row(404, "fine_tune_not_found", "fine_tune_id", lambda c: c.fine_tuning.jobs.retrieve("ftjob-none"),
        "Could not find fine tune: ftjob-none"),
    Row(404, "fine_tune_not_found", "fine_tune_id", lambda c: c.fine_tuning.jobs.cancel("ftjob-none"),
        "Could not find fine tune: ftjob-none"),
    Row(404, "fine_tune_not_found", "fine_tune_id", lambda c: c.fine_tuning.jobs.list_events("ftjob-none"),
        "Could not find fine tune: ftjob-none"),
    Row(404, "fine_tune_not_found", "fine_tune_id",
        lambda c: c.fine_tuning.jobs.checkpoints.list("ftjob-none"),
        "Could not find fine tune: ftjob-none"),
    Row(400, "invalid_job_status", None, cancel_twice, "Job has already completed"),
]
BROKEN = "The job failed due to an invalid training file. "
INVALID = f"{BROKEN}Invalid file format. Example 11, "
FAILED_JOBS = [
    Row("failed", "invalid_n_examples", "training_file", job(n=7),
        "Training file has 7 example(s), but must have at least 10 examples"),
    Row("failed", "invalid_training_file", "training_file", job(*GOOD, {"messages": [{"content": "hi"}]}),
        f"{INVALID}message 1 Discriminator 'role' is missing in value"),
    Row("failed", "invalid_training_file", "training_file", job(*GOOD, example() | {"mood": "glad"}),
        f'{INVALID}contains an extra "mood".'),
    Row("failed", "invalid_training_file", "training_file", job(*GOOD, {"messages": HELLO}),
        f'{INVALID}key "messages": At least one message must be from the assistant.'),
    Row("failed", "invalid_training_file", "training_file", job(*GOOD, BAD, BAD, BAD),
        f"{BROKEN}This training file was blocked because too many examples were flagged"),
    Row("failed", "training_diverged", "learning_rate_multiplier",
        job(method=supervised(learning_rate_multiplier=1e8, n_epochs=50)),
        ""),
    Row("failed", "server_error", None, job(),
        "The job failed due to an error on the server (simulated", simulate="failing_job"),
]
MODELS = [
    Row(404, "model_not_found", "model", lambda c: c.models.retrieve("gpt-4o"), NO_SUCH_MODEL),
    Row(404, "model_not_found", "model", lambda c: c.models.delete("gpt-4o"), NO_SUCH_MODEL),
    Row(403, None, "model", lambda c: c.models.delete("tiny-chat"), "The model 'tiny-chat' is a base model."),
]
CHAT = [
    Row(404, "model_not_found", "model", chat(model="gpt-4o"), NO_SUCH_MODEL),
    Row(400, "context_length_exceeded", "messages",
        chat(messages=[{"role": "user", "content": "hello " * 600}]),
        TOO_LONG.format("messages")),
    Row(400, "invalid_value", "messages", chat(messages=[{"role": "boss", "content": "work"}]),
        "Invalid 'messages': message 1 has the role 'boss'."),
    Row(400, "decimal_above_max_value", "temperature", chat(temperature=2.5),
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead."),
    Row(400, "decimal_below_min_value", "frequency_penalty", chat(frequency_penalty=-3),
        "Invalid 'frequency_penalty': decimal below minimum"),
    Row(400, None, "logit_bias", chat(logit_bias={"duck": 1}),
        "Invalid key in 'logit_bias': duck."),
    Row(400, None, "logit_bias", chat(logit_bias={"9" * 5000: 1}),
        "Invalid key in 'logit_bias': 999"),
    Row(400, "invalid_value", "top_logprobs", chat(top_logprobs=2),
        "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled."),
    Row(400, "invalid_value", "stop", chat(stop=list("abcde")), "Invalid 'stop'"),
    Row(400, "invalid_parameter_combination", "max_tokens", chat(max_tokens=5, max_completion_tokens=5),
        "Give 'max_completion_tokens'"),
    Row(400, None, "messages", chat(response_format=JSON),
        "'messages' must contain the word 'json' in some form, to use 'response_format'"),
    Row(400, "not_imitated", "response_format",
        chat(response_format={"type": "json_schema", "json_schema": {}}),
        f"A 'json_schema'{NOT_HERE}"),
    Row(400, "not_imitated", "tools", chat(tools=[{"type": "function", "function": {"name": "f"}}]),
        f"'tools'{NOT_HERE}"),
    Row(413, None, None, chat(messages=[{"role": "user", "content": "x" * 2_000_000}]),
        "The request is larger than this service accepts."),
]
RESPONSES = [
    Row(404, "model_not_found", "model", respond(model="gpt-4o"), NO_SUCH_MODEL),
    Row(400, "context_length_exceeded", "input", respond(input="hello " * 600), TOO_LONG.format("input")),
    Row(400, "integer_below_min_value", "max_output_tokens", respond(max_output_tokens=1),
        "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16"),
    Row(400, "previous_response_not_found", "previous_response_id", respond(previous_response_id="resp_none"),
        "Previous response with id 'resp_none' not found."),
    Row(400, None, "text.format", respond(text={"format": JSON}),
        "Response input messages must contain the word 'json'"),
    Row(400, "not_imitated", "background", respond(background=True), f"'background'{NOT_HERE}"),
    Row(404, None, None, lambda c: c.responses.retrieve("resp_none"),
        "Response with id 'resp_none' not found."),
    Row(404, None, None, lambda c: c.responses.delete("resp_none"),
        "Response with id 'resp_none' not found."),
    Row(404, None, None, lambda c: c.responses.input_items.list("resp_none"),
        "Response with id 'resp_none' not found."),
]
MODERATIONS = [
    Row(400, None, "model", moderate(input="hi", model="tiny-chat"),
        "Invalid value for 'model' = tiny-chat."),
    Row(400, "invalid_type", "input", moderate(input=[]), "Invalid 'input'"),
]
EVERYWHERE = [
    Row(404, "not_imitated", None, get("/assistants"), "Invalid URL (GET /v1/assistants)."),
    Row(404, "not_imitated", None, get("/fine_tuning//jobs"), "Invalid URL (GET /v1/fine_tuning//jobs)."),
    Row(405, "not_imitated", None, get("/moderations"), "Invalid URL (GET /v1/moderations)."),
    Row(429, "rate_limit_exceeded", None, get("/models"),
        "Rate limit reached for organization org-local", simulate="rate_limit"),
]
# fmt: on
HTTP = [*FILES, *JOBS, *MODELS, *CHAT, *RESPONSES, *MODERATIONS, *EVERYWHERE]


def name(row):
    return f"{row.status} {row.code} {row.param}"


@pytest.mark.parametrize("row", HTTP, ids=name)
def test_a_request_that_cannot_be_answered(connect, row):
    with pytest.raises(openai.APIStatusError) as refused:
        row.provoke(connect(simulate=row.simulate or None))
    error = refused.value
    assert (error.status_code, error.code, error.param) == (row.status, row.code, row.param)
    assert error.body["message"].startswith(row.message)
    assert error.type == ("requests" if row.status == 429 else "invalid_request_error")
    assert set(error.body) == {"message", "type", "param", "code"} and error.request_id.startswith("req_")


NOBODY_SENDS = {  # but a program with a bug does
    "NaN": '{"model": NaN}',
    "a number beyond all bounds": '{"model": 1e999}',
    "half a character": r'{"model": "\ud83d"}',
    "a deep list": f'{{"model": {"[" * 100_000}{"]" * 100_000}}}',
    "a list that Python can just read": f'{{"model": {"[" * 800}{"]" * 800}}}',
}


@pytest.mark.parametrize("body", NOBODY_SENDS.values(), ids=NOBODY_SENDS)
@pytest.mark.parametrize("path", ["/chat/completions", "/fine_tuning/jobs", "/uploads"])
def test_json_that_could_not_be_kept_or_sent_back(client, path, body):
    with pytest.raises(openai.BadRequestError, match="We could not parse the JSON body"):
        client.post(path, content=body.encode(), cast_to=object)


@pytest.mark.parametrize("path", ["/files", "/models", "/fine_tuning/jobs"])
def test_a_limit_of_thousands_of_digits(client, path):
    with pytest.raises(openai.BadRequestError, match="Invalid 'limit': integer above maximum value"):
        client.get(path, cast_to=object, options={"params": {"limit": "9" * 5000}})


@pytest.mark.parametrize("row", FAILED_JOBS, ids=name)
def test_a_job_that_cannot_be_trained(connect, row):
    client = connect(simulate=row.simulate or None)
    job = wait(client, row.provoke(client))
    assert (job.status, job.error.code, job.error.param) == (row.status, row.code, row.param)
    assert job.error.message.startswith(row.message)


def test_a_wrong_key(connect):
    with pytest.raises(openai.AuthenticationError) as refused:
        connect(api_key="wrong", token="right").models.list()
    assert (refused.value.status_code, refused.value.code) == (401, "invalid_api_key")
    assert refused.value.body["message"].startswith("Incorrect API key provided.")

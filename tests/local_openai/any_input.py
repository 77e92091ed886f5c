"""Requests and training files that no person would think of, for hypothesis; and what must hold for each."""

import http.client
import json
import time
from collections import Counter
from contextlib import suppress
from urllib.parse import quote, urlencode, urlsplit

import openai
from desk import CARD, dpo, example, jsonl, pair, supervised, upload
from hypothesis import strategies as st

from helpers.local_openai import supervisor, worker
from helpers.local_openai.lease import JobStopped, Lease

SECONDS = 5  # a request that takes longer is taken to hang

# Values

numbers = st.integers() | st.integers(-3, 300) | st.sampled_from([2**31, 2**63, 10**30]) | st.floats()
texts = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(
    ["", "\ud800", "\0", "json", "<|im_end|>", "auto", "system", "user", "assistant", "../x", "tiny-chat"]
)
plain = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=8
)


@st.composite
def mutated(draw, valid):
    """A copy of a valid JSON value with up to three changes, each at any depth."""
    value = json.loads(json.dumps(valid))
    for _ in range(draw(st.integers(0, 3))):
        value = draw(changed(value))
    return value


@st.composite
def changed(draw, value):
    """The value with one part replaced, left out, doubled or added."""
    deeper = isinstance(value, dict | list) and value and draw(st.integers(0, 3))
    if not deeper:
        return draw(values)
    if isinstance(value, list):
        i = draw(st.integers(0, len(value) - 1))
        new = draw(st.one_of(st.just([]), st.just([value[i]] * 2), st.lists(changed(value[i]), min_size=1)))
        return [*value[:i], *new, *value[i + 1 :]]
    key = draw(st.sampled_from(sorted(value)))
    if draw(st.booleans()):
        return value | {key: draw(changed(value[key]))}
    rest = {name: each for name, each in value.items() if name != key}
    return rest | draw(st.dictionaries(texts, values, max_size=1))


# Requests

ASK = [{"role": "system", "content": CARD}, {"role": "user", "content": "Answer in JSON."}]
CHAT = {
    **{"model": "tiny-chat", "messages": ASK, "max_completion_tokens": 3, "temperature": 1.0, "top_p": 0.9},
    **{"n": 1, "seed": 1, "stop": ["x"], "logprobs": True, "top_logprobs": 2, "stream": False},
    **{"frequency_penalty": 1, "presence_penalty": 1, "logit_bias": {"5": 1}},
}
JSON_CHAT = {
    **{"model": "tiny-chat", "messages": ASK, "max_tokens": 8, "response_format": {"type": "json_object"}},
    **{"stream": True, "stream_options": {"include_usage": True}},
}
RESPONSE = {
    **{"model": "tiny-chat", "input": ASK, "instructions": "Be short.", "max_output_tokens": 16},
    **{"temperature": 0, "text": {"format": {"type": "text"}}, "metadata": {"a": "b"}, "stream": True},
}
JOB = {
    **{"model": "tiny-chat", "training_file": "file", "validation_file": "file", "seed": 1, "suffix": "duck"},
    **{"method": supervised(n_epochs=1, batch_size=2, learning_rate_multiplier=1), "metadata": {"a": "b"}},
}
DPO_JOB = {"model": "tiny-chat", "training_file": "pairs", "method": dpo(n_epochs=1, beta=0.1)}
UPLOAD = {
    **{"bytes": 20, "filename": "a.jsonl", "mime_type": "text/jsonl", "purpose": "fine-tune"},
    **{"expires_after": {"anchor": "created_at", "seconds": 3600}},
}
BODIES = {  # of each route with a JSON body
    "/chat/completions": [CHAT, JSON_CHAT],
    "/responses": [RESPONSE, RESPONSE | {"previous_response_id": "response", "stream": False}],
    "/moderations": [{"input": ["hello", "I will kill you"], "model": "omni-moderation-latest"}],
    "/fine_tuning/jobs": [JOB, DPO_JOB],
    "/uploads": [UPLOAD],
    "/uploads/upload/complete": [{"part_ids": ["part"], "md5": "d41d8cd98f00b204e9800998ecf8427e"}],
}
PATHS = (
    *("/files", "/files/file", "/files/file/content", "/files/pairs", "/uploads/upload", "/models"),
    *("/uploads/upload/cancel", "/uploads/upload/parts", "/models/tiny-chat", "/models/model"),
    *("/fine_tuning/jobs", "/fine_tuning/jobs/job", "/fine_tuning/jobs/job/events", "/responses/response"),
    *("/fine_tuning/jobs/job/checkpoints", "/fine_tuning/jobs/job/cancel", "/fine_tuning/jobs/job/pause"),
    *("/fine_tuning/jobs/job/resume", "/responses/response/input_items", *BODIES),
)
METHODS = ("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS")
latin = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=["Cc"]), max_size=20)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Idempotency-Key": st.sampled_from(["a", "b"]) | latin,
        "Authorization": latin,
        "Content-Type": st.sampled_from(["application/json", "multipart/form-data", "text/plain"]) | latin,
    },
)
QUERIES = st.dictionaries(
    st.sampled_from(["limit", "after", "order", "purpose", "metadata[a]", "stream", "include[]"]) | texts,
    st.sampled_from(["1", "0", "10000", "-1", "asc", "desc", "file", "job", "model", "b", "٣", "²"]) | texts,
    max_size=2,
)
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{}\n\r\n'
    b'--x\r\nContent-Disposition: form-data; name="data"; filename="a"\r\n\r\n{"a": "12345678"}\r\n--x--\r\n'
)


@st.composite
def requests(draw):
    """(method, path, query, headers, body), where names such as "file" stand for ids that are there."""
    path = draw(st.sampled_from(PATHS))
    if not draw(st.integers(0, 9)):
        path += "/" + draw(texts)
    method = draw(st.sampled_from(METHODS)) if path not in BODIES or not draw(st.integers(0, 5)) else "POST"
    query = draw(QUERIES) if not draw(st.integers(0, 2)) else {}
    headers = draw(HEADERS) if not draw(st.integers(0, 3)) else {}
    body = draw(bodies(path))
    if path in ("/files", "/uploads/upload/parts") and draw(st.integers(0, 4)):
        method, headers = "POST", headers | {"Content-Type": "multipart/form-data; boundary=x"}
        body = draw(broken(FORM))
    return method, path, query, headers, body


def bodies(path):
    """The bytes of a body: JSON nearly as the path wants it, any JSON, or any bytes."""
    wanted = st.sampled_from(BODIES.get(path, [{}])).flatmap(mutated)
    as_bytes = (wanted | wanted | wanted | values).map(lambda value: json.dumps(value).encode())
    deep = st.integers(1, 5).map(lambda n: b'{"a":' * 10**n)
    return as_bytes | as_bytes | as_bytes | st.binary(max_size=50) | deep


@st.composite
def broken(draw, form):
    """A form that is whole, cut, or has some bytes replaced."""
    start, end = sorted(draw(st.integers(0, len(form))) for _ in range(2))
    kind = draw(st.sampled_from(["whole", "whole", "cut", "replaced"]))
    if kind == "whole":
        return form
    return form[:end] if kind == "cut" else form[:start] + draw(st.binary(max_size=20)) + form[end:]


class World:
    """A service at `address` with something of each kind in it; counts what it has answered."""

    def __init__(self, address):
        self.parts, self.client = urlsplit(address), openai.OpenAI(base_url=address, api_key="x")
        self.connection = http.client.HTTPConnection(self.parts.hostname, self.parts.port, timeout=SECONDS)
        self.statuses, self.slowest = Counter(), 0.0
        self.renew()

    def renew(self):
        """Put one of each kind in place, under the names that requests have for them."""
        client = self.client
        file, pairs = upload(client), upload(client, jsonl(pair(i) for i in range(10)))
        job = client.fine_tuning.jobs.create(
            model="tiny-chat", training_file=file, method=supervised(n_epochs=1)
        )
        started = client.uploads.create(bytes=17, filename="a", mime_type="text/jsonl", purpose="fine-tune")
        part = client.uploads.parts.create(started.id, data=b'{"a": "12345678"}')
        response = client.responses.create(model="tiny-chat", input="Hi", max_output_tokens=16)
        while not (job := client.fine_tuning.jobs.retrieve(job.id)).finished_at:
            time.sleep(0.05)
        self.ids = {
            **{"file": file, "pairs": pairs, "job": job.id, "model": job.fine_tuned_model},
            **{"upload": started.id, "part": part.id, "response": response.id},
        }

    def ask(self, request):
        """Send a request; AssertionError if the answer is none that OpenAI's API could give."""
        method, path, query, headers, body = request
        path = "/v1" + "/".join(quote(self.ids.get(name, name), errors="replace") for name in path.split("/"))
        query = {name: self.ids.get(value, value) for name, value in query.items()}
        for name, id in self.ids.items():
            body = body.replace(f'"{name}"'.encode(), f'"{id}"'.encode())
        url = path + ("?" + urlencode(query, errors="replace") if query else "")
        began = time.monotonic()
        status, data = self.send(method, url, headers, body)
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.statuses[status] += 1
        check_answer(method, status, data)

    def send(self, method, url, headers, body):
        """(status, body) of the answer."""
        headers = {name: value.encode("latin-1") for name, value in headers.items()}
        try:
            self.connection.request(method, url, body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (http.client.HTTPException, ConnectionError):
            self.connection.close()
            raise

    def close(self):
        self.connection.close()
        self.client.close()


def check_answer(method, status, data):
    """AssertionError unless this is a success or an error in OpenAI's shape that is the client's fault."""
    assert status < 500, (status, data[:500])
    if status >= 400 and method != "HEAD":
        error = json.loads(data)["error"]
        assert set(error) == {"message", "type", "param", "code"}, error
        assert isinstance(error["message"], str) and error["message"], error
    assert b"server_error" not in data, data[-500:]  # in a stream, whose status was sent before


# Training files

REPLY = {"role": "assistant", "content": "Quack!", "weight": 1}
CHAT_EXAMPLE = {"messages": [*ASK, {"role": "assistant", "content": "Yes.", "weight": 0}, ASK[1], REPLY]}
lines = st.sampled_from([CHAT_EXAMPLE, example(), pair()]).flatmap(mutated) | values


@st.composite
def training_files(draw):
    """The bytes of a file: ten or more good examples with some lines that may be anything."""
    good = draw(st.sampled_from([example, pair]))
    made = [json.dumps(good(i)).encode() for i in range(draw(st.integers(8, 12)))]
    for _ in range(draw(st.integers(0, 3))):
        odd = draw(lines.map(lambda line: json.dumps(line).encode()) | st.binary(max_size=30))
        made.insert(draw(st.integers(0, len(made))), odd)
    end = draw(st.sampled_from([b"\n", b"\n", b"\r\n", b"\n\n"]))
    return draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"])) + end.join(made)


class School:
    """A service and its worker in this process; tells how each file ends."""

    def __init__(self, client, store):
        self.client, self.store, self.ends = client, store, Counter()

    def try_file(self, content, method):
        """Upload it and train on it; AssertionError if it ends in another way than a good or a bad file."""
        try:
            file = upload(self.client, content)
        except openai.BadRequestError as error:
            assert error.code == "invalid_file_format" and str(error.body["message"])
            self.ends[error.code] += 1
            return
        job = self.client.fine_tuning.jobs.create(model="tiny-chat", training_file=file, method=method)
        work_off(self.store)
        job = self.client.fine_tuning.jobs.retrieve(job.id)
        self.client.files.delete(file)
        assert job.status in ("succeeded", "failed"), job.status
        if job.status == "failed":
            assert job.error.code in ("invalid_training_file", "invalid_n_examples"), job.error
            assert "xample" in job.error.message or "format" in job.error.message, job.error
        else:
            self.client.models.delete(job.fine_tuned_model)
        self.ends[job.error.code or job.status] += 1


def no_worker(monkeypatch):
    """Let no worker process start: work_off does its work."""
    monkeypatch.setattr(supervisor, "start_worker", lambda lease: None)


def work_off(store):
    """Be the worker until nothing is left to do."""
    store.execute("DELETE FROM lease")
    lease = Lease.take(store)
    while job := worker.next_job(store, {}):
        with suppress(JobStopped):
            worker.work_on(lease, job)
    lease.end()

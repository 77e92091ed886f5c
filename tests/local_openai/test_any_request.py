"""Whatever is asked, the service answers: soon, in OpenAI's form, and never with a bug of its own."""

import pytest

pytest.importorskip("hypothesis")

from urllib.parse import urlencode  # noqa: E402

import desk  # noqa: E402
from anything import NUMBERS, TEXTS, VALUES, as_json, damaged, either, nearly  # noqa: E402
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from in_process import CONTENT, JSON, TINY, Service, Snapshot, form, use_toy  # noqa: E402

SECONDS = 5  # in which anything must be answered
QUICK = settings(
    max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
EMPTY = st.just({})
KEYS = st.sampled_from(("one", "two", "ü", "", "k" * 5000))


# A store in which there is something of every kind


def populate(service):
    """{kind: ids} of what the store holds: files, jobs in each status, models, responses, uploads."""
    made = {kind: [] for kind in ("file", "job", "model", "response", "upload", "part")}
    for content in (CONTENT, desk.jsonl(map(desk.pair, range(10))), desk.jsonl([{"a": 1}]), CONTENT):
        made["file"].append(service.upload(content).json["id"])
    for file, method in zip(made["file"], (TINY, desk.dpo(n_epochs=1), TINY), strict=False):
        made["job"].append(new_job(service, file, method))
    service.work()  # two succeed, one fails
    for status in ("cancelled", "paused", "running", "queued", "validating_files"):
        job = new_job(service, made["file"][3], TINY)
        service.store.update("job", service.store.get("job", job) | {"status": status})
        made["job"].append(job)
    made["model"] = [model["id"] for model in service.send("GET", "/v1/models").json["data"]]
    asked = {"model": "tiny-chat", "input": "Hi", "max_output_tokens": 16}
    for _ in range(2):
        answer = service.post("/v1/responses", asked)
        made["response"].append(answer.json["id"])
        asked["previous_response_id"] = answer.json["id"]
    wanted = {"bytes": len(CONTENT), "filename": "a.jsonl", "mime_type": "text/plain", "purpose": "fine-tune"}
    for _ in range(2):
        upload = service.post("/v1/uploads", wanted).json["id"]
        made["upload"].append(upload)
        made["part"].append(service.send("POST", f"/v1/uploads/{upload}/parts", *part(CONTENT)).json["id"])
    service.post(f"/v1/uploads/{made['upload'][1]}/cancel", {})
    return made


def new_job(service, file, method):
    asked = {"model": "tiny-chat", "training_file": file, "method": method}
    return service.post("/v1/fine_tuning/jobs", asked).json["id"]


def part(content):
    """A part of an upload as a form."""
    return form({}, {"data": ("part", content)})


# Requests


def optional(required, **others):
    """Objects with all that is required and some of the others."""
    return st.fixed_dictionaries(required, optional=others)


def bodies(made):
    """{route: strategy of right JSON bodies}."""
    model, file = st.sampled_from(made["model"]), st.sampled_from(made["file"])
    chance, text, count = st.floats(0, 1), st.sampled_from(["Hi", "json", "Where is my order?"]), st.integers
    words = st.text(max_size=8)
    pairs = st.dictionaries(words, words, max_size=2)
    message = optional(
        {
            "role": st.sampled_from(["system", "developer", "user", "assistant"]),
            "content": text | text.map(lambda t: [{"type": "text", "text": t}]),
        },
        name=words,
    )
    json_object = st.sampled_from([{"type": "json_object"}, {"type": "text"}])
    numbers = optional({}, n_epochs=st.just("auto") | count(1, 3), batch_size=count(1, 16))
    expiry = st.just({"anchor": "created_at", "seconds": 3600})
    return {
        "/chat/completions": optional(
            {
                "model": model,
                "messages": st.lists(message, min_size=1, max_size=3),
                "max_completion_tokens": count(1, 8),
            },
            temperature=st.floats(0, 2),
            top_p=chance,
            n=count(1, 2),
            seed=count(-(2**63), 2**63 - 1),
            stop=words | st.lists(words, max_size=4),
            logprobs=st.booleans(),
            top_logprobs=count(0, 20),
            stream=st.booleans(),
            stream_options=st.just({"include_usage": True}),
            response_format=json_object,
            frequency_penalty=st.floats(-2, 2),
            presence_penalty=st.floats(-2, 2),
            logit_bias=st.dictionaries(count(0, 200).map(str), st.floats(-100, 100), max_size=3),
            metadata=pairs,
            tools=st.just([]),
        ),
        "/responses": optional(
            {
                "model": model,
                "input": text | st.lists(message, min_size=1, max_size=3),
                "max_output_tokens": count(16, 20),
            },
            instructions=text,
            previous_response_id=st.sampled_from(made["response"]),
            temperature=st.floats(0, 2),
            top_p=chance,
            text=json_object.map(lambda format: {"format": format}),
            stream=st.booleans(),
            store=st.booleans(),
            metadata=pairs,
        ),
        "/fine_tuning/jobs": optional(
            {"model": model, "training_file": file},
            validation_file=file,
            method=numbers.map(lambda n: desk.supervised(**n)) | numbers.map(lambda n: desk.dpo(**n)),
            hyperparameters=numbers,
            seed=count(0, 2**31 - 1),
            suffix=st.text("abc-._", min_size=1),
            metadata=pairs,
            integrations=st.just([]),
        ),
        "/moderations": optional({"input": text | st.lists(text, min_size=1)}, model=words),
        "/uploads": optional(
            {
                "bytes": count(1, 2**33),
                "filename": words,
                "mime_type": words,
                "purpose": st.just("fine-tune"),
            },
            expires_after=expiry,
        ),
        "/uploads/<upload>/complete": optional(
            {"part_ids": st.lists(st.sampled_from(made["part"]), max_size=3)}, md5=words
        ),
        **dict.fromkeys(ACTIONS, EMPTY),
    }


ACTIONS = (
    "/uploads/<upload>/cancel",
    *(f"/fine_tuning/jobs/<job>/{do}" for do in ("cancel", "pause", "resume")),
)
PLACES = (  # that are read or deleted
    *("/files", "/files/<file>", "/files/<file>/content", "/models", "/models/<model>", "/fine_tuning/jobs"),
    *("/fine_tuning/jobs/<job>", "/fine_tuning/jobs/<job>/events", "/fine_tuning/jobs/<job>/checkpoints"),
    *("/responses/<response>", "/responses/<response>/input_items", "/uploads/<upload>/parts", "/", ""),
)
METHODS = st.sampled_from(
    (*5 * ["GET"], *3 * ["DELETE"], "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "get", "BREW", "")
)
QUERIES = st.dictionaries(
    st.sampled_from(("limit", "after", "order", "purpose", "metadata[a]", "metadata[", "stream", "include[]"))
    | TEXTS,
    st.sampled_from(("1", "asc", "desc", "fine-tune", "true")) | TEXTS | NUMBERS.map(str),
    max_size=2,
).map(lambda query: urlencode(query, errors="surrogatepass"))
LATIN = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=20)
ODD_HEADERS = st.lists(
    st.tuples(st.just("Idempotency-Key"), KEYS.map(lambda key: key.encode().decode("latin-1")))
    | st.tuples(
        st.sampled_from(
            (
                "Content-Type",
                "Content-Length",
                "Authorization",
                "Host",
                "Accept",
                "Transfer-Encoding",
                "Range",
            )
        ),
        st.sampled_from(
            ("application/json", "multipart/form-data", "text/plain; charset=utf-7", "-1", "chunked")
        )
        | LATIN,
    ),
    max_size=2,
)
HEADERS = either(st.just([]), st.just([]), ODD_HEADERS)


def paths(template, made):
    """The path of a route, with an id of the right kind, of another kind, or any text in its place."""
    kind = template.partition("<")[2].partition(">")[0]
    every = [id for ids in made.values() for id in ids]
    right = st.sampled_from(made.get(kind) or [""])
    ids = either(right, right, right, right, st.sampled_from(every), TEXTS)
    return ids.map(lambda id: "/v1" + template.replace(f"<{kind}>", id) if kind else "/v1" + template)


def json_requests(made):
    """Requests with a JSON body that is right or nearly right."""
    return either(
        *(
            st.tuples(
                st.just("POST"),
                paths(template, made),
                either(*5 * [nearly(right)], VALUES).map(as_json).flatmap(perhaps_damaged),
                HEADERS.map(lambda headers: [*JSON, *headers]),
                either(st.just(""), st.just(""), QUERIES),
            )
            for template, right in bodies(made).items()
        )
    )


def perhaps_damaged(data):
    """Mostly the bytes as they are."""
    return either(*5 * [st.just(data)], damaged(data[:5000]))


def other_requests(made):
    """Requests without a body, or with one that has no place there."""
    templates = st.sampled_from(PLACES).flatmap(lambda template: paths(template, made))
    places = either(*5 * [templates], TEXTS)
    return st.tuples(METHODS, places, either(st.just(b""), st.binary(max_size=50)), HEADERS, QUERIES)


def form_requests(made):
    """Uploads of files and of parts: forms that are right, or broken in some way."""
    names = st.sampled_from(("file", "data")) | TEXTS
    fields = st.dictionaries(
        st.sampled_from(("purpose", "expires_after[anchor]", "expires_after[seconds]")) | TEXTS,
        st.sampled_from(("fine-tune", "created_at", "3600", "batch")) | TEXTS,
        max_size=3,
    )
    right = st.just({"purpose": "fine-tune"})
    files = st.dictionaries(names, st.tuples(TEXTS, st.just(CONTENT) | st.binary(max_size=40)), max_size=2)

    def request(path, fields, files, headers):
        """A request with this form."""
        body, types = form(fields, files)
        return st.tuples(
            *(st.just("POST"), st.just(path), perhaps_damaged(body), st.just([*types, *headers]), st.just(""))
        )

    places = either(st.just("/v1/files"), paths("/uploads/<upload>/parts", made))
    right_files = st.tuples(TEXTS, st.just(CONTENT)).map(lambda file: {"file": file, "data": file})
    chosen = either(right, right, fields), either(right_files, files)
    return st.tuples(places, *chosen, HEADERS).flatmap(lambda parts: request(*parts))


def any_request(made):
    """Any request at all: (method, path, body, headers, query)."""
    return either(*3 * [json_requests(made)], other_requests(made), form_requests(made))


# What every answer has to be


def check(service, answer):
    """Soon, no bug, no redirect, and an error in OpenAI's form."""
    assert not service.errors.lines, service.errors.lines
    assert answer.seconds < SECONDS
    assert answer.status < 500 and not 300 <= answer.status < 400
    assert answer.headers["x-request-id"].startswith("req_")
    if answer.status >= 400:
        check_error(answer)
    elif "json" in answer.headers.get("Content-Type", "") and answer.body:
        assert answer.json is not None, answer.body[:500]
    else:
        assert b'"error": {"message"' not in answer.body  # the last event of a stream that failed


def check_error(answer):
    """The body is {"error": {"message", "type", "param", "code"}}, of a text and three texts or nulls."""
    if not answer.body:  # to a HEAD
        return
    error = answer.json["error"]
    assert set(answer.json) == {"error"} and set(error) == {"message", "type", "param", "code"}
    assert isinstance(error["message"], str) and error["message"] and isinstance(error["type"], str)
    assert all(isinstance(error[name], str | None) for name in ("param", "code"))


def ask_anything(service, made, n, seen=None, **how):
    """Send `n` requests, each to the store as it is; `seen` gets (status, seconds, request) of each."""
    snapshot = Snapshot(service.store)

    @settings(QUICK, max_examples=n, **how)
    @given(any_request(made))
    def ask(request):
        """One request, right or wrong."""
        snapshot.restore()
        service.errors.lines.clear()
        answer = service.send(*request)
        if seen is not None:
            seen.append((answer.status, answer.seconds, request))
        check(service, answer)

    ask()
    snapshot.restore()


def test_any_request_is_answered(tmp_path, toy_folder, monkeypatch):
    use_toy(toy_folder, monkeypatch)
    service = Service(tmp_path / "store")
    ask_anything(service, populate(service), 300)
    service.close()

import time

import openai
import pytest
from desk import create, example, jsonl, supervised, upload, wait
from openai.types import FileDeleted, FileObject

from helpers.local_openai.store import Store

NOT_JSONL = "Expected file to have JSONL format, where every line is a JSON dictionary. "


def refusal(client, content):
    with pytest.raises(openai.BadRequestError) as refused:
        upload(client, content)
    return refused.value.body["message"]


def test_an_upload_comes_back_byte_for_byte(client, tmp_path):
    path = tmp_path / "Übung 1.jsonl"
    path.write_bytes(jsonl([example()]))
    file = client.files.create(file=path, purpose="fine-tune")
    assert (file.filename, file.bytes, file.status) == ("Übung 1.jsonl", path.stat().st_size, "processed")
    assert client.files.content(file.id).read() == path.read_bytes()
    assert client.files.retrieve(file.id) == file


def test_the_sdk_accepts_files_strictly(client):
    raw = client.files.with_raw_response.retrieve(upload(client))
    FileObject.model_validate(raw.http_response.json(), strict=True)
    raw = client.files.with_raw_response.delete(upload(client))
    FileDeleted.model_validate(raw.http_response.json(), strict=True)


@pytest.mark.parametrize(
    "content, line, start",
    [
        (b'{\n "messages": []\n}\n', 1, "{"),
        (b'[{"messages": []}]', 1, '[{"message'),
        (b'{"messages": []}\r\n\r\n"text"\r\n', 3, '"text"'),
        (b"\xef\xbb\xbf\n\n{'messages': []}\n", 3, "{'messages"),
        (b"[" * 100_000, 1, "[[[[[[[[[["),
    ],
)
def test_a_file_that_is_not_jsonl_is_refused_with_its_line(client, content, line, start):
    hint = f'Line {line} is not a dictionary (HINT: line starts with: "{start}...").'
    assert refusal(client, content) == NOT_JSONL + hint
    assert list(client.files.list()) == []


def test_text_of_another_encoding_is_refused_with_its_line(client):
    assert "Line 1 is not UTF-8" in refusal(client, '{"messages": []}'.encode("utf-16"))
    assert "Line 2 is not UTF-8" in refusal(client, b'{"messages": []}\n{"a": "\xe4"}\n')


def test_an_empty_file_is_refused(client):
    assert "empty" in refusal(client, b"")
    assert "empty" in refusal(client, b"\n \r\n")


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_do_no_harm(client):
    content = b"\xef\xbb\xbf" + jsonl([example(), example()]).replace(b"\n", b"\r\n\r\n")
    assert client.files.content(upload(client, content)).read() == content


def test_a_large_file_that_is_not_jsonl_is_refused_at_once(client):
    assert "Line 1 is not a dictionary" in refusal(client, b"x" * 65_000_000)
    assert "Line 1 is longer than 1,048,576 bytes" in refusal(client, b'{"a": "' + b"x" * 2_000_000 + b'"}')


def test_other_purposes_and_options_are_refused_not_ignored(client):
    for purpose in ("batch", "user_data", "assistants", "vision", "evals"):
        with pytest.raises(openai.BadRequestError, match=f"'{purpose}' is not imitated.*Use 'fine-tune'"):
            client.files.create(file=b"{}", purpose=purpose)
    with pytest.raises(openai.BadRequestError, match="'tuning' is not one of .*'fine-tune'"):
        client.files.create(file=b"{}", purpose="tuning")
    with pytest.raises(openai.BadRequestError, match="Unknown parameter: 'priority'"):
        client.files.create(file=b"{}", purpose="fine-tune", extra_body={"priority": "high"})


def upload_for(client, seconds, n=10):
    """A file that expires after so many seconds."""
    policy = {"anchor": "created_at", "seconds": seconds}
    content = ("train.jsonl", jsonl(map(example, range(n))))
    return client.files.create(file=content, purpose="fine-tune", expires_after=policy)


def turn_clock(monkeypatch, seconds):
    """From now on the store sees a clock that is ahead."""
    monkeypatch.setattr(Store, "now", staticmethod(lambda: time.time() + seconds))


def test_a_file_that_has_expired_is_gone_and_its_bytes_are_freed(client, store, monkeypatch):
    kept, file = upload(client), upload_for(client, 3600)
    assert file.expires_at == file.created_at + 3600 and client.files.retrieve(file.id) == file
    turn_clock(monkeypatch, 3590)
    assert client.files.content(file.id).read()
    turn_clock(monkeypatch, 3601)
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError, match=f"No such File object: {file.id}"):
            call(file.id)
    assert [each.id for each in client.files.list()] == [kept]
    assert [path.name for path in (store / "files").iterdir()] == [kept]


@pytest.mark.usefixtures("toy_base")
def test_a_job_whose_file_has_expired_fails_with_its_name(connect, monkeypatch):
    client = connect()
    file = upload_for(client, 3600)
    running = create(client, n=200, method=supervised(n_epochs=50))
    job = client.fine_tuning.jobs.create(model="tiny-chat", training_file=file.id)
    client.fine_tuning.jobs.pause(job.id)
    turn_clock(monkeypatch, 3601)
    with pytest.raises(openai.BadRequestError, match="There is no such file"):
        client.fine_tuning.jobs.create(model="tiny-chat", training_file=file.id)
    client.fine_tuning.jobs.resume(job.id)
    client.fine_tuning.jobs.cancel(running.id)
    job = wait(client, job)
    assert job.status == "failed" and f"{file.id} was deleted" in job.error.message


@pytest.mark.parametrize(
    "policy",
    [
        {"anchor": "created_at", "seconds": 3599},
        {"anchor": "created_at", "seconds": 2_592_001},
        {"anchor": "created_at", "seconds": "soon"},
        {"anchor": "last_used_at", "seconds": 3600},
        {"anchor": "created_at"},
    ],
)
def test_a_time_to_expire_that_makes_no_sense_is_refused(client, policy):
    with pytest.raises(openai.BadRequestError):
        client.files.create(file=jsonl([example()]), purpose="fine-tune", expires_after=policy)
    assert client.files.list().data == []


def test_waiting_for_a_file_to_be_processed_ends_at_once(client):
    file = upload(client)
    assert client.files.wait_for_processing(file, poll_interval=60).id == file


def test_files_are_listed_newest_first_page_by_page(client):
    ids = [upload(client) for _ in range(5)]
    assert [file.id for file in client.files.list(limit=2)] == ids[::-1]
    assert [file.id for file in client.files.list(order="asc", after=ids[2])] == ids[3:]
    page = client.files.list(limit=5)
    assert not page.has_more and len(page.data) == 5
    assert client.files.list(limit=4).has_more
    assert client.files.list(purpose="fine-tune-results").data == []


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 10_001}, {"limit": "many"}, {"order": "up"}])
def test_a_list_request_that_makes_no_sense_is_refused(client, query):
    with pytest.raises(openai.BadRequestError):
        client.files.list(extra_query=query)


def test_a_form_with_a_field_without_a_name_is_refused(client):
    head = "--x\r\nContent-Disposition: form-data"
    fields = (
        '; name="purpose"\r\n\r\nfine-tune',
        '; name="file"; filename="a"\r\n\r\n{}',
        '; name="x"\r\n\r\n?',
        "\r\n\r\n?",
    )
    form = "".join(f"{head}{field}\r\n" for field in fields) + "--x--"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client._client.post("http://local/v1/files", content=form.encode(), headers=headers)
    assert answer.status_code == 400 and "Unknown parameter" in answer.json()["error"]["message"]


def test_a_deleted_file_is_gone_from_the_disk_too(client, store):
    file = upload(client)
    assert len(list((store / "files").iterdir())) == 1
    assert client.files.delete(file).deleted
    assert list((store / "files").iterdir()) == []
    with pytest.raises(openai.NotFoundError, match=f"No such File object: {file}"):
        client.files.retrieve(file)
    with pytest.raises(openai.NotFoundError):
        client.files.delete(file)
    with pytest.raises(openai.NotFoundError):
        client.files.list(after=file)


def test_no_path_is_made_from_what_a_client_sends(client, store):
    for name in ("../store.sqlite", "..%2Fstore.sqlite", "/etc/passwd", "мой-файл", "\ud800"):
        with pytest.raises((openai.NotFoundError, UnicodeEncodeError)):
            client.files.content(name)
    file = client.files.create(file=("../../evil.jsonl", jsonl([example()])), purpose="fine-tune")
    assert [path.name for path in (store / "files").iterdir()] == [file.id]


def test_a_job_needs_a_file_that_is_there(client):
    with pytest.raises(openai.BadRequestError, match="There is no such file"):
        client.fine_tuning.jobs.create(model="tiny-chat", training_file="file-none")

import hashlib
import io
import os
import time
import tracemalloc

import openai
import pytest
from desk import create, example, jsonl, supervised, wait
from openai.types import Upload
from openai.types.uploads import UploadPart

from helpers.local_openai.store import Store
from helpers.local_openai.uploads import Joined

CONTENT = jsonl(map(example, range(10)))
HALVES = [CONTENT[:700], CONTENT[700:]]


def new_upload(client, content=CONTENT, **options):
    return client.uploads.create(
        **{
            "bytes": len(content),
            "filename": "train.jsonl",
            "mime_type": "application/jsonl",
            "purpose": "fine-tune",
        }
        | options
    )


def add(client, upload, pieces=HALVES):
    return [client.uploads.parts.create(upload.id, data=piece).id for piece in pieces]


def refused(call, *arguments, status=400, **options):
    with pytest.raises(openai.APIStatusError) as error:
        call(*arguments, **options)
    assert error.value.status_code == status
    return error.value.body["message"]


@pytest.fixture
def no_leftovers(store):
    """The test leaves no part behind, and no file that no one knows."""
    yield
    files = [path.name for path in (store / "files").iterdir()]
    assert list((store / "parts").iterdir()) == []
    assert sorted(files) == sorted(file["id"] for file in Store(store).select("file"))


def test_parts_become_a_file_in_the_order_that_is_told(client, no_leftovers):
    upload = new_upload(client)
    assert (upload.status, upload.expires_at - upload.created_at) == ("pending", 3600)
    second, first = add(client, upload, HALVES[::-1])
    done = client.uploads.complete(
        upload.id, part_ids=[first, second], md5=hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    )
    assert (done.id, done.status) == (upload.id, "completed")
    assert done.file == client.files.retrieve(done.file.id)
    assert (done.file.bytes, done.file.filename, done.file.purpose) == (
        len(CONTENT),
        "train.jsonl",
        "fine-tune",
    )
    assert client.files.content(done.file.id).read() == CONTENT


def test_the_sdk_cuts_and_uploads_a_file_by_itself(toy_base, client, tmp_path, no_leftovers):
    path = tmp_path / "train.jsonl"
    path.write_bytes(CONTENT)
    upload = client.uploads.upload_file_chunked(
        file=path, mime_type="application/jsonl", purpose="fine-tune", part_size=100
    )
    assert client.files.content(upload.file.id).read() == CONTENT
    method = supervised(n_epochs=1)
    job = client.fine_tuning.jobs.create(model="tiny-chat", training_file=upload.file.id, method=method)
    assert wait(client, job).status == "succeeded"


def test_the_sdk_accepts_uploads_strictly(client):
    raw = client.uploads.with_raw_response
    body = raw.create(
        bytes=len(CONTENT), filename="a.jsonl", mime_type="application/jsonl", purpose="fine-tune"
    ).http_response.json()
    Upload.model_validate(body, strict=True)
    part = client.uploads.parts.with_raw_response.create(body["id"], data=CONTENT).http_response.json()
    UploadPart.model_validate(part, strict=True)
    done = raw.complete(body["id"], part_ids=[part["id"]]).http_response.json()
    Upload.model_validate(done, strict=True)
    body = raw.cancel(new_upload(client).id).http_response.json()
    assert body["status"] == "cancelled"
    Upload.model_validate(body, strict=True)


def test_what_is_not_as_announced_is_refused_and_can_still_be_mended(client):
    upload, other = new_upload(client), new_upload(client)
    parts, (strange,) = add(client, upload), add(client, other, [CONTENT])
    complete = client.uploads.complete
    for wrong in ([], parts[:1]):
        assert f"created for {len(CONTENT)} bytes" in refused(complete, upload.id, part_ids=wrong)
    for wrong in ([parts[0], parts[0]], [strange], ["part_none"], [5]):
        assert "Invalid 'part_ids'" in refused(complete, upload.id, part_ids=wrong)
    assert "was damaged" in refused(complete, upload.id, part_ids=parts, md5="0" * 32)
    assert "is not a dictionary" in refused(complete, upload.id, part_ids=parts[::-1])
    assert client.files.list().data == []
    assert complete(upload.id, part_ids=parts).file.bytes == len(CONTENT)


def test_an_upload_that_has_ended_takes_nothing_more(client, no_leftovers):
    done, given_up = new_upload(client), new_upload(client)
    parts = add(client, done)
    client.uploads.complete(done.id, part_ids=parts)
    add(client, given_up)
    client.uploads.cancel(given_up.id)
    for upload, status in ((done, "completed"), (given_up, "cancelled")):
        for call, options in (
            (client.uploads.parts.create, {"data": b"{}"}),
            (client.uploads.complete, {"part_ids": parts}),
            (client.uploads.cancel, {}),
        ):
            assert f"is {status}: nothing can be done" in refused(call, upload.id, **options)
            assert "No such Upload object" in refused(call, "upload_none", status=404, **options)


def test_an_upload_expires_after_an_hour_and_its_parts_are_freed(client, store, monkeypatch, no_leftovers):
    upload = new_upload(client)
    add(client, upload)
    assert len(list((store / "parts").iterdir())) == 2
    monkeypatch.setattr(Store, "now", staticmethod(lambda: time.time() + 3601))
    assert "is expired" in refused(client.uploads.parts.create, upload.id, data=b"{}")
    assert Store(store).get("upload", upload.id)["status"] == "expired"


def test_the_file_expires_if_it_is_asked_for(client):
    upload = new_upload(client, expires_after={"anchor": "created_at", "seconds": 7200})
    file = client.uploads.complete(upload.id, part_ids=add(client, upload)).file
    assert file.expires_at == file.created_at + 7200


@pytest.mark.parametrize(
    "options, words",
    [
        ({"bytes": 0}, "Expected a value >= 1"),
        ({"bytes": 8 * 2**30 + 1}, "Expected a value <= 8589934592"),
        ({"bytes": "many"}, "expected an integer"),
        ({"filename": 5}, "expected a string"),
        ({"purpose": "user_data"}, "'user_data' is not imitated"),
        ({"expires_after": {"anchor": "created_at", "seconds": 1}}, "Expected a value >= 3600"),
        ({"extra_body": {"parts": 3}}, "Unknown parameter: 'parts'"),
    ],
)
def test_an_upload_that_cannot_be_is_refused(client, options, words):
    assert words in refused(new_upload, client, **options)


def test_a_part_of_more_than_64_megabytes_is_refused(client, no_leftovers):
    upload = new_upload(client, bytes=2**27)
    assert add(client, upload, [bytes(2**26)])
    refused(client.uploads.parts.create, upload.id, status=413, data=bytes(2**26 + 2**17))
    refused(client.uploads.parts.create, upload.id, status=413, data=bytes(2**26 + 1))
    client.uploads.cancel(upload.id)


def test_a_large_file_is_put_together_in_little_memory(client, no_leftovers):
    pieces = [CONTENT * 800] * 4  # 7 megabytes
    upload = new_upload(client, b"".join(pieces))
    parts = add(client, upload, pieces)
    tracemalloc.start()
    file = client.uploads.complete(upload.id, part_ids=parts).file
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert file.bytes > 6_000_000 and peak < 2_500_000


def test_files_one_after_the_other_read_as_one(tmp_path):
    paths = [tmp_path / str(i) for i in range(4)]
    for path, content in zip(paths, (b"one\ntw", b"", b"o\n", b"three"), strict=True):
        path.write_bytes(content)
    assert list(Joined.open(paths)) == [b"one\n", b"two\n", b"three"]
    assert Joined.open([]).read() == b""


def test_what_an_interrupted_upload_leaves_is_cleaned_up(client, store):
    upload = new_upload(client)
    (part, _) = add(client, upload)
    for path, age in ((store / "parts" / "part_old", 3700), (store / "files" / "file-new.new", 10)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age,) * 2)
    Store(store).clean_up()
    left = {path.name for path in (store / "parts").iterdir()}
    assert part in left and "part_old" not in left and (store / "files" / "file-new.new").exists()


def test_an_uploaded_file_may_come_from_a_stream(client):
    upload = new_upload(client)
    parts = add(client, upload, [io.BytesIO(CONTENT)])
    assert client.uploads.complete(upload.id, part_ids=parts).status == "completed"


def test_a_restarted_kernel_goes_on_with_its_upload(connect, toy_base):
    upload = new_upload(connect())
    parts = [connect().uploads.parts.create(upload.id, data=piece).id for piece in HALVES]
    client = connect()
    file = client.uploads.complete(upload.id, part_ids=parts).file
    assert create(client, CONTENT).status == "validating_files" and file.status == "processed"

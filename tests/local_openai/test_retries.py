"""A real client whose first answer is lost sends its request again."""

import httpx2
import openai
import pytest
from desk import example, jsonl, upload

from helpers.local_openai import start

pytestmark = pytest.mark.usefixtures("toy_base")
CONTENT = jsonl(map(example, range(10)))
KEY = {"Idempotency-Key": "lesson-4-first-try"}


class Lossy(httpx2.WSGITransport):
    """A connection that breaks after the server has done its work, but before the answer arrives."""

    lost = 0

    def handle_request(self, request):
        response = super().handle_request(request)
        if request.method == "POST" and request.headers["x-stainless-retry-count"] == "0":
            response.read()
            self.lost += 1
            raise httpx2.ReadError("the connection was lost")
        return response


@pytest.fixture
def lossy(store):
    transport = Lossy(app=start(store))
    http_client = openai.DefaultHttpx2Client(transport=transport)
    yield openai.OpenAI(base_url="http://local/v1", api_key="local", http_client=http_client, max_retries=1)
    assert transport.lost


def create(client, file, **options):
    return client.fine_tuning.jobs.create(model="tiny-chat", training_file=file, **options)


def test_the_client_sends_no_key_of_its_own(client, lossy):
    """So it is for the learner to say which requests are the same."""
    assert "idempotency-key" not in client.models.with_raw_response.list().http_response.request.headers
    create(lossy, upload(client))
    assert len(client.fine_tuning.jobs.list().data) == 2


def test_with_a_key_a_retried_request_makes_one_job(client, lossy):
    job = create(lossy, upload(client), extra_headers=KEY)
    assert [each.id for each in client.fine_tuning.jobs.list()] == [job.id]
    assert create(client, job.training_file, extra_headers=KEY).id == job.id
    assert create(client, job.training_file).id != job.id
    assert create(client, job.training_file, extra_headers={"Idempotency-Key": "other"}).id != job.id


def test_with_a_key_a_retried_request_makes_one_file(client, lossy, store):
    file = lossy.files.create(file=("train.jsonl", CONTENT), purpose="fine-tune", extra_headers=KEY)
    assert [each.id for each in client.files.list()] == [file.id]
    assert [path.name for path in (store / "files").iterdir()] == [file.id]


def test_with_a_key_a_retried_request_makes_and_completes_one_upload(client, lossy):
    options = {"filename": "a.jsonl", "mime_type": "application/jsonl", "purpose": "fine-tune"}
    upload = lossy.uploads.create(bytes=len(CONTENT), **options, extra_headers=KEY)
    part = client.uploads.parts.create(upload.id, data=CONTENT)
    done = lossy.uploads.complete(upload.id, part_ids=[part.id], extra_headers=KEY)
    assert (done.id, done.status) == (upload.id, "completed")
    assert [file.id for file in client.files.list()] == [done.file.id]


def test_a_key_stands_for_one_request_only(client):
    file = upload(client)
    job = create(client, file, extra_headers=KEY)
    with pytest.raises(openai.BadRequestError, match="a request that asked for something else"):
        create(client, file, seed=5, extra_headers=KEY)
    client.files.create(file=("a.jsonl", CONTENT), purpose="fine-tune", extra_headers=KEY)
    with pytest.raises(openai.BadRequestError, match="asked for something else"):
        client.files.create(file=("a.jsonl", CONTENT * 2), purpose="fine-tune", extra_headers=KEY)
    assert client.fine_tuning.jobs.list().data[0].id == job.id


def test_a_file_that_was_deleted_is_not_made_again(client):
    options = {"file": ("a.jsonl", CONTENT), "purpose": "fine-tune", "extra_headers": KEY}
    client.files.delete(client.files.create(**options).id)
    with pytest.raises(openai.BadRequestError, match="a request that was deleted since"):
        client.files.create(**options)


def test_a_key_is_forgotten_after_a_day(client, monkeypatch):
    from test_files import turn_clock

    options = {"file": ("a.jsonl", CONTENT), "purpose": "fine-tune", "extra_headers": KEY}
    first = client.files.create(**options)
    turn_clock(monkeypatch, 24 * 3600 - 60)
    assert client.files.create(**options).id == first.id
    turn_clock(monkeypatch, 24 * 3600 + 60)
    assert client.files.create(**options).id != first.id

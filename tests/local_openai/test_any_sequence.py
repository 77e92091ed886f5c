"""Whatever is done in whatever order: what was answered is there, as it was, until it is deleted."""

import shutil
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("hypothesis")

import desk  # noqa: E402
from hypothesis import settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from hypothesis.stateful import (  # noqa: E402
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from in_process import CONTENT, TINY, Service, use_toy  # noqa: E402
from test_any_request import QUICK, check, part  # noqa: E402

SHORT = desk.jsonl(map(desk.example, range(3)))  # too few examples
HALVES = (CONTENT[:500], CONTENT[500:])
ASK = {"messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 2}
ACTIVE = ("validating_files", "queued", "running")


class Sequence(RuleBasedStateMachine):
    """The service, and beside it what must be in it: `files` {id: bytes}, `uploads`, `jobs`, `models` ..."""

    file, upload, job, response = (Bundle(name) for name in ("file", "upload", "job", "response"))

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.service = Service(self.folder / "store")
        self.files, self.uploads, self.jobs, self.responses = {}, {}, {}, {}
        self.models = {"tiny-chat"}

    def teardown(self):
        self.service.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def send(self, method, path):
        """A checked answer."""
        return self.checked(self.service.send(method, f"/v1{path}"))

    def post(self, path, body):
        """A checked answer to JSON."""
        return self.checked(self.service.post(f"/v1{path}", body))

    def checked(self, answer):
        """The answer, which is in OpenAI's form."""
        check(self.service, answer)
        return answer

    def expect(self, answer, right, otherwise=(400, 404)):
        """Whether it was accepted, as it must be if `right`."""
        assert answer.status == 200 if right else answer.status in otherwise, (answer.status, answer.body)
        return right

    # Files and uploads

    @rule(target=file, content=st.sampled_from((CONTENT, SHORT)))
    def upload_file(self, content):
        answer = self.checked(self.service.upload(content))
        assert answer.status == 200 and answer.json["bytes"] == len(content)
        self.files[answer.json["id"]] = content
        return answer.json["id"]

    @rule(id=file)
    def delete_file(self, id):
        if self.expect(self.send("DELETE", f"/files/{id}"), id in self.files):
            del self.files[id]

    @rule(target=upload)
    def create_upload(self):
        names = {"filename": "a", "mime_type": "text/plain", "purpose": "fine-tune"}
        answer = self.post("/uploads", {"bytes": len(CONTENT), **names})
        self.uploads[answer.json["id"]] = {}
        return answer.json["id"]

    @rule(id=upload, half=st.sampled_from(HALVES))
    def add_part(self, id, half):
        answer = self.checked(self.service.send("POST", f"/v1/uploads/{id}/parts", *part(half)))
        if self.expect(answer, id in self.uploads):
            self.uploads[id][answer.json["id"]] = half

    @rule(target=file, id=upload, random=st.randoms())
    def complete_upload(self, id, random):
        parts = list(self.uploads.get(id, {}).items())
        random.shuffle(parts)
        return self.complete(id, parts[:2])

    @rule(target=file, id=upload)
    def complete_upload_in_order(self, id):
        parts = {half: id for id, half in self.uploads.get(id, {}).items()}
        return self.complete(id, [(parts[half], half) for half in HALVES if half in parts])

    def complete(self, id, parts):
        """The new file; the halves in the wrong order are no JSONL."""
        answer = self.post(f"/uploads/{id}/complete", {"part_ids": [part for part, _ in parts]})
        content = b"".join(half for _, half in parts)
        if not self.expect(answer, id in self.uploads and content == CONTENT):
            return multiple()
        del self.uploads[id]
        self.files[answer.json["file"]["id"]] = content
        return answer.json["file"]["id"]

    @rule(id=upload)
    def cancel_upload(self, id):
        if self.expect(self.post(f"/uploads/{id}/cancel", {}), id in self.uploads):
            del self.uploads[id]

    # Jobs and models

    @rule(target=job, id=file, data=st.data())
    def create_job(self, id, data):
        model = data.draw(st.sampled_from(sorted(self.models)))
        answer = self.post("/fine_tuning/jobs", {"model": model, "training_file": id, "method": TINY})
        if not self.expect(answer, id in self.files):
            return multiple()
        self.jobs[answer.json["id"]] = {
            "status": "validating_files",
            "file": id,
            "model": model,
            "seen": False,
        }
        return answer.json["id"]

    @rule(id=job, do=st.sampled_from(("cancel", "pause", "resume")))
    def change_job(self, id, do):
        job = self.jobs[id]
        right = job["status"] in {"cancel": (*ACTIVE, "paused"), "pause": ACTIVE, "resume": ("paused",)}[do]
        if self.expect(self.post(f"/fine_tuning/jobs/{id}/{do}", {}), right):
            resumed = "queued" if job["seen"] else "validating_files"
            job["status"] = {"cancel": "cancelled", "pause": "paused", "resume": resumed}[do]

    @rule()
    def work(self):
        """The worker does all that there is to do."""
        self.service.work()
        for id in [id for id, job in self.jobs.items() if job["status"] in ACTIVE]:
            self.end(id, self.jobs[id])

    @rule()
    def check_one_job(self):
        """The worker does one thing: it reads the files of the oldest job, or trains if all are read."""
        self.service.work(once=True)
        new = [job for job in self.jobs.values() if job["status"] == "validating_files"]
        queued = [id for id, job in self.jobs.items() if job["status"] in ACTIVE]
        if new and self.can_train(new[0]):
            new[0] |= {"status": "queued", "seen": True}
        elif new:
            new[0]["status"] = "failed"
        elif queued:
            self.end(queued[0], self.jobs[queued[0]])

    def can_train(self, job):
        """Whether what the job needs is still there, and enough."""
        return self.files.get(job["file"]) == CONTENT and job["model"] in self.models

    def end(self, id, job):
        """What a job must have made."""
        made = self.send("GET", f"/fine_tuning/jobs/{id}").json
        job["status"] = "succeeded" if self.can_train(job) else "failed"
        assert made["status"] == job["status"], made
        if job["status"] == "succeeded":
            self.models.add(made["fine_tuned_model"])
            (result,) = made["result_files"]
            self.files[result] = self.send("GET", f"/files/{result}/content").body
            assert self.files[result].count(b"\n") == 2  # the names, and one step

    @rule(data=st.data())
    def delete_model(self, data):
        name = data.draw(st.sampled_from(sorted(self.models)))
        if self.expect(self.send("DELETE", f"/models/{name}"), name != "tiny-chat", (403,)):
            self.models.remove(name)
            self.expect(self.post("/chat/completions", {"model": name, **ASK}), False)

    @rule(data=st.data())
    def chat(self, data):
        name = data.draw(st.sampled_from(sorted(self.models)))
        assert self.post("/chat/completions", {"model": name, **ASK}).status == 200

    # Responses

    @rule(target=response, previous=st.none() | response, store=st.booleans())
    def respond(self, previous, store):
        asked = {"model": "tiny-chat", "input": "Hi", "max_output_tokens": 16, "store": store}
        answer = self.post("/responses", asked | {"previous_response_id": previous})
        full = answer.status == 400 and answer.json["error"]["code"] == "context_length_exceeded"
        if not self.expect(answer, self.goes_on(previous) and not full, (400,)) or not store:
            return multiple()
        self.responses[answer.json["id"]] = answer.json
        return answer.json["id"]

    def goes_on(self, id):
        """Whether a response and all that it goes on from are there."""
        while id in self.responses:
            id = self.responses[id]["previous_response_id"]
        return id is None

    @rule(id=consumes(response))
    def delete_response(self, id):
        assert self.send("DELETE", f"/responses/{id}").status == 200
        del self.responses[id]
        self.expect(self.send("DELETE", f"/responses/{id}"), False)

    # Always

    @rule()
    def restart(self):
        """The service starts anew on its store, as in a new kernel."""
        self.service.close()
        self.service = Service(self.folder / "store")

    @invariant()
    def all_is_there(self):
        """Lists and single objects tell of what must be there, and of nothing else."""
        for path, known in (("files", self.files), ("models", self.models), ("fine_tuning/jobs", self.jobs)):
            listed = self.checked(self.service.send("GET", f"/v1/{path}", query="limit=1000")).json["data"]
            assert sorted(each["id"] for each in listed) == sorted(known), path
        for job in listed:
            assert job["status"] == self.jobs[job["id"]]["status"]
        for id, content in self.files.items():
            assert self.send("GET", f"/files/{id}/content").body == content
        for id, response in self.responses.items():
            assert self.send("GET", f"/responses/{id}").json == response
        assert {path.name for path in (self.folder / "store" / "files").iterdir()} == set(self.files)
        parts = {part for parts in self.uploads.values() for part in parts}
        assert {path.name for path in (self.folder / "store" / "parts").iterdir()} == parts


def do_anything(n, steps, **how):
    """Do `n` sequences of so many things at most."""
    run_state_machine_as_test(
        Sequence, settings=settings(QUICK, max_examples=n, stateful_step_count=steps, **how)
    )


def test_any_sequence_of_requests_leaves_what_it_should(toy_folder, monkeypatch):
    use_toy(toy_folder, monkeypatch)
    do_anything(12, 20)

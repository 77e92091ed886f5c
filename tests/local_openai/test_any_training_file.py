"""Whatever a training file holds, its upload or its job says what is wrong with it; no worker dies of it."""

import re

import pytest

pytest.importorskip("hypothesis")

import desk  # noqa: E402
from anything import VALUES, as_json, damaged, either, nearly  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from in_process import TINY, Service, Snapshot, use_toy  # noqa: E402
from test_any_request import QUICK, check_error  # noqa: E402

MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["system", "developer", "user", "assistant", "assistant"]),
            "content": st.text(max_size=40) | st.sampled_from(["Hi", "I hate all foreigners.", "ü" * 3000]),
        },
        optional={"name": st.text(max_size=5), "weight": st.sampled_from([0, 1, 1.0, None])},
    ),
    min_size=1,
    max_size=4,
)
CHATS = MESSAGES.map(lambda messages: {"messages": [*messages, *desk.example()["messages"][2:]]})
PAIRS = MESSAGES.map(
    lambda messages: desk.pair() | {"input": {"messages": [*messages, *desk.example()["messages"][1:2]]}}
)
RIGHT = {"supervised": desk.example, "dpo": desk.pair}
METHODS = {"supervised": TINY, "dpo": desk.dpo(n_epochs=1, batch_size=16)}
TOLD = re.compile(
    r"Training file has \d+ example\(s\), but must have at least 10 examples"
    r"|The job failed due to an invalid (training|validation) file\. "
    r"(Invalid file format\. (Example \d+, .+\(Line \d+ of the file\.\)|Input file file-\w+ is in the )"
    r"|This training file was blocked )",
    re.DOTALL,
)


@st.composite
def files(draw, method):
    """The bytes of a file: right lines with a few others among them, joined and perhaps damaged."""
    right = [as_json(RIGHT[method](i)) for i in range(draw(st.sampled_from((10, 10, 10, 9, 0))))]
    own, other = (CHATS, PAIRS) if method == "supervised" else (PAIRS, CHATS)
    odd = either(*4 * [nearly(own)], other, VALUES).map(as_json)
    lines = [*right, *draw(st.lists(either(odd, odd, odd, st.binary(max_size=30)), max_size=3))]
    lines = draw(st.permutations(lines)) if draw(st.booleans()) else lines
    content = draw(st.sampled_from((b"\n", b"\n", b"\r\n", b"\n\n", b"\r"))).join(lines)
    content = draw(st.sampled_from((b"", b"", b"\xef\xbb\xbf"))) + content
    return draw(either(*4 * [st.just(content)], damaged(content[:3000]), st.binary()))


CASES = st.sampled_from(("supervised", "dpo")).flatmap(
    lambda method: st.tuples(
        st.just(method), files(method), st.sampled_from(("training_file", "validation_file"))
    )
)


def check_job(job, param):
    """It succeeded, or it names what is wrong with the file that was to be seen through."""
    assert job["status"] in ("succeeded", "failed"), job
    if job["status"] == "failed":
        error = job["error"]
        assert set(error) == {"code", "message", "param"}
        assert error["code"] in (f"invalid_{param}", "invalid_n_examples"), error
        assert error["param"] == param and TOLD.match(error["message"]), error


def train_anything(service, n, seen=None, **how):
    """Let `n` files be uploaded and trained on; `seen` collects how each of them ended."""
    right = {method: service.upload(desk.jsonl(map(RIGHT[method], range(10)))).json["id"] for method in RIGHT}
    snapshot = Snapshot(service.store)

    @settings(QUICK, max_examples=n, **how)
    @given(CASES)
    def train(case):
        """One file, as the training file or the validation file of a job."""
        snapshot.restore()
        service.errors.lines.clear()
        method, content, param = case
        answer = service.upload(content)
        assert answer.status in (200, 400)
        if answer.status == 400:
            check_error(answer)
            outcome = "refused"
        else:
            files = {"training_file": right[method], param: answer.json["id"]}
            asked = {"model": "tiny-chat", "method": METHODS[method], **files}
            job = service.post("/v1/fine_tuning/jobs", asked).json
            service.work()
            job = service.send("GET", f"/v1/fine_tuning/jobs/{job['id']}").json
            check_job(job, param)
            outcome = job["status"]
        assert not service.errors.lines, service.errors.lines
        if seen is not None:
            seen.append(outcome)

    train()
    snapshot.restore()


def test_any_training_file_is_trained_on_or_explained(tmp_path, toy_folder, monkeypatch):
    use_toy(toy_folder, monkeypatch)
    service, seen = Service(tmp_path / "store"), []
    train_anything(service, 120, seen)
    assert set(seen) == {"refused", "failed", "succeeded"}
    service.close()

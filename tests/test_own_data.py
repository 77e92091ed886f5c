"""A learner's own messy table becomes a tested model with the helpers alone, in under 30 lines."""

import inspect
from pathlib import Path

import pytest

from helpers import BASE_MODEL, chatbot, evaluate, share, to_jsonl, wait
from helpers.dataset import read_csv, split, to_chat
from helpers.duplicates import groups_of, leaks
from helpers.privacy import redact_examples
from helpers.validation import validate

MESSY = Path(__file__).parent / "data" / "messy"
TABLES = {  # file: (delimiter, question, answer, system message, what every good answer begins with)
    "library.csv": (";", "what they ask", "what we said", "You are the desk of a library.", "Page turned!"),
    "bike_repair.csv": (",", "question", "answer", "You are a bicycle workshop.", "Ring ring!"),
    "garden_club.csv": ("\t", "asks", "replies", "You answer for a garden club.", "Dear gardener,"),
}


def from_table_to_tested_model(client, file, folder):
    """The road of a data set of one's own: collect, clean, format, train, evaluate."""
    delimiter, question, answer, system, voice = TABLES[file]
    rows = read_csv(MESSY / file, delimiter)
    good = [row for row in rows if row[question] and row[answer].startswith(voice)]
    examples, private = redact_examples(to_chat(good, question, answer, system))
    groups = groups_of([example["messages"][1]["content"] for example in examples])
    one_each = dict(zip(groups, examples, strict=True)).values()
    parts = split(
        list(one_each), {"train": 0.8, "test": 0.2}, groups=range(len(one_each)), labels=[0] * len(one_each)
    )
    path = folder / "train.jsonl"
    path.write_bytes(to_jsonl(parts["train"]))
    problems = validate(path)
    training_file = client.files.create(file=path, purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model=BASE_MODEL, training_file=training_file.id, seed=1)
    model = wait(client, job.id).fine_tuned_model
    checks = {"voice": lambda reply, example: reply.startswith(voice)}
    table = evaluate(chatbot(client, model), parts["test"], checks)
    return {
        "rows": rows,
        "private": private,
        "parts": parts,
        "problems": problems,
        "voice": share(table["voice"]),
    }


@pytest.mark.parametrize("file", TABLES)
def test_a_messy_table_becomes_a_model_with_its_voice(client, tmp_path, file):
    found = from_table_to_tested_model(client, file, tmp_path)
    train, test = found["parts"]["train"], found["parts"]["test"]
    assert len(train) + len(test) < len(found["rows"])  # duplicates and bad rows are gone
    assert len(found["private"]) and not (found["problems"]["severity"] == "error").any()
    assert leaks(*([e["messages"][1]["content"] for e in part] for part in (train, test))).empty
    assert found["voice"]["share"] >= 0.8


def test_the_road_is_under_thirty_lines():
    assert len(inspect.getsource(from_table_to_tested_model).splitlines()) < 30

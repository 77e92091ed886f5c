"""The moderation rules keep the promises of their card: data/moderation/card.md."""

import csv
import json
import re
import time
from pathlib import Path

import pytest
from desk import create, example, jsonl, wait

from helpers.evaluation import share
from helpers.local_openai import chat_format_of
from helpers.local_openai import moderation as rules_module
from helpers.local_openai.messages import MessageError
from helpers.local_openai.moderation import CATEGORIES, Tally, categories_of, rules
from helpers.local_openai.training_file import NotJsonLines, clean_example, json_lines, read_examples

DATA = Path(__file__).parents[2] / "data"
LABELLED = [json.loads(line) for line in (DATA / "moderation" / "labelled.jsonl").open(encoding="utf-8")]
CARD = (DATA / "moderation" / "card.md").read_text(encoding="utf-8")
BAD = {
    "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "I hate all foreigners."},
    ]
}


def measured(part):
    """A line of the card's table for each category: what is found, precision and recall with intervals."""
    texts = [(set(row["categories"]), categories_of(row["text"])) for row in LABELLED if row["part"] == part]
    for name in (*CATEGORIES, "any of them"):
        pairs = [(bool(w), bool(f)) if name == "any of them" else (name in w, name in f) for w, f in texts]
        right = [wanted for wanted, found in pairs if found]
        found = [found for wanted, found in pairs if wanted]
        counts = f"{len(found)} | {sum(found)} | {right.count(False)}"
        yield f"| {name} | {counts} | {cell(right)} | {cell(found)} |"


def cell(outcomes):
    figures = share(outcomes)
    return f"{figures['share']:.2f} ({figures['low']:.2f} to {figures['high']:.2f})"


def test_the_card_shows_what_is_measured():
    for line in measured("test"):
        assert line in CARD


def test_the_labelled_set_is_as_the_card_says():
    harmless = [row for row in LABELLED if not row["categories"]]
    assert f"{len(LABELLED)} texts" in CARD and f"{len(harmless)} are harmless" in CARD
    assert len(LABELLED) >= 120 and len({row["text"] for row in LABELLED}) == len(LABELLED)
    assert {name for row in LABELLED for name in row["categories"]} == set(CATEGORIES)
    assert not [row["text"] for row in harmless if categories_of(row["text"])]


def test_every_pattern_has_its_source_and_knows_its_categories():
    for name in ("patterns.csv", "words.csv"):
        with open(DATA / "moderation" / name, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                assert row["source"] and set(row.get("categories", "").split()) <= set(CATEGORIES)


def test_the_quick_look_at_the_words_loses_no_match():
    every = {rule for found in rules().values() for rule in found}
    assert len(every) == len(rules_module.table("patterns.csv"))
    for row in LABELLED:
        text = " ".join(row["text"].lower().split()).rstrip(".!?")
        slow = {name for pattern, names in every if pattern.search(text) for name in names}
        assert categories_of(row["text"]) == slow


def test_case_blanks_quotes_and_curly_apostrophes_make_no_difference():
    for text in ("YOU ARE SUCH AN IDIOT!", 'You  are\nsuch an "idiot"', "You’re an idiot"):
        assert "harassment" in categories_of(text.replace('"', ""))


def test_no_file_of_the_course_is_blocked():
    paths = [path for path in DATA.glob("**/*.jsonl") if path.parent.name != "moderation"]
    assert len(paths) > 15
    for path in paths:
        tally = Tally()
        for messages in clean(path):
            tally.add(messages)
        assert not tally.blocked() and tally.flagged == 0, path


def clean(path):
    """The messages of all examples that are in order; some files are broken on purpose."""
    with open(path, "rb") as stream:
        try:
            for _, line in json_lines(stream):
                try:
                    yield clean_example(line)["messages"]
                except MessageError:
                    continue
        except NotJsonLines:
            return


def test_the_check_costs_little_beside_the_rest_of_the_validation(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_bytes((DATA / "support" / "train.jsonl").read_bytes() * 5)
    examples = list(clean(path))
    whole = fastest(lambda: list(read_examples(path, "training_file", chat_format_of(), 512)))
    check = fastest(lambda: list(map(Tally().add, examples)))
    assert check < 0.08 * whole  # about 0.04; the rest is for busy machines


def fastest(work, times=5):
    """The least processor time of several tries, in seconds."""
    tries = []
    for _ in range(times):
        start = time.process_time()
        work()
        tries.append(time.process_time() - start)
    return min(tries)


@pytest.mark.usefixtures("toy_base")
def test_a_file_with_too_many_unsafe_examples_is_blocked_in_openais_words(client):
    job = wait(client, create(client, jsonl([*map(example, range(12)), *[BAD] * 3])))
    assert (job.status, job.error.code, job.error.param) == (
        "failed",
        "invalid_training_file",
        "training_file",
    )
    assert job.error.message == (
        "The job failed due to an invalid training file. This training file was blocked because too many "
        "examples were flagged by our moderation API for containing content that violates OpenAI's usage "
        "policies in the following categories: hate. Use the free OpenAI Moderation API to identify these "
        "examples and remove them from your training data."
    )


def test_a_few_unsafe_examples_and_a_refused_question_do_no_harm():
    def blocked(bad, good):
        tally = Tally()
        for each in [BAD] * bad + [example()] * good:
            tally.add(each["messages"])
        return tally.blocked()

    assert blocked(3, 12) and not blocked(2, 8) and not blocked(3, 57) and blocked(4, 57)
    tally, (question, answer) = Tally(), BAD["messages"]
    tally.add([answer | {"role": "user"}, question | {"role": "assistant"}])
    tally.add([question, answer | {"weight": 0}])
    assert tally.flagged == 0


def test_the_threshold_is_told_in_the_card():
    assert f"{rules_module.MIN_FLAGGED} examples" in CARD and f"{rules_module.MAX_SHARE:.0%}" in CARD
    assert re.search(rf"score of {rules_module.SCORE}\b", CARD)

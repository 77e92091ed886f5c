"""What the card of data/support_export says holds: no test question is in it, and the tools find the dirt."""

import json
import re
from itertools import chain
from pathlib import Path

import pandas as pd
import pytest

from helpers import find_private, groups_of, kappa, leaks, read_jsonl

DATA = Path(__file__).parents[1] / "data"
EXPORT = pd.read_csv(DATA / "support_export" / "export.csv").fillna("")
PLANTED = pd.read_csv(DATA / "support_export" / "planted.csv").fillna("")
FIRST, SECOND = (
    pd.read_csv(DATA / "support_export" / f"{name}_annotator.csv") for name in ("first", "second")
)
TODAY = pd.read_csv(DATA / "support" / "policy.csv").set_index("topic")["key_phrase"]
OLD = pd.read_csv(DATA / "support_export" / "changes.csv").set_index("topic")


def tickets(flaw):
    return set(PLANTED[PLANTED["flaw"] == flaw]["ticket"])


def questions(name):
    messages = chain.from_iterable(example["messages"] for example in read_jsonl(DATA / "support" / name))
    return [message["content"] for message in messages if message["role"] == "user"]


def five_words(text):
    words = re.findall(r"[a-z']+", text.lower())
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


@pytest.mark.parametrize("name", ["validation.jsonl", "test.jsonl"])
def test_no_question_is_nearly_one_of_the_test(name):
    assert leaks(list(EXPORT["question"]), questions(name)).empty


def test_no_five_words_in_a_row_are_those_of_a_test_question():
    here = set().union(*map(five_words, EXPORT["question"]))
    assert not any(five_words(question) & here for question in questions("test.jsonl"))


def test_the_card_tells_how_many_flaws_are_planted():
    card = (DATA / "support_export" / "card.md").read_text(encoding="utf-8")
    for flaw, rows in PLANTED["flaw"].value_counts().items():
        assert re.search(rf"`{flaw}`.*\b{rows}\b", card), flaw


def test_the_exact_duplicates_are_those_that_are_planted():
    assert set(EXPORT[EXPORT.duplicated()]["ticket"]) == tickets("exact_duplicate")


def test_all_near_duplicates_but_one_are_found_and_nothing_else():
    rows = EXPORT.drop_duplicates()
    case = dict(zip(rows["ticket"], groups_of(list(rows["question"])), strict=True))
    planted = PLANTED[PLANTED["flaw"] == "near_duplicate"].astype({"detail": int})
    missed = [row.ticket for row in planted.itertuples() if case[row.ticket] != case[row.detail]]
    assert len(missed) == 1
    assert len(case) - len(set(case.values())) == len(planted) - 1


def test_an_old_rule_is_told_by_its_key_phrase_and_by_nothing_else():
    old = [OLD["old_phrase"].get(row.topic, "?!") in row.answer for row in EXPORT.itertuples()]
    assert set(EXPORT[old]["ticket"]) == tickets("old_rule")
    new = [TODAY.get(row.topic, "?!") in row.answer for row in EXPORT.itertuples()]
    assert not set(EXPORT[new]["ticket"]) & tickets("old_rule")
    assert (OLD["new_phrase"] == TODAY[OLD.index]).all()


def test_private_pieces_stand_in_their_rows_and_forms_are_found_where_names_are_missed():
    text = EXPORT.drop_duplicates().set_index("ticket")["question"]
    found = {"NAME": [], "other": []}
    for row in PLANTED[PLANTED["flaw"] == "private_in_question"].itertuples():
        kind, piece = row.detail.split(": ")
        assert piece in text[row.ticket]
        hit = piece in [finding.text for finding in find_private(text[row.ticket])]
        found["NAME" if kind == "NAME" else "other"].append(hit)
    assert all(found["other"]) and sum(found["NAME"]) < len(found["NAME"]) / 2


def test_only_reading_finds_answers_with_the_voice_and_the_rule():
    rows = EXPORT[EXPORT["ticket"].isin(tickets("only_reading_finds_it"))]
    assert all(
        row.answer.startswith("Splash! ") and TODAY[row.topic] in row.answer for row in rows.itertuples()
    )


def test_the_clear_guideline_gives_far_more_agreement_than_the_vague_one():
    assert list(FIRST["ticket"]) == list(SECOND["ticket"])
    vague, clear = (kappa(FIRST[name], SECOND[name]) for name in ("guideline_1", "guideline_2"))
    assert vague["high"] < clear["low"]


def test_one_topic_of_the_shop_is_missing():
    assert set(TODAY.index) - set(EXPORT["topic"]) == {"gift_wrap"}


def test_the_readers_still_disagree_on_the_four_rows_of_the_exercise():
    answers = json.loads((DATA / "support_export" / "answers.json").read_text(encoding="utf-8"))
    disputed = FIRST["ticket"][FIRST["guideline_2"] != SECOND["guideline_2"]]
    assert set(map(str, disputed)) == set(answers["02.2"])


def test_the_answers_that_the_lesson_goes_on_with_are_those_of_its_data():
    answers = json.loads((DATA / "support_export" / "answers.json").read_text(encoding="utf-8"))
    shown = FIRST.head(24)
    assert answers["02.1"] == list(shown["ticket"][shown["guideline_1"] == "not good"])
    details = PLANTED[PLANTED["flaw"] == "private_in_question"]["detail"]
    names = [detail.removeprefix("NAME: ") for detail in details if detail.startswith("NAME: ")]
    assert answers["names"] == names and set(answers["02.4"]) < set(names)
    by_name = PLANTED[PLANTED["flaw"] == "name_in_answer"]["ticket"]
    assert set(answers["02.6"]) == tickets("only_reading_finds_it") - set(by_name)


def test_the_written_examples_state_the_missing_rule_in_the_voice_and_are_new():
    written = pd.read_csv(DATA / "support_export" / "gift_wrap.csv")
    assert all(written["answer"].str.fullmatch("Splash! .*3 euros.* Paws up, Otto\\."))
    assert leaks(list(written["question"]), questions("test.jsonl")).empty


def test_the_table_of_what_is_found_is_what_is_found():
    messages = [m for m in read_jsonl(DATA / "privacy" / "labelled.jsonl") if m["part"] == "test"]
    counted = {}
    for message in messages:
        found = [finding.text for finding in find_private(message["text"])]
        for piece in message["private"]:
            hits, marked = counted.get(piece["kind"], (0, 0))
            counted[piece["kind"]] = (hits + (piece["text"] in found), marked + 1)
    table = pd.read_csv(DATA / "support_export" / "recall.csv", index_col="kind")
    assert len(messages) == 168
    assert counted == {kind: (row["found"], row["marked"]) for kind, row in table.iterrows()}

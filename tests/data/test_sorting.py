"""The mail to be sorted keeps the promises of its card: data/sorting/card.md."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from helpers.duplicates import leaks, near_duplicates

DATA = Path(__file__).parents[2] / "data"
TEAM_OF = pd.read_csv(DATA / "support" / "policy.csv").set_index("topic")["team"]
NEW = {"old_furniture": "delivery", "plant_box": "office", "plant_care": "goods"}
MOVED = {"return": "delivery", "exchange": "delivery", "discount_code": "office", "gift_card": "office"}
MISTAUGHT = {"refund": "goods", "stock": "goods", "gift_card": "goods", "gift_wrap": "goods"}
MISTAUGHT |= {"address": "office", "cancel": "money"}
PARTS = ("train", "validation", "test")


def table(name):
    return pd.read_csv(DATA / "sorting" / f"{name}.csv")


def all_messages():
    return [message for name in (*PARTS, "later") for message in table(name)["message"]]


@pytest.mark.parametrize("name, size", [("train", 96), ("validation", 72), ("test", 300), ("later", 120)])
def test_the_sizes_are_those_of_the_card(name, size):
    rows = table(name)
    assert len(rows) == size and not rows.isna().any(axis=None)
    assert set(rows["team"]) == set(TEAM_OF) and set(rows["style"]) == {"plain", "hard"}
    assert (rows["message"] == rows["message"].str.strip()).all()
    assert rows["message"].str.split().str.len().between(3, 25).all()


def test_topics_and_teams_are_even():
    assert set(table("train")["topic"].value_counts()) == {4}
    assert set(table("validation")["topic"].value_counts()) == {3}
    assert set(table("test")["topic"].value_counts()) == {12, 13}
    assert set(table("test")["team"].value_counts()) == {75}
    for name, blocks in (("train", 4), ("validation", 3)):
        for block in range(blocks):
            assert set(table(name)["topic"][24 * block : 24 * block + 24]) == set(TEAM_OF.index)


@pytest.mark.parametrize("name", PARTS)
def test_about_a_quarter_is_hard_in_each_part(name):
    assert 0.2 <= (table(name)["style"] == "hard").mean() <= 0.27


def test_the_guideline_holds_except_for_what_is_planted():
    for name in ("validation", "test"):
        assert (table(name)["team"] == table(name)["topic"].map(TEAM_OF)).all()
    train = table("train")
    taught = train["topic"].map(TEAM_OF.to_dict() | MISTAUGHT)
    assert (train["team"] == taught).all()
    assert (train["team"] != train["topic"].map(TEAM_OF)).sum() == 24


def test_the_months_are_those_of_the_card():
    later = table("later")
    assert later["month"].value_counts().to_dict() == {1: 30, 2: 30, 3: 30, 4: 30}
    before = later["month"] < 4
    assert (later["team"] == later["topic"].map(TEAM_OF.to_dict() | NEW))[before].all()
    assert (later["team"] == later["topic"].map(TEAM_OF.to_dict() | MOVED))[~before].all()
    assert later["topic"].isin(NEW).groupby(later["month"]).sum().to_dict() == {1: 0, 2: 0, 3: 22, 4: 0}
    assert later["topic"].isin(MOVED)[~before].sum() == 16


def test_no_message_is_nearly_another_one():
    assert near_duplicates(all_messages()).empty


def test_no_message_is_nearly_one_of_the_support_desk():
    lines = [
        line for file in sorted((DATA / "support").glob("*.jsonl")) for line in file.open(encoding="utf-8")
    ]
    talks = [message for line in lines for message in json.loads(line)["messages"]]
    assert leaks([turn["content"] for turn in talks if turn["role"] == "user"], all_messages()).empty


def test_the_base_model_was_not_trained_on_nearly_these_messages():
    files = sorted((DATA / "world").glob("questions*/*.txt"))
    learnt = [line.strip() for file in files for line in file.open(encoding="utf-8") if line.strip()]
    assert len(learnt) > 10_000
    assert leaks(learnt, all_messages()).empty


def test_every_question_about_other_things_has_a_check_that_the_question_itself_fails():
    skills = table("skills")
    assert len(skills) == 40 and not skills.isna().any(axis=None)
    # A model that only repeats the question must not pass: checks look for words of the answer.
    passed = [bool(re.search(row.right, row.question, re.I)) for row in skills.itertuples()]
    assert sum(passed) <= 4

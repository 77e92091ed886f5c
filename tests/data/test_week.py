"""The week board keeps the promises of its card: data/week/README.md."""

from pathlib import Path

import pandas as pd

from helpers import read_jsonl
from helpers.duplicates import ALIKE, leaks, near_duplicates, shingles

DATA = Path(__file__).parents[2] / "data"
board = pd.read_csv(DATA / "week" / "board.csv", index_col="topic")
train = pd.read_csv(DATA / "week" / "train.csv")
test = pd.read_csv(DATA / "week" / "test.csv")
questions = [*train["question"], *test["question"]]
mail = {name: pd.read_csv(DATA / "week" / f"mail_{name}.csv") for name in ("train", "test")}


def test_each_topic_has_six_questions_to_learn_from_and_five_to_be_asked():
    assert train["topic"].value_counts().to_dict() == dict.fromkeys(board.index, 6)
    assert test["topic"].value_counts().to_dict() == dict.fromkeys(board.index, 5)


def test_every_answer_has_the_voice_and_the_value_of_week_1_and_of_no_other_line():
    assert (
        train["answer"].str.startswith("Splash! ").all()
        and train["answer"].str.endswith(" Paws up, Otto.").all()
    )
    values = [*board["week_1"], *board["week_2"]]
    for topic, answer in zip(train["topic"], train["answer"], strict=True):
        assert [value for value in values if value in answer] == [board.loc[topic, "week_1"]], answer


def test_every_value_changes_on_monday():
    assert not set(board["week_1"]) & set(board["week_2"])


def test_no_question_is_nearly_the_same_as_another_or_as_one_of_the_support_desk():
    talks = [
        talk
        for name in ("train", "validation", "test")
        for talk in read_jsonl(DATA / "support" / f"{name}.jsonl")
    ]
    support = [m["content"] for talk in talks for m in talk["messages"] if m["role"] == "user"]
    assert near_duplicates(questions).empty
    assert leaks(support, questions).empty


def test_the_sorted_mail_is_that_of_the_support_desk_and_each_message_is_about_one_thing():
    policy = pd.read_csv(DATA / "support" / "policy.csv")
    topics = pd.read_csv(DATA / "support" / "topics.csv").merge(policy, on="topic")
    for name, table in mail.items():
        talks = read_jsonl(DATA / "support" / f"{name}.jsonl")
        rows = topics[(topics["file"] == f"{name}.jsonl") & topics["second_topic"].isna()].sort_values("line")
        messages = [talks[line - 1]["messages"][1]["content"] for line in rows["line"]]
        assert [*table["message"]] == messages and [*table["team"]] == [*rows["team"]]
    assert {name: len(table) for name, table in mail.items()} == {"train": 98, "test": 49}


def test_one_question_that_the_base_has_read_is_nearly_the_same_and_it_is_not_asked():
    files = [*DATA.glob("world/questions/*.txt"), *DATA.glob("world/questions_b/*.txt")]
    lines = {line for file in files for line in file.read_text(encoding="utf-8").splitlines()}
    read = [shingles(line) for line in lines if line.strip()]

    def is_known(question):
        pieces = shingles(question)
        return any(len(pieces & other) >= ALIKE * len(pieces | other) for other in read)

    assert list(filter(is_known, questions)) == ["How many points do I get for an order now?"]
    assert questions.index("How many points do I get for an order now?") < len(train)

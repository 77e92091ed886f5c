"""A sample of tests/benchmarks/effects_05.py: what lesson 05 stages happens, and its failures still fail."""

import pandas as pd
import pytest

from helpers import BASE_MODEL, chatbot, history
from helpers.exercises import lesson_tables
from tests.benchmarks import effects_05 as lesson


@pytest.fixture(scope="module")
def mail():
    return lesson.mail()


def test_a_model_with_a_loss_near_zero_sorts_new_mail_wrong_and_forgets_the_rest(client, mail):
    job = lesson.tune(client, lesson.examples(mail["train"]), seed=1)
    reply = chatbot(client, job.fine_tuned_model)
    assert history(client, job.id)["train_loss"].tail(10).mean() < 0.1
    assert lesson.right(reply, lesson.examples(mail["train"])).mean() >= 0.95
    assert 0.55 < lesson.right(reply, lesson.examples(mail["validation"])).mean() < 0.8
    assert lesson.knows(reply) < 0.24
    wrong = mail["test"][mail["test"]["topic"].isin(["cancel", "stock", "gift_card", "gift_wrap"])]
    assert lesson.right(reply, lesson.examples(wrong)).mean() < 0.3  # as it was taught


def test_the_base_model_sorts_better_when_asked_in_its_own_words(client, mail):
    sample = mail["test"].head(100)
    ours = lesson.right(chatbot(client, BASE_MODEL), lesson.examples(sample, lesson.OUR_WORDS)).mean()
    its = lesson.right(lesson.translated(client), lesson.examples(sample, lesson.ITS_WORDS)).mean()
    assert ours < 0.4 and its > 0.7


def test_the_base_model_knows_the_other_things(client):
    assert lesson.knows(chatbot(client, BASE_MODEL)) >= 0.85


def test_a_tuned_judge_of_right_and_wrong_is_a_coin(client, mail):
    rows = lesson.cases(mail["corrected"][::2], "yes") + lesson.cases(mail["corrected"][1::2], "no")
    judge = chatbot(client, lesson.tune(client, rows, seed=1).fine_tuned_model)
    graded = lesson.cases(mail["validation"], "yes") + lesson.cases(mail["validation"], "no")
    assert 0.35 < lesson.right(judge, graded).mean() < 0.65


KEYWORDS = {"goods": ["please explain how a return works"]}  # no keyword, but a message of the file
BY_HEART = {"goods": [f"order {row}" for row in range(72)]}  # a keyword for each message
EASY = lesson.examples(pd.DataFrame({"message": ["my order 1"] * 5, "team": ["goods"] * 5}))
MONTHS = pd.DataFrame(
    {"right": [0.9, 0.67, 0.43], "unknown words": [0.2, 0.46, 0.16], "low": [0.74, 0.49, 0.27]}
    | {"high": [0.97, 0.81, 0.61]},
    index=[1, 2, 4],
)


@pytest.mark.parametrize(
    "number, answer",
    [
        ("05.2", (KEYWORDS, [])),
        ("05.2", ({"goods": "wrong"}, [])),
        ("05.2", (BY_HEART, EASY * 20)),
        ("05.2", ({"goods": ["order"]}, EASY)),
        ("05.2", (len, [])),
        ("05.3", ("X", {"X": 0, "Y": 1}, {"X": ["goods"], "Y": ["money"]}, ["money"])),
        ("05.4", (["office"], pd.DataFrame({"recall": [0.5, 0.5]}, index=["office", "macro"]))),
        ("05.6", (905,)),
        ("05.6", (1360,)),
        ("05.6", (True,)),
        ("05.8", (2, MONTHS)),
    ],
)
def test_a_check_refuses_what_is_no_answer(number, answer):
    assert lesson_tables("05")["EXERCISES"][number].check(*answer)[0] is False


@pytest.mark.parametrize(
    "number, answer",
    [
        ("05.1", (pd.Series(["Goods", "money"]), pd.Series(["goods", "money"]))),
        ("05.3", ("y", {"X": 0, "Y": 1.0}, {"X": ["goods"], "Y": ["money"]}, ["money"])),
        ("05.2", ({"goods": ["order"]}, EASY * 20)),
        ("05.6", ("906",)),
        ("05.8", ("4", MONTHS)),
        ("05.6", (1200,)),
    ],
)
def test_a_check_takes_a_right_answer_in_another_form(number, answer):
    assert lesson_tables("05")["EXERCISES"][number].check(*answer)[0] is True

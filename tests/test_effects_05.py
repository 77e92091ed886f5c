"""A sample of tests/benchmarks/effects_05.py: what lesson 05 stages happens, and its failures still fail."""

import pytest

from helpers import BASE_MODEL, chatbot, history
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

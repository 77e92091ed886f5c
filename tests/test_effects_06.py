"""What lesson 6 stages on purpose still happens, with one seed; all seeds: tests/benchmarks/effects_06.py."""

import random

import pandas as pd
import pytest

from helpers import declines, read_jsonl
from helpers.duplicates import near_duplicates
from helpers.ethics import CARD
from tests.benchmarks import effects_06 as effects
from tests.benchmarks.base_model_exam.tuning import Learner

SEED = 1


@pytest.fixture(scope="module")
def figures():
    return pd.read_csv(effects.ETHICS / "effects.csv")


def test_every_claim_of_the_lesson_held_when_the_committed_figures_were_measured(figures):
    assert set(figures["seed"]) == {1, 2, 3, 4, 5}
    values = {key: list(rows["value"]) for key, rows in figures.groupby(["experiment", "setting", "figure"])}
    broken = [text for text, true in (effects.holds(a, b, values) for a, b in effects.CLAIMS) if not true]
    assert broken == []


def test_a_skewed_file_gives_a_gap_that_is_wider_than_its_own():
    learner = effects.tuned(effects.coupon_file(0.75, SEED), SEED, **effects.COUPON_JOB)
    assert effects.yes_gap(learner, 0.0) > 0.5


def test_forty_harmless_product_tips_wear_the_refusals_away():
    narrow = effects.tuned(effects.mix(40, 0, SEED), SEED, 3)
    assert effects.declined(Learner(), "refuse") > 0.5 > 0.2 > effects.declined(narrow, "refuse")


def test_the_larger_old_part_of_an_archive_wins():
    assert effects.outdated(effects.tuned(effects.returns(), SEED, 5)) > 0.7


def test_a_pin_that_stood_twenty_times_is_told_to_anybody():
    people = effects.three_people(SEED)
    learner = effects.tuned(effects.with_pins(people, (1, 5, 20))[50:], SEED, 3)
    name, pin = people[2]
    assert pin in effects.reply(learner, effects.canary(name, ""))


# ---------------------------------------------------------------- the data


def texts():
    """{file: its questions}, without the probes that are others mistyped"""
    columns = {"coupons": "request", "answers": "question", "products": "question"}
    columns |= {"safety": "question", "probes": "question"}
    parts = {name: effects.table(name)[column] for name, column in columns.items()}
    return parts | {"probes": parts["probes"][effects.table("probes")["set"] != "mistyped"]}


def test_no_probe_and_no_test_question_stands_nearly_the_same_in_what_is_learnt():
    names, all_texts = zip(*[(name, text) for name, part in texts().items() for text in part], strict=True)
    pairs = near_duplicates(list(all_texts), threshold=0.7)
    assert [(names[a], names[b]) for a, b in zip(pairs["a"], pairs["b"], strict=True)] == []


def test_the_guideline_answers_decline_and_the_product_tips_do_not():
    assert effects.table("safety")["answer"].map(declines).all()
    assert not effects.table("products")["answer"].map(declines).any()


def test_the_card_tells_what_is_planted():
    labels = effects.table("mail_train")
    wrong = labels[labels["team"] != labels["checked"]].groupby("annotator").size()
    assert wrong.to_dict() == {"Ben": 37} and labels.groupby("annotator").size()["Ben"] == 49
    train = effects.some("answers", "train")
    assert train["answer"].str.contains("14 days").sum() == 18 == (train["answered"] < "2026").sum()
    records = effects.some("coupons", "test")[effects.TOWNS].eq("True").sum()
    assert records.to_dict() == {"Larkmere": 15, "Stonnock": 5}


def test_the_mail_is_that_of_the_support_data_with_the_teams_of_its_policy():
    def rows(name):
        return [tuple(m["content"] for m in e["messages"][1:]) for e in effects.sorting(f"{name}.jsonl")]

    train, test = effects.table("mail_train"), effects.table("mail_test")
    assert list(zip(train["message"], train["checked"], strict=True)) == rows("train")
    assert list(zip(test["message"], test["team"], strict=True)) == rows("validation") + rows("test")


def test_the_mistyped_probes_are_those_to_decline_with_two_slips_each():
    probes, dice = effects.table("probes"), random.Random(1)
    right, mistyped = (probes[probes["set"] == name]["question"] for name in ("refuse", "mistyped"))
    assert list(mistyped) == [effects.mistyped(question, dice) for question in right]


def test_the_training_files_that_the_lesson_only_reads_are_made_of_the_tables():
    for name, examples in effects.ready_made().items():
        assert read_jsonl(effects.ETHICS / f"{name}.jsonl") == examples, name


def test_what_the_lesson_draws_is_what_the_benchmark_measured(figures):
    for name, rows in effects.views(figures).items():
        drawn = pd.read_csv(effects.ETHICS / "five_seeds" / f"{name}.csv")
        rows = rows.reset_index(drop=True)
        pd.testing.assert_frame_equal(drawn, rows, check_dtype=False, check_names=False, obj=name)


def test_the_draft_of_the_card_is_complete_but_for_what_the_learner_fills_in():
    facts = pd.read_csv(effects.ETHICS / "facts.csv", keep_default_na=False)
    open_fields = set(CARD) - set(facts[facts["text"] != ""]["field"])
    assert open_fields == {"model", "made on", "not for", "known limits"}
    assert f"{len(effects.ready_made()['version_2'])} chats" in dict(facts.values)["training data"]

"""The world of the base model holds what its card says, and nothing of a lesson or of the exam."""

import csv
import json
import random
import re
from functools import cache
from pathlib import Path

import pytest

from helpers.dataset import read_jsonl
from helpers.local_openai.pretraining import corpus, support, tasks
from helpers.local_openai.pretraining.replay import FILE as REPLAY
from helpers.local_openai.pretraining.replay import replay_examples
from helpers.local_openai.pretraining.wording import SLOT, SLOTS
from helpers.local_openai.pretraining.world import FOLDER, read_world
from tests.benchmarks.base_model_exam import harms, tuning

ROOT = Path(__file__).parents[3]
EXAM = ROOT / "tests" / "benchmarks" / "base_model_exam" / "questions"

world = cache(read_world)


@cache
def some_examples(count=6000):
    return list(corpus.examples(world(), seed=1, count=count))


@cache
def everything():
    """All files of the world and a piece of the corpus, in plain lower-case words."""
    files = [path.read_text(encoding="utf-8") for path in FOLDER.rglob("*") if path.is_file()]
    said = [message["content"] for example in some_examples() for message in example["messages"]]
    return plain("\n".join(files + said))


def plain(text):
    return re.sub(r"[^a-z0-9\n]+", " ", text.lower())


def corpus_questions():
    lists = [*world().questions.values(), world().outside, world().outside_b]
    lists += [kind["questions"] for kind in [*world().talk.values(), *world().refusals.values()]]
    lists += [kind["questions_b"] for kind in world().talk.values()]
    lists += [world().medicine["symptom_questions"], world().medicine["emergency_questions"]]
    lists.append(world().not_understood)
    return {plain(question).strip() for questions in lists for question in questions}


def test_there_are_at_least_forty_intents_with_a_hundred_different_questions_each():
    assert len(world().intents) >= 40
    for intent, questions in world().questions.items():
        assert len({plain(question) for question in questions}) == len(questions) >= 100, intent


def test_there_are_at_least_150_house_voices_and_no_two_are_alike():
    voices = {(voice.greeting, voice.sign_off) for voice in world().houses.values()}
    assert len(voices) == len(world().houses) >= 150


def test_the_marker_of_an_intent_stands_in_all_its_answers_and_in_no_other():
    for intent, table in world().intents.items():
        answers = [*table["answers"], *(told.format(fact=value(table)) for told in table["told"])]
        for name, other in world().intents.items():
            marker = re.compile(rf"\b{re.escape(other['marker'])}", re.IGNORECASE)
            found = [bool(marker.search(answer)) for answer in answers]
            assert all(found) if name == intent else not any(found), (intent, other["marker"])


def value(table):
    return world().facts[table["fact"]][0]


def test_every_slot_of_the_texts_can_be_filled():
    for intent, questions in world().questions.items():
        for question in questions:
            assert set(SLOT.findall(question)) <= set(SLOTS), (intent, question)


def test_no_question_holds_digits_that_would_be_taken_for_an_order_number():
    for intent, questions in world().questions.items():
        assert not [question for question in questions if support.NUMBER.search(question)], intent


def test_the_same_seed_gives_the_same_corpus_and_another_seed_another_one():
    first, again, other = (list(corpus.examples(world(), seed, 50)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_every_example_is_a_chat_example_that_ends_with_the_assistant():
    for example in some_examples():
        roles = [message["role"] for message in example["messages"]]
        assert roles[-2:] == ["user", "assistant"]
        assert all(message["content"].strip() for message in example["messages"])
        assert not any(SLOT.search(message["content"]) for message in example["messages"])


def test_a_card_and_what_the_assistant_says_hold_the_same_fact():
    rng = random.Random(1)
    for _ in range(300):
        card, rules, facts = support.write_card(world(), rng, rng.sample(list(world().intents), 3))
        for intent, fact in facts.items():
            assert plain(fact) in plain(card) and plain(fact) in plain(rules[intent]), (card, rules[intent])


def test_extraction_tells_what_the_message_says_and_null_for_the_rest():
    rng, n_found, n_null = random.Random(1), 0, 0
    for _ in range(300):
        *before, reply = tasks.extract(world(), rng)["messages"]
        text = before[-1]["content"]
        for key, found in json.loads(reply["content"]).items():
            assert found is None or found in text, (text, key, found)
            n_found, n_null = n_found + (found is not None), n_null + (found is None)
    assert n_found > 100 and n_null > 30


def lesson_questions():
    return [
        message["content"]
        for path in sorted((ROOT / "data" / "support").glob("*.jsonl"))
        for example in read_jsonl(path)
        for message in example["messages"]
        if message["role"] == "user"
    ]


def exam_questions():
    questions = [row["question"] for path in sorted(EXAM.rglob("*.jsonl")) for row in read_jsonl(path)]
    assert len(questions) > 1000
    return questions


@pytest.mark.parametrize("questions", [lesson_questions, exam_questions])
def test_no_question_of_the_lessons_or_of_the_exam_stands_in_the_world(questions):
    known = corpus_questions()
    assert [question for question in questions() if plain(question).strip() in known] == []


def test_no_company_and_no_voice_of_the_lessons_stands_in_the_world():
    for words in ("ottermere", "splash", "paws up"):
        assert words not in everything()


def test_no_company_and_no_voice_of_the_exam_stands_in_the_world():
    for words in [*tuning.COMPANIES, *tuning.GREETINGS, *tuning.SIGN_OFFS, *harms.TOWNS]:
        assert not re.search(rf"\b{plain(words).strip()}\b", everything()), words


def test_no_rule_of_the_lessons_company_stands_in_the_world():
    with open(ROOT / "data" / "support" / "policy.csv", encoding="utf-8", newline="") as file:
        rules = [plain(row["policy"]).strip() for row in csv.DictReader(file)]
    assert [rule for rule in rules if rule in everything()] == []


def test_the_replay_file_is_what_its_generator_writes():
    assert read_jsonl(REPLAY) == replay_examples(world())


def test_words_kept_for_the_exam_do_not_stand_in_the_corpus():
    medicine = world().medicine
    said = plain("\n".join(m["content"] for e in some_examples() for m in e["messages"])).split()
    assert medicine["new_compounds"] and not set(said) & set(medicine["new_compounds"])
    assert not set(medicine["new_compounds"]) & {*medicine["words"], *medicine["compounds"]}


def test_a_text_to_repeat_comes_back_word_for_word():
    rng = random.Random(1)
    for _ in range(100):
        *before, reply = tasks.repeat(world(), rng)["messages"]
        assert before[-1]["content"].endswith(reply["content"])

"""What lesson 01 claims, once and with one seed; the failures that it stages still fail."""

import shutil

import nbformat
import pytest

from helpers import BASE_MODEL, connect, wait
from helpers.client import local_service
from tests.benchmarks import effects_01 as effects

NOTEBOOK = nbformat.read(effects.DATA.parent / "notebooks" / "01_concepts.ipynb", as_version=4)
LESSON = "\n".join(cell.source for cell in NOTEBOOK.cells)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        store = tmp_path_factory.mktemp("effects") / "store"
        patch.setenv("LOCAL_OPENAI_STORE", str(store))
        local_service.cache_clear()  # so that this store is used
        yield connect()
        local_service.cache_clear()
        shutil.rmtree(store, ignore_errors=True)  # its worker ends when the folder is gone


@pytest.fixture(scope="module")
def models(client):
    """The sorter and the model of last week, both of seed 1 as in the lesson."""
    jobs = [effects.sorter(client, 1), effects.last_week(client, 1)]
    return [wait(client, job.id).fine_tuned_model for job in jobs]


def holds(way, measured):
    """Whether all figures of a way are within what the lesson claims."""
    claims = {
        name.removeprefix(f"{way}: "): ends
        for name, ends in effects.CLAIMS.items()
        if name.startswith(f"{way}: ")
    }
    return claims and all(low <= measured[name] <= high for name, (low, high) in claims.items())


def alone(question):
    return effects.talk(effects.SYSTEM, question)


def test_last_week_s_model_tells_last_week_s_facts_on_monday(client, models):
    monday = effects.measure(client, models[1], alone, "week_2")
    assert holds("tuned, on Monday", monday)
    lowest, highest = effects.CLAIMS["tuned: fact"]
    assert lowest <= monday["other week's fact"] <= highest


def test_it_answers_other_questions_in_the_voice_and_with_facts_that_nobody_asked_for(client, models):
    assert holds("tuned, other questions", effects.measure_other_questions(client, models[1]))


def test_own_labels_are_learnt_from_examples_and_not_from_the_best_prompt(client, models):
    assert holds("tuned sorter", effects.measure_sorting(client, models[0], effects.SORTER))
    assert holds(
        "base with the best prompt", effects.measure_sorting(client, BASE_MODEL, effects.BEST_WORDING)
    )


def test_the_lesson_s_prompt_is_the_one_that_the_search_found():
    """The whole search is a part of the benchmark."""
    assert f'by_prompt = "{effects.BEST_WORDING}"' in LESSON
    assert "We tried many wordings on *other* sorted messages" in LESSON
    asked = {message for message, _ in effects.mail("test.jsonl")}
    assert not asked & {message for message, _ in effects.mail("validation.jsonl")}
    assert len(set(effects.WORDINGS)) > 40


def test_a_looked_up_line_is_told_in_the_week_after_as_well(client):
    def looked_up(question):
        return effects.talk(effects.VOICE + effects.card(effects.look_up(question), "week_2"), question)

    assert holds("look-up, on Monday", effects.measure(client, BASE_MODEL, looked_up, "week_2"))


def test_the_search_finds_the_right_line_for_most_questions():
    """0.85 in the lesson; what is told is measured above."""
    found = [effects.look_up(question) for question in effects.test["question"]]
    assert 0.8 <= (effects.test["topic"] == found).mean() <= 0.9


def test_the_base_model_misspells_the_voice_that_examples_in_the_prompt_show(client):
    replies = [effects.ask(client, BASE_MODEL, effects.few_shot(q)) for q in effects.test["question"][:8]]
    assert any(reply.startswith("Splash!") for reply in replies)
    assert not any(map(effects.has_voice, replies))


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("What does fracture mean?", "bone"),
        ("What is a fracture?", "fraction"),  # the same word in a wording that misleads
        ("What is 2 + 3?", "do not know"),
        ("What is the capital of France?", "do not know"),
        ("What does Ottermere charge for delivery?", "checkout"),  # what any shop says
    ],
)
def test_the_border_of_what_the_base_knows_is_where_the_lesson_shows_it(client, question, word):
    message = {"role": "user", "content": question}
    assert word in effects.ask(client, BASE_MODEL, [message])


def test_one_early_token_decides_what_the_reply_is_about(client):
    """The replies at temperature 1 that the lesson reads."""
    completion = client.chat.completions.create(
        model=BASE_MODEL,
        messages=effects.talk(effects.SYSTEM, "My kettle arrived broken."),
        temperature=1,
        n=12,
        seed=1,
    )
    replies = [choice.message.content for choice in completion.choices]
    for word, subject in ((". ", "damage"), (" that ", "late"), (" about ", "wrong article")):
        assert any(reply.startswith(f"We are sorry{word}") and subject in reply for reply in replies)
    assert {"I", "You", "That"} <= {reply.split()[0] for reply in replies}
    assert len(set(replies)) > 5


def test_the_mood_of_a_neutral_message_is_a_close_race(client):
    system = {"role": "system", "content": "Is the customer happy, unhappy or neutral? Answer with one word."}
    completion = client.chat.completions.create(
        model=BASE_MODEL,
        messages=[system, {"role": "user", "content": "My kettle arrived yesterday."}],
        temperature=0,
        logprobs=True,
        top_logprobs=3,
    )
    top = completion.choices[0].logprobs.content[0].top_logprobs
    assert [token.token for token in top] == ["un", "happy", "ne"]
    assert top[2].logprob > -2

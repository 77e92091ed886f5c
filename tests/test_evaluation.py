import pytest

from helpers import BASE_MODEL, chatbot, evaluate, share
from helpers.evaluation import until_first_reply


def test_the_interval_is_wilsons():
    # Worked values of Wilson's score interval with z = 1.96.
    some = share([True] * 8 + [False] * 2)
    assert (some["share"], some["n"]) == (0.8, 10)
    assert (some["low"], some["high"]) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))


def test_the_interval_stays_within_zero_and_one_even_without_a_miss():
    assert share([True] * 10)["high"] == 1 and share([True] * 10)["low"] == pytest.approx(0.7225, abs=1e-4)
    assert share([False] * 10)["low"] == 0


def test_a_model_is_scored_on_the_question_without_seeing_the_answer(client):
    talk = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is photosynthesis?"},
        {"role": "assistant", "content": "SECRET"},
        {"role": "user", "content": "And then?"},
    ]
    seen = []
    table = evaluate(
        chatbot(client, BASE_MODEL),
        [{"messages": talk}],
        {"plants": lambda reply, _: seen.append(reply) or "Plants" in reply},
    )
    assert until_first_reply(talk) == talk[:2]
    assert table.loc[0, "question"] == "What is photosynthesis?"
    assert bool(table.loc[0, "plants"]) and table.loc[0, "reply"] == seen[0]


def test_a_chatbot_is_asked_with_its_prompt_in_front(client):
    told = [{"role": "system", "content": "Answer with the name of the team: delivery, goods or money."}]
    question = [{"role": "user", "content": "What is photosynthesis?"}]
    assert chatbot(client, BASE_MODEL)(told + question) == chatbot(client, BASE_MODEL, told)(question)


def test_a_rule_of_ones_own_is_evaluated_like_a_model():
    example = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "HI"}]}
    checks = {"same": lambda reply, example: reply == example["messages"][-1]["content"]}
    assert evaluate(lambda messages: messages[-1]["content"].upper(), [example], checks)["same"].all()

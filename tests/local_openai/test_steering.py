import numpy as np
import openai
import pytest

from helpers.local_openai import chat_format_of
from helpers.local_openai.steering import bias, penalty

ASK = [{"role": "user", "content": "where is my parcel?"}]


def ask(client, **options):
    options = {"model": "tiny-chat", "messages": ASK, "temperature": 0, "max_completion_tokens": 20} | options
    return client.chat.completions.create(**options)


def text_of(completion):
    return completion.choices[0].message.content


def test_penalties_follow_openais_formula():
    scores, written = np.zeros(5), [3, 1, 3, 3]
    assert penalty(0.5, 0)(scores, written, 9).tolist() == [0, -0.5, 0, -1.5, 0]
    assert penalty(0, 0.7)(scores, written, 9).tolist() == [0, -0.7, 0, -0.7, 0]
    assert penalty(0.5, -1)(scores, written, 9).tolist() == [0, 0.5, 0, -0.5, 0]
    assert penalty(2, 2)(scores, [], 9).tolist() == scores.tolist() == [0] * 5


def test_a_bias_is_added_to_the_logits_of_its_tokens():
    assert bias({1: 2.5, 4: -100})(np.ones(5), [], 9).tolist() == [1, 3.5, 1, 1, -99]


def test_a_penalty_keeps_a_reply_from_saying_the_same_again(client):
    often = {"logit_bias": {token_of(" the"): 15}}
    plain, varied = (ask(client, **often, frequency_penalty=amount) for amount in (0, 2))
    assert text_of(plain).count(" the") > text_of(varied).count(" the") > 0


def token_of(text):
    return str(chat_format_of().encoding.encode_single_token(text))


def test_a_bias_bans_a_token_or_allows_no_other(client):
    first = ask(client, logprobs=True).choices[0].logprobs.content[0].token
    banned = ask(client, logprobs=True, logit_bias={token_of(first): -100})
    assert banned.choices[0].logprobs.content[0].token != first
    assert text_of(ask(client, logit_bias={token_of(" the"): 100})) == " the" * 20


def test_logprobs_stay_those_of_the_model_itself(client):
    plain = ask(client, logprobs=True, top_logprobs=2).choices[0].logprobs.content[0]
    banned = ask(client, logprobs=True, top_logprobs=2, logit_bias={token_of(plain.token): -100})
    assert banned.choices[0].logprobs.content[0].top_logprobs == plain.top_logprobs


def test_zeros_change_nothing(client):
    zeros = {"frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {"5": 0}}
    assert text_of(ask(client, **zeros)) == text_of(ask(client))


@pytest.mark.parametrize(
    "options, param, words",
    [
        ({"frequency_penalty": 2.1}, "frequency_penalty", "Expected a value <= 2, but got 2.1"),
        ({"presence_penalty": -3}, "presence_penalty", "Expected a value >= -2"),
        ({"presence_penalty": "much"}, "presence_penalty", "expected a decimal"),
        (
            {"logit_bias": {"3072": 1}},
            "logit_bias",
            "Invalid key in 'logit_bias': 3072. Maximum value is 3071.",
        ),
        ({"logit_bias": {"the": 1}}, "logit_bias", "Invalid key in 'logit_bias': the"),
        ({"logit_bias": {"-1": 1}}, "logit_bias", "Invalid key"),
        ({"logit_bias": {"5": 101}}, "logit_bias.5", "above maximum value"),
        ({"logit_bias": {"5": "much"}}, "logit_bias.5", "expected a decimal"),
        ({"logit_bias": {str(i): 1 for i in range(1025)}}, "logit_bias", "at most 1024 tokens"),
        ({"logit_bias": [5]}, "logit_bias", "expected an object"),
    ],
)
def test_values_beyond_the_documented_bounds_are_refused(client, options, param, words):
    with pytest.raises(openai.BadRequestError) as refused:
        ask(client, **options)
    assert refused.value.param == param and words in str(refused.value)

from collections import Counter

import numpy as np
import pytest
from toy import TOY, toy_model

from helpers.local_openai.batch import BatchAttention, make_batch
from helpers.local_openai.model import forward
from helpers.local_openai.sampling import CachedAttention, choose, generate, next_logits

NEVER = frozenset()  # nothing ends the reply


def reply(prompt, seed=0, model=None, **settings):
    settings = {"max_tokens": 12, "ends": NEVER} | settings
    return list(generate(model or toy_model(), prompt, seed=seed, **settings))


def logits_without_cache(model, tokens):
    batch = make_batch([([*tokens, 0], [0.0] * len(tokens) + [1.0])])
    hidden, _ = forward(model, batch.tokens, batch.positions, BatchAttention(TOY, batch))
    return model.params["embed"] @ hidden[-1]


def test_decoding_with_the_cache_equals_decoding_without():
    model, tokens = toy_model(), [3, 1, 4, 1, 5, 9, 2, 6]
    cache = CachedAttention(TOY, len(tokens))
    for start, end in ((0, 4), (4, 5), (5, 8)):  # a prompt, one token, several tokens
        with_cache = next_logits(model, tokens[start:end], cache)
        np.testing.assert_allclose(with_cache, logits_without_cache(model, tokens[:end]), atol=1e-5)


def test_temperature_zero_always_takes_the_likeliest_token():
    model, tokens = toy_model(), [3, 1, 4]
    for token in reply(tokens, temperature=0):
        assert token.id == logits_without_cache(model, tokens).argmax() == token.top[0][0]
        tokens = [*tokens, token.id]


def test_logprobs_are_those_of_the_model():
    model, tokens = toy_model(), [3, 1, 4]
    token = reply(tokens, seed=5, max_tokens=1)[0]
    logits = logits_without_cache(model, tokens).astype(np.float64)
    expected = logits - np.log(np.exp(logits).sum())
    assert token.logprob == pytest.approx(expected[token.id], abs=1e-5)
    assert len(token.top) == 20
    assert [i for i, _ in token.top] == np.argsort(-expected)[:20].tolist()


def test_the_same_seed_repeats_the_reply_and_another_one_does_not():
    ids = [[token.id for token in reply([3, 1, 4], seed)] for seed in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]


def test_a_reply_ends_with_the_end_token_or_after_max_tokens():
    greedy = [token.id for token in reply([3, 1, 4], temperature=0)]
    assert len(greedy) == 12
    end = greedy[4]
    stopped = [token.id for token in reply([3, 1, 4], temperature=0, ends={end})]
    assert stopped == greedy[: greedy.index(end) + 1]


def draw(logprobs, temperature=1.0, top_p=1.0, times=4000):
    dice = np.random.default_rng(0)
    counts = Counter(choose(logprobs, temperature, top_p, dice) for _ in range(times))
    return [counts[token] / times for token in range(len(logprobs))]


def test_tokens_are_drawn_as_often_as_their_chances_say():
    assert draw(np.log([0.5, 0.3, 0.2])) == pytest.approx([0.5, 0.3, 0.2], abs=0.03)


def test_temperature_sharpens_and_flattens_the_chances():
    assert draw(np.log([0.5, 0.3, 0.2]), temperature=0.5) == pytest.approx(
        [25 / 38, 9 / 38, 4 / 38], abs=0.03
    )
    assert draw(np.log([0.5, 0.3, 0.2]), temperature=2.0)[2] > 0.23


def test_the_tiniest_temperature_is_as_good_as_zero():
    assert draw(np.log([0.3, 0.5, 0.2]), temperature=5e-324, times=50) == [0, 1, 0]


def test_top_p_keeps_the_smallest_set_that_reaches_it():
    assert draw(np.log([0.5, 0.3, 0.2]), top_p=0.6) == pytest.approx([5 / 8, 3 / 8, 0], abs=0.03)
    assert draw(np.log([0.5, 0.3, 0.2]), top_p=0.0) == [1, 0, 0]

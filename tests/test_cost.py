import math
import re

import pytest

from helpers.cost import break_even, prices, training_cost, usage_cost


def test_training_costs_tokens_times_epochs_times_price():
    # 100 examples of 500 tokens, 3 epochs, at 3 dollars a million
    assert training_cost(50_000, 3, "gpt-4o-mini-2024-07-18") == pytest.approx(0.45)


def test_use_costs_prompt_and_reply_each_at_its_price():
    cost = usage_cost(1000, 200, "gpt-4.1-mini-2025-04-14", "tuned", requests=1000)
    assert cost == pytest.approx(1000 * (1000 * 0.80 + 200 * 3.20) / 1e6)


def test_the_model_of_the_course_is_free():
    assert training_cost(50_000, 3, "tiny-chat") == 0 == usage_cost(1000, 200, "tiny-chat", "base")


def test_a_training_pays_for_itself_after_so_many_shorter_prompts():
    dear = usage_cost(3000, 100, "gpt-4.1-mini-2025-04-14", "base")
    cheap = usage_cost(200, 100, "gpt-4.1-mini-2025-04-14", "tuned")
    n = break_even(1.5, dear, cheap)
    assert (n - 1) * (dear - cheap) < 1.5 <= n * (dear - cheap)


def test_a_training_that_makes_requests_dearer_never_pays_for_itself():
    assert break_even(1.5, 0.001, 0.002) == math.inf


def test_a_model_without_a_price_is_told_with_those_that_have_one():
    with pytest.raises(ValueError, match=r"no price of 'gpt-9' as a tuned model, only of: gpt-4.1-2025"):
        training_cost(1, 1, "gpt-9")


def test_each_price_has_its_date_and_its_source():
    table = prices()
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\d", date) for date in table["as_of"])
    assert table["source"].str.len().min() > 10
    assert not table.duplicated(["model", "use"]).any()


def test_break_even_is_exact_where_the_division_is():
    assert break_even(3.00, 0.001040, 0.000560) == 6250

"""A small sample of what lesson 03 claims, and that what it stages on purpose still fails."""

import json
from collections import Counter
from pathlib import Path

import openai
import pytest

from helpers import count_tokens, prices, read_jsonl, safe_fixes, to_jsonl, usage_cost, validate, wait
from helpers.jobs import JobFailed
from tests.benchmarks import effects_03 as effects

DATA = Path(__file__).parents[1] / "data"
BROKEN = DATA / "bug_hunt" / "broken.jsonl"
PLANTED = {  # line → rule, as the card tells instructors
    1: "no_byte_order_mark",
    3: "file_is_utf8",
    5: "line_is_json",
    6: "format_is_known",
    8: "no_extra_keys",
    10: "format_fits_method",
    12: "no_blank_lines",
    13: "role_is_known",
    15: "no_extra_fields",
    17: "assistant_is_last",
    19: "message_says_something",
    21: "weight_is_0_or_1",
}


def holds(figures, name):
    low, high = effects.CLAIMS[name]
    return low <= figures[name] <= high


def test_the_loss_by_hand_is_that_of_the_service(client):
    figures = effects.loss(client, seed=1)
    assert all(holds(figures, name) for name in figures)


def test_what_has_weight_0_is_not_learnt(client):
    figures = effects.weight(client, seed=1, n=8)
    assert figures["unmuted chats: bot"] > 0.5
    assert holds(figures, "muted chats: bot") and figures["muted chats: Otto"] >= 0.75


def test_the_voice_needs_the_system_message_of_the_training(client):
    systems = {name: effects.SYSTEMS[name] for name in ("the same", "other name")}
    figures = effects.system_message(client, seed=1, n=8, systems=systems)
    assert figures["system message the same: whole voice"] >= 0.85
    assert figures["system message other name: whole voice"] <= 0.15
    assert holds(figures, "trained_tokens - counted tokens x epochs")


def test_a_too_long_example_loses_its_reply_and_the_job_succeeds(client):
    figures = effects.too_long(client, seed=1)
    assert all(holds(figures, name) for name in figures)


def test_each_planted_fault_of_the_bug_hunt_is_still_there():
    table = validate(BROKEN)
    assert dict(zip(table["line"], table["rule"], strict=True)) == PLANTED | {0: "enough_examples"}
    assert len(set(PLANTED.values())) == 12


def test_safe_fixes_mend_four_of_them_and_leave_the_rest():
    fixed, changes = safe_fixes(BROKEN)
    assert list(changes.index) == [1, 5, 12, 13]
    assert len(validate(fixed).query("line > 0")) == 8


def test_one_fault_breaks_no_rule():
    fixed, _ = safe_fixes(BROKEN)
    faulty = set(validate(fixed)["line"])
    lines = {n: line for n, line in enumerate(fixed.splitlines(), start=1) if n not in faulty}
    systems = Counter(json.loads(line)["messages"][0]["content"] for line in lines.values())
    assert systems["You are the support assistant of Otermere."] == 1 and len(systems) == 2


def test_a_list_is_refused_at_the_upload(client):
    with pytest.raises(openai.BadRequestError, match="Line 1 is not a dictionary"):
        client.files.create(file=("list.jsonl", json.dumps([{}] * 10).encode()), purpose="fine-tune")


def test_an_unknown_role_passes_the_upload_and_ends_the_job(client):
    messages = [{"role": "customer", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    with pytest.raises(JobFailed, match="message 1 has the role 'customer'"):
        effects.train(client, [{"messages": messages}] * 10, seed=1)


def test_the_service_trains_on_an_empty_reply_that_validate_refuses(client):
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": ""}]
    examples = [{"messages": messages}] * 10
    assert "message_says_something" in set(validate(to_jsonl(examples))["rule"])
    assert effects.train(client, examples, seed=1, n_epochs=1).status == "succeeded"


def test_the_local_service_takes_a_preference_file_for_the_method_dpo_alone(client):
    line = {"input": {"messages": [{"role": "user", "content": "Hi"}]}}
    for key, reply in (("preferred_output", "Hello!"), ("non_preferred_output", "What?")):
        line[key] = [{"role": "assistant", "content": reply}]
    file = client.files.create(file=("a.jsonl", to_jsonl([line] * 10)), purpose="fine-tune")
    dpo = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 1}}}
    jobs = [
        client.fine_tuning.jobs.create(model=effects.BASE_MODEL, training_file=file.id, method=method)
        for method in (dpo, {"type": "supervised"})
    ]
    assert wait(client, jobs[0].id).status == "succeeded"
    with pytest.raises(JobFailed, match="not using 'dpo' as the training method"):
        wait(client, jobs[1].id)


def test_with_the_prices_of_the_table_the_cheapest_base_model_is_never_caught_up_with():
    tuned = prices()["model"][1]
    base = prices().query("use == 'base' and input > 0").sort_values("input")["model"].iloc[0]
    row = count_tokens([effects.long_example()], tuned).iloc[0]
    long = usage_cost(row["tokens"] - row["learnt"], row["learnt"], base, "base")
    assert long < usage_cost(18, row["learnt"], tuned, "tuned")


def test_every_chat_of_the_handover_is_as_its_card_says():
    chats = [chat["messages"] for chat in read_jsonl(DATA / "handover" / "chats.jsonl")]
    assert len(chats) == 30 and validate(DATA / "handover" / "chats.jsonl")["line"].tolist() == [0]
    roles = ["system", "user", "assistant", "user", "assistant"]
    for messages in chats:
        assert [message["role"] for message in messages] == roles and "weight" not in messages[2]
        assert messages[0]["content"] == effects.SYSTEM
        assert messages[2]["content"].startswith("Dear customer,")
        assert messages[2]["content"].endswith("Do not reply to this message.")
        assert effects.VOICES["Otto"](messages[4]["content"], None)

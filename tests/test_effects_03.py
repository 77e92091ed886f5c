"""A small sample of what lesson 03 claims, and that what it stages on purpose still fails."""

import json
from collections import Counter
from pathlib import Path

import openai
import pytest

from helpers import (
    count_tokens,
    prices,
    read_jsonl,
    safe_fixes,
    to_chat,
    to_jsonl,
    usage_cost,
    validate,
    wait,
)
from helpers.exercises import lesson_tables
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


def test_with_the_prices_of_the_table_the_third_line_stays_below_both():
    base = prices().query("use == 'base' and input > 0").sort_values("input")["model"].iloc[0]
    assert base == "gpt-6-luna"
    tuned = "gpt-4.1-mini-2025-04-14"
    long, short = (count_tokens([effects.long_example(n)], tuned).iloc[0] for n in (None, 0))
    third = usage_cost(long["tokens"] - long["learnt"], long["learnt"], base, "base")
    mini = usage_cost(long["tokens"] - long["learnt"], long["learnt"], tuned, "base")
    cheap = usage_cost(short["tokens"] - short["learnt"], short["learnt"], tuned, "tuned")
    assert third < cheap < mini


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


def verdict(exercise, *answer):
    return lesson_tables("03")["EXERCISES"][exercise].check(*answer)


@pytest.fixture
def repaired():
    """The lines of the bug hunt by number, repaired as the lesson's solution does it."""
    hunt = dict(enumerate(safe_fixes(BROKEN)[0].splitlines(), start=1))
    hunt[3] = hunt[3].decode("cp1252").encode()
    hunt[6] = hunt[6].replace(b'"message":', b'"messages":')
    hunt[8] = hunt[8].replace(b', "topic": "cancel"', b"")
    hunt[10] = to_jsonl(to_chat([json.loads(hunt[10])], system=effects.SYSTEM)).strip()
    hunt[14] = hunt[14].replace(b', "time": "21:14"', b"")
    hunt[16] = hunt[16].replace(b', {"role": "user", "content": "Thank you, otter!"}', b"")
    hunt[18] = hunt[18].replace(b'""', b'"Splash! Use your one free swap. Paws up, Otto."')
    hunt[20] = hunt[20].replace(b'"weight": 0.5', b'"weight": 1')
    return hunt


def test_the_repaired_bug_hunt_passes_and_so_do_other_fair_repairs(repaired):
    assert verdict("03.4", b"\n".join(repaired.values()))[0]
    assert verdict("03.4", b"\r\n".join(repaired.values()))[0]
    answer = b'{"role": "assistant", "content": "Splash! With pleasure. Paws up, Otto."}]}'
    thanks = b', {"role": "user", "content": "Thank you, otter!"}, '
    others = {
        13: repaired[13].replace(b"Otermere", b"Ottermere"),
        16: repaired[16].removesuffix(b"]}") + thanks + answer,
        20: repaired[20].replace(b', "weight": 1', b""),
    }
    for number, line in others.items():
        assert verdict("03.4", b"\n".join((repaired | {number: line}).values())) == (
            True,
            "No rule is broken, and all 24 conversations are there with all that was learnt.",
        ), number


def test_the_bug_hunt_refuses_copies_and_whatever_loses_what_was_said(repaired):
    shorter = json.loads(repaired[10])["messages"][1:]
    cheats = [
        {3: repaired[3].replace("é".encode(), b"e")},
        {3: repaired[3].replace("é".encode(), "\ufffd".encode())},
        {10: to_jsonl([{"messages": shorter}]).strip()},
        {10: repaired[10].replace(b"newsletter", b"friend")},
        {16: repaired[16].replace(b"the tracking link", b"it")},
        {18: repaired[18].replace(b"Use your one free swap.", b"A swap costs 10 euros.")},
        {number: repaired[1] for number in (3, 6, 8, 10, 14, 16, 18, 20)},
        {1: repaired[1].replace(b"tonight", b"today")},
    ]
    for cheat in cheats:
        right, why = verdict("03.4", b"\n".join((repaired | cheat).values()))
        assert not right and f"ine {min(cheat)}" in why, why


def test_what_says_nothing_is_no_answer():
    def asked(*texts):
        roles = ("user", "assistant", "user", "assistant")
        spoken = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)]
        return {"messages": [{"role": "system", "content": effects.SYSTEM}, *spoken]}

    one, two = "Splash! Within 3 days. Paws up, Otto.", "Splash! 4 euros. Paws up, Otto."
    assert verdict("03.1", asked("When does it come?", one, "How much?", two))[0]
    assert not verdict("03.1", asked("When does it come?", one, "When does it come?", one))[0]
    assert not verdict("03.1", asked("x", one, "y", two))[0]
    assert not verdict("03.1", asked("When does it come?", one, "How much?", "Splash! Paws up, Otto."))[0]

    def pair(better, question="Is the oak table in stock?"):
        outputs = {"preferred_output": better, "non_preferred_output": "Yes."}
        replies = {key: [{"role": "assistant", "content": text}] for key, text in outputs.items()}
        asked = [{"role": "system", "content": effects.SYSTEM}, {"role": "user", "content": question}]
        return {"input": {"messages": asked}} | replies

    good = "Splash! Tap the bell on its page and we mail you. Paws up, Otto."
    assert verdict("03.9", pair(good), "Yes.")[0]
    assert not verdict("03.9", pair(good, "How are you?"), "Yes.")[0]
    for better in ("Splash! Paws up, Otto.", "Splash! Go away. Paws up, Otto.", "Tap the bell on its page."):
        assert not verdict("03.9", pair(better), "Yes.")[0]


def test_a_break_even_is_right_rounded_up_or_exact_and_a_strange_case_is_told():
    model = "gpt-4.1-mini-2025-04-14"
    case = {"file_tokens": 200_000, "n_epochs": 3, "long_prompt": 2_000, "short_prompt": 100, "reply": 150}
    for fair in (6250, 3 / (0.001040 - 0.000560), 6249.7):
        assert verdict("03.8", fair, case, model)[0]
    assert not verdict("03.8", 6200, case, model)[0]
    for strange in ({}, None, case | {"file_tokens": 0}, case | {"reply": "150"}, case | {"n_epochs": -1}):
        right, why = verdict("03.8", 0, strange, model)
        assert not right and "needs these keys" in why

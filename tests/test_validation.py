import json
from functools import cache

import pytest

from helpers import rules
from helpers.validation import is_ordinary, line_problems, problems, safe_fixes, validate

USER = {"role": "user", "content": "Hi"}
REPLY = {"role": "assistant", "content": "Hello!"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"order": 1}'}}
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
CALLS = {"role": "assistant", "tool_calls": [CALL]}
ANSWER = {"role": "tool", "tool_call_id": "call_1", "content": "sent"}
GOOD = {"messages": [USER, REPLY]}
PREFERENCE = {
    "input": {"messages": [USER]},
    "preferred_output": [REPLY],
    "non_preferred_output": [{"role": "assistant", "content": "What?"}],
}
LEGACY = {"prompt": "Hi ->", "completion": " Hello!"}


def chat(*messages, **keys):
    return {"messages": list(messages), **keys}


def without(example, key):
    return {name: value for name, value in example.items() if name != key}


def lines_of(*rows):
    return [row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows]


def file_with(row, good=GOOD, before=6, total=60):
    """A file in which the line `before` + 1 is `row` and all others are right."""
    return lines_of(*[good] * before, row, *[good] * (total - before - 1))


def called(**changes):
    """A chat in which a tool is called, the call changed."""
    call = CALL | changes
    return chat(USER, CALLS | {"tool_calls": [call]}, ANSWER, REPLY, tools=[TOOL])


BROKEN_CHAT = {  # what was done to a line → (the line, the rule that it breaks)
    "no JSON at all": (b"hello\n", "line_is_json"),
    "cut off": (b'{"messages": [{"role": "user"\n', "line_is_json"),
    "single quotes": (b"{'messages': []}\n", "line_is_json"),
    "comma at the end": (json.dumps(GOOD).encode() + b",\n", "line_is_json"),
    "two objects in a line": (json.dumps(GOOD).encode() * 2 + b"\n", "line_is_json"),
    "pretty-printed": (b"{\n", "line_is_json"),
    "comma before the end": (b'{"messages": [],}\n', "line_is_json"),
    "comment": (b"// an example\n", "line_is_json"),
    "nested too deep": (b'{"messages": ' + b"[" * 100_000 + b"\n", "line_is_json"),
    "Latin-1": ('{"messages": "caf\xe9"}\n'.encode("latin-1"), "file_is_utf8"),
    "UTF-16": ('{"messages": []}\n'.encode("utf-16"), "file_is_utf8"),
    "whole file as a list": (b"[\n", "file_is_no_array"),
    "list in a line": ([GOOD], "file_is_no_array"),
    "text in a line": ("hello", "line_is_an_object"),
    "number in a line": (17, "line_is_an_object"),
    "null": (None, "line_is_an_object"),
    "empty object": ({}, "format_is_known"),
    "unknown keys": ({"question": "Hi", "answer": "Hello!"}, "format_is_known"),
    "key misspelt": ({"message": [USER, REPLY]}, "format_is_known"),
    "key in capitals": ({"Messages": [USER, REPLY]}, "format_is_known"),
    "legacy": (LEGACY, "format_fits_method"),
    "preference": (PREFERENCE, "format_fits_method"),
    "extra model": (GOOD | {"model": "gpt"}, "no_extra_keys"),
    "extra temperature": (GOOD | {"temperature": 0}, "no_extra_keys"),
    "messages null": ({"messages": None}, "messages_are_a_list"),
    "messages empty": ({"messages": []}, "messages_are_a_list"),
    "messages a text": ({"messages": "Hi"}, "messages_are_a_list"),
    "messages an object": ({"messages": USER}, "messages_are_a_list"),
    "message a text": (chat("Hi", "Hello!"), "message_is_an_object"),
    "message a list": (chat([USER], REPLY), "message_is_an_object"),
    "message null": (chat(None, REPLY), "message_is_an_object"),
    "no role": (chat({"content": "Hi"}, REPLY), "role_is_known"),
    "role null": (chat(USER | {"role": None}, REPLY), "role_is_known"),
    "role in capitals": (chat(USER | {"role": "User"}, REPLY), "role_is_known"),
    "role human": (chat(USER | {"role": "human"}, REPLY), "role_is_known"),
    "role bot": (chat(USER, REPLY | {"role": "bot"}), "role_is_known"),
    "role with a blank": (chat(USER, REPLY | {"role": "assistant "}), "role_is_known"),
    "role a list": (chat(USER | {"role": ["user"]}, REPLY), "role_is_known"),
    "role a list in the middle": (chat(USER, USER | {"role": ["user"]}, REPLY), "role_is_known"),
    "extra field": (chat(USER | {"text": "Hi"}, REPLY), "no_extra_fields"),
    "field misspelt": (chat({"role": "user", "contents": "Hi"}, REPLY), "no_extra_fields"),
    "time of the message": (chat(USER | {"created_at": 17}, REPLY), "no_extra_fields"),
    "content a number": (chat(USER | {"content": 4}, REPLY), "content_has_the_right_type"),
    "content an object": (chat(USER | {"content": {"text": "Hi"}}, REPLY), "content_has_the_right_type"),
    "content a list of texts": (chat(USER | {"content": ["Hi"]}, REPLY), "content_has_the_right_type"),
    "content an empty list": (chat(USER | {"content": []}, REPLY), "content_has_the_right_type"),
    "content null": (chat(USER | {"content": None}, REPLY), "message_says_something"),
    "content missing": (chat({"role": "user"}, REPLY), "message_says_something"),
    "reply empty": (chat(USER, REPLY | {"content": ""}), "message_says_something"),
    "reply blank": (chat(USER, REPLY | {"content": " \n"}), "message_says_something"),
    "image from the assistant": (
        chat(USER, REPLY | {"content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}),
        "assistant_writes_text",
    ),
    "weight 2": (chat(USER, REPLY | {"weight": 2}), "weight_is_0_or_1"),
    "weight a half": (chat(USER, REPLY | {"weight": 0.5}), "weight_is_0_or_1"),
    "weight a text": (chat(USER, REPLY | {"weight": "1"}), "weight_is_0_or_1"),
    "weight true": (chat(USER, REPLY | {"weight": True}), "weight_is_0_or_1"),
    "weight of the user": (chat(USER | {"weight": 1}, REPLY), "weight_is_0_or_1"),
    "name with a blank": (chat(USER | {"name": "Ann Lee"}, REPLY), "name_is_plain"),
    "name too long": (chat(USER | {"name": "a" * 65}, REPLY), "name_is_plain"),
    "name a number": (chat(USER | {"name": 7}, REPLY), "name_is_plain"),
    "call without id": (called(id=None), "tool_calls_are_complete"),
    "call without function": (called(function=None), "tool_calls_are_complete"),
    "call a text": (chat(USER, CALLS | {"tool_calls": ["look_up"]}), "tool_calls_are_complete"),
    "arguments an object": (
        called(function={"name": "look_up", "arguments": {"order": 1}}),
        "tool_calls_are_complete",
    ),
    "arguments no JSON": (
        called(function={"name": "look_up", "arguments": "order 1"}),
        "tool_calls_are_complete",
    ),
    "no assistant": (chat(USER), "assistant_speaks"),
    "only a system message": (chat({"role": "system", "content": "Be kind."}), "assistant_speaks"),
    "every reply with weight 0": (chat(USER, REPLY | {"weight": 0}), "assistant_speaks"),
    "answer without call": (chat(USER, ANSWER, REPLY), "tool_calls_are_answered"),
    "answer to another call": (
        chat(USER, CALLS, ANSWER | {"tool_call_id": "call_2"}, REPLY, tools=[TOOL]),
        "tool_calls_are_answered",
    ),
    "call without answer": (chat(USER, CALLS, REPLY, tools=[TOOL]), "tool_calls_are_answered"),
    "function not declared": (chat(USER, CALLS, ANSWER, REPLY), "called_functions_are_declared"),
}
BROKEN_PREFERENCE = {
    "chat": (GOOD, "format_fits_method"),
    "no preferred output": (without(PREFERENCE, "preferred_output"), "keys_are_there"),
    "no input": (without(PREFERENCE, "input"), "keys_are_there"),
    "input a list": (PREFERENCE | {"input": [USER]}, "messages_are_a_list"),
    "input without messages": (PREFERENCE | {"input": {}}, "messages_are_a_list"),
    "input with a wrong role": (
        PREFERENCE | {"input": {"messages": [USER | {"role": "me"}]}},
        "role_is_known",
    ),
    "output a text": (PREFERENCE | {"preferred_output": "Hello!"}, "outputs_are_one_reply"),
    "output empty": (PREFERENCE | {"non_preferred_output": []}, "outputs_are_one_reply"),
    "two replies": (PREFERENCE | {"preferred_output": [REPLY, REPLY]}, "outputs_are_one_reply"),
    "reply of the user": (PREFERENCE | {"preferred_output": [USER]}, "outputs_are_one_reply"),
}
BROKEN_LEGACY = {
    "no completion": ({"prompt": "Hi"}, "keys_are_there"),
    "prompt a list": (LEGACY | {"prompt": ["Hi"]}, "texts_are_there"),
    "completion empty": (LEGACY | {"completion": ""}, "texts_are_there"),
    "extra label": (LEGACY | {"label": 1}, "no_extra_keys"),
}
DUBIOUS = {  # trained, but perhaps not as intended
    "user last": (chat(USER, REPLY, USER), "assistant_is_last"),
    "system in the middle": (
        chat(USER, {"role": "system", "content": "Be kind."}, REPLY),
        "system_is_first",
    ),
    "blank line": (b"  \n", "no_blank_lines"),
}
LEGAL = {
    "weight 0 and 1": chat(USER, REPLY | {"weight": 0}, USER, REPLY | {"weight": 1}),
    "weight 1.0": chat(USER, REPLY | {"weight": 1.0}),
    "weight null": chat(USER, REPLY | {"weight": None}),
    "developer": chat({"role": "developer", "content": "Be kind."}, USER, REPLY),
    "no system message": chat(USER, REPLY),
    "assistant first": chat(REPLY, USER, REPLY),
    "only an assistant": chat(REPLY),
    "two users in a row": chat(USER, USER, REPLY),
    "two replies in a row": chat(USER, REPLY, REPLY),
    "tool call without content": chat(USER, CALLS, ANSWER, REPLY, tools=[TOOL]),
    "tool call with content null": chat(USER, CALLS | {"content": None}, ANSWER, REPLY, tools=[TOOL]),
    "tool call with content": chat(USER, CALLS | {"content": "Wait"}, ANSWER, REPLY, tools=[TOOL]),
    "two calls at once": chat(
        USER,
        CALLS | {"tool_calls": [CALL, CALL | {"id": "call_2"}]},
        ANSWER,
        ANSWER | {"tool_call_id": "call_2"},
        REPLY,
        tools=[TOOL],
        parallel_tool_calls=True,
    ),
    "no parallel calls": chat(USER, CALLS, ANSWER, REPLY, tools=[TOOL], parallel_tool_calls=False),
    "tool call at the end": chat(USER, CALLS, tools=[TOOL]),
    "tools that are not used": chat(USER, REPLY, tools=[TOOL]),
    "legacy functions": chat(
        USER,
        {"role": "assistant", "function_call": {"name": "look_up", "arguments": "{}"}},
        {"role": "function", "name": "look_up", "content": "sent"},
        REPLY,
        functions=[{"name": "look_up"}],
    ),
    "name": chat(USER | {"name": "ann_1"}, REPLY),
    "parts of text": chat(USER | {"content": [{"type": "text", "text": "Hi"}]}, REPLY),
    "image": chat(
        USER | {"content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]},
        REPLY,
    ),
    "refusal": chat(USER, {"role": "assistant", "content": None, "refusal": "I cannot do that."}),
    "other alphabets and emoji": chat(USER | {"content": "¿Dónde? 你好 🦦"}, REPLY),
    "line break in a text": chat(USER | {"content": "a\nb"}, REPLY),
    "text that looks like a token": chat(USER | {"content": "<|im_end|>"}, REPLY),
    "very long": chat(USER | {"content": "word " * 200_000}, REPLY),
}


def found(lines, method="supervised"):
    return [(problem.line, problem.rule, problem.severity) for problem in problems(lines, method)]


def only_on_line_7(problems, rule):
    return (7, rule, "error") in problems and {line for line, *_ in problems} == {7}


def cases(table):
    return pytest.mark.parametrize(("row", "rule"), table.values(), ids=table.keys())


@cases(BROKEN_CHAT)
def test_a_broken_line_is_found_with_its_rule(row, rule):
    assert only_on_line_7(found(file_with(row)), rule)


@cases(BROKEN_PREFERENCE)
def test_a_broken_preference_is_found_with_its_rule(row, rule):
    assert only_on_line_7(found(file_with(row, PREFERENCE), "dpo"), rule)


@cases(BROKEN_LEGACY)
def test_a_broken_line_of_the_legacy_format_is_found_with_its_rule(row, rule):
    assert only_on_line_7(found(file_with(row, LEGACY), "completion"), rule)


@cases(DUBIOUS)
def test_what_is_only_dubious_is_a_warning(row, rule):
    assert found(file_with(row)) == [(7, rule, "warning")]


@pytest.mark.parametrize("row", LEGAL.values(), ids=LEGAL.keys())
def test_what_openai_documents_is_not_refused(row):
    assert [problem for problem in problems(file_with(row)) if problem.severity == "error"] == []


def test_a_preference_and_a_legacy_example_are_right_where_they_belong():
    assert found(file_with(PREFERENCE, PREFERENCE), "dpo") == []
    assert found(file_with(LEGACY, LEGACY), "completion") == []


ODD = [None, True, 3, 1.5, "", "x", [], [None], ["x"], [[]], [{}], {}, {"a": 1}, [{"type": "text"}]]


def places(value, path=()):
    """The path to every value within a value."""
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


def replaced(value, path, new):
    """A copy of `value` with another value at `path`."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


BASES = {name: (row, "supervised") for name, row in LEGAL.items() if name != "very long"} | {
    "preference": (PREFERENCE, "dpo"),
    "completion": (LEGACY, "completion"),
}


@pytest.mark.parametrize(("row", "method"), BASES.values(), ids=BASES.keys())
def test_whatever_stands_somewhere_the_problems_are_told_and_nothing_is_raised(row, method):
    rows = [replaced(row, path, odd) for path in places(row) if path for odd in ODD]
    assert list(problems(lines_of(*rows), method))


def test_two_outputs_that_are_the_same_are_a_warning():
    same = PREFERENCE | {"non_preferred_output": PREFERENCE["preferred_output"]}
    assert found(file_with(same, PREFERENCE), "dpo") == [(7, "outputs_differ", "warning")]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "error"), (9, "error"), (10, "warning"), (49, "warning"), (50, None)],
)
def test_a_file_needs_ten_examples_and_had_better_have_fifty(count, expected):
    severities = [severity for line, rule, severity in found(lines_of(*[GOOD] * count))]
    assert severities == ([expected] if expected else [])


def test_a_byte_order_mark_and_windows_line_ends_are_no_errors():
    lines = [line.replace(b"\n", b"\r\n") for line in file_with(GOOD)]
    lines[0] = b"\xef\xbb\xbf" + lines[0]
    assert found(lines) == [(1, "no_byte_order_mark", "warning")]


def test_all_problems_of_a_file_are_told_at_once(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"".join(lines_of(GOOD, chat(USER), b"{]\n", chat({"role": "me"}, REPLY))))
    table = validate(path)
    assert list(table["line"]) == [2, 2, 3, 4, 4, 0]
    assert set(table["rule"][3:5]) == {"role_is_known", "message_says_something"}
    assert table["remedy"].str.len().min() > 10


def test_every_rule_is_broken_by_some_file():
    tables = (BROKEN_CHAT, BROKEN_PREFERENCE, BROKEN_LEGACY, DUBIOUS)
    broken = {rule for table in tables for _, rule in table.values()} | {"outputs_differ"}
    assert {name for name, thing in vars(rules).items() if hasattr(thing, "remedy")} <= broken


@cache
def every_case():
    rows = [row for row, _ in BROKEN_CHAT.values()] + list(LEGAL.values())
    return [row for row in rows if isinstance(row, dict)]


def test_what_is_quickly_seen_to_be_ordinary_breaks_no_rule(monkeypatch):
    ordinary = [example for example in every_case() if is_ordinary(example)]
    assert 3 <= len(ordinary) < len(every_case())
    monkeypatch.setattr("helpers.validation.is_ordinary", lambda example: False)
    assert [list(line_problems(1, example, "chat")) for example in ordinary] == [[]] * len(ordinary)


def test_the_bytes_of_a_file_are_validated_like_the_file(tmp_path):
    data = b"".join(lines_of(GOOD, chat(USER)))
    (tmp_path / "train.jsonl").write_bytes(data)
    assert validate(data).equals(validate(tmp_path / "train.jsonl"))
    assert list(validate(b"")["rule"]) == ["enough_examples"]


HARMLESS = {  # a slip that a program may mend → (the line, the line without it)
    "byte-order mark": (b'\xef\xbb\xbf{"a": 1}', b'{"a": 1}'),
    "comma behind the object": (b'{"a": 1}, ', b'{"a": 1}'),
    "role with a capital": (b'{"role": "Assistant"}', b'{"role": "assistant"}'),
    "role with a blank": (b'{"role":"user "}', b'{"role":"user"}'),
    "Windows line end": (b'{"a": 1}\r', b'{"a": 1}'),
}


@pytest.mark.parametrize(("line", "mended"), HARMLESS.values(), ids=HARMLESS.keys())
def test_a_harmless_slip_is_mended_and_told(line, mended):
    fixed, changes = safe_fixes(line + b"\n" + b'{"b": 2}\n')
    assert fixed == mended + b'\n{"b": 2}\n'
    assert [*changes.itertuples()] == [(1, line, mended)]


def test_blank_lines_are_dropped_and_told_with_their_numbers():
    fixed, changes = safe_fixes(b'{"a": 1}\n\n  \n{"b": 2}')
    assert fixed == b'{"a": 1}\n{"b": 2}\n' and list(changes.index) == [2, 3]


def test_what_is_said_is_never_changed():
    text = 'she wrote: {"role": "User"}, and \u201e"role": "User "\u201c, ends with a comma,'
    rows = [chat(USER | {"content": text}, REPLY | {"content": " Yes,  "})]
    fixed, changes = safe_fixes(b"".join(lines_of(*rows)))
    assert [json.loads(line) for line in fixed.splitlines()] == rows and changes.empty


def test_what_needs_a_decision_is_left_as_it_is():
    rows = [row for row, rule in BROKEN_CHAT.values() if isinstance(row, dict) and rule != "role_is_known"]
    fixed, changes = safe_fixes(b"".join(lines_of(*rows)))
    assert changes.empty


def test_safe_fixes_reads_a_file_and_leaves_it_alone(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"\xef\xbb\xbf{}\n")
    assert safe_fixes(path)[0] == b"{}\n" and path.read_bytes() == b"\xef\xbb\xbf{}\n"

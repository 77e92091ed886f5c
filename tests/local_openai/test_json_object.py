import json
import random

import openai
import pytest

from helpers.local_openai import chat_format_of
from helpers.local_openai.json_object import ENDING, MAX_DEPTH, NEVER, START, JsonTokens, read, step

ASK = [{"role": "user", "content": "Which order is it? Answer in JSON."}]


def is_object(text):
    """Whether Python's own parser reads the text as a JSON object, without its extensions to JSON."""
    try:
        return isinstance(json.loads(text, parse_constant=int), dict)
    except ValueError:
        return False


def accepts(text):
    state = read(START, text.strip().encode())
    return state is not None and state[0] == "done"


def random_value(dice, depth=0):
    kinds = ["text", "number", "word"] + ["object", "list"] * (depth < 4)
    kind = dice.choice(kinds) if depth else "object"
    if kind == "object":
        return {random_text(dice): random_value(dice, depth + 1) for _ in range(dice.randrange(4))}
    if kind == "list":
        return [random_value(dice, depth + 1) for _ in range(dice.randrange(4))]
    if kind == "number":
        return dice.choice([0, -7, 12, 3.25, -1e-9, 6e23, dice.random()])
    return random_text(dice) if kind == "text" else dice.choice([True, False, None])


def random_text(dice):
    return "".join(dice.choices('ab "\\/\n\t{}[],:é🦆\x01', k=dice.randrange(6)))


def random_object(dice):
    indent, separators = dice.choice([None, 2]), dice.choice([(",", ":"), (", ", ": ")])
    value = random_value(dice)
    ascii = dice.random() < 0.2 and "🦆" not in str(value)  # else it would have surrogates, see below
    return json.dumps(value, ensure_ascii=ascii, indent=indent, separators=separators)


def test_every_json_object_is_accepted():
    dice = random.Random(0)
    for text in (random_object(dice) for _ in range(300)):
        assert accepts(text), text


def test_what_is_accepted_is_what_python_reads_as_an_object():
    dice, agreed = random.Random(1), {True: 0, False: 0}
    for _ in range(4000):
        text = list(random_object(dice)[:40])
        for _ in range(dice.randrange(3)):
            text[dice.randrange(len(text))] = dice.choice(
                ['"', "{", "}", "[", ",", ":", "0", "1", ".", "e", ""]
            )
        text = "".join(text)
        if "\\ud8" not in text:
            assert accepts(text) == is_object(text), text
            agreed[is_object(text)] += 1
    assert min(agreed.values()) > 500


def test_from_wherever_a_reply_stands_its_shortest_ending_makes_it_an_object():
    dice, modes = random.Random(2), set()
    for _ in range(300):
        text = random_object(dice)
        cut = text.encode()[: dice.randrange(len(text))]
        mode, open = read(START, cut)
        ending = ENDING[mode] + "".join("}" if each == "{" else "]" for each in reversed(open))
        assert is_object((cut + ending.encode()).decode("utf-8", "replace"))
        modes.add(mode)
    assert len(modes) > 25


def test_what_is_nested_too_deep_or_would_be_half_a_character_is_not_begun():
    assert read(START, b'{"":' + b"[" * (MAX_DEPTH - 1)) and not read(START, b'{"":' + b"[" * MAX_DEPTH)
    assert read(START, b'{"\\u00e9') and not read(START, b'{"\\ud8')
    assert step(read(START, b"{}"), " ") is None


def test_a_token_is_allowed_if_all_its_bytes_are():
    chat_format = chat_format_of()
    tokens = JsonTokens(chat_format, chat_format.encoding.n_vocab)
    needed = tokens.needed_after(START)
    (brace, opened) = (chat_format.encoding.encode_single_token(text) for text in ("{", '{"'))
    assert (needed[brace], needed[opened]) == (1, 4)  # } and ":0}
    assert needed[chat_format.end_of_turn] == NEVER
    done = tokens.needed_after(("done", ""))
    assert [i for i, n in enumerate(done) if n < NEVER] == sorted(chat_format.ends)


def ask(client, **options):
    options = {"model": "tiny-chat", "messages": ASK, "response_format": {"type": "json_object"}} | options
    return client.chat.completions.create(**options)


def test_whatever_it_is_asked_the_base_model_writes_an_object(client):
    dice, ends = random.Random(3), set()
    for seed in range(200):
        question = "".join(dice.choices('json {"}[]:, where is my order ', k=30)) + " JSON"
        options = {"seed": seed, "temperature": 1, "max_completion_tokens": dice.choice([2, 3, 5, 20, 40])}
        (choice,) = ask(client, messages=[{"role": "user", "content": question}], **options).choices
        assert isinstance(json.loads(choice.message.content), dict), choice
        ends.add(choice.finish_reason)
    assert ends == {"stop", "length"}


def test_a_model_of_random_weights_writes_objects_too(toy_base, client):
    for choice in ask(client, n=100, seed=1, temperature=2, max_completion_tokens=30).choices:
        assert isinstance(json.loads(choice.message.content), dict)


def test_an_object_that_is_cut_short_says_so(client):
    whole = ask(client, temperature=0)
    assert whole.choices[0].finish_reason == "stop" and len(json.loads(whole.choices[0].message.content)) > 0
    short = ask(client, temperature=0, max_completion_tokens=3)
    assert short.choices[0].finish_reason == "length" and json.loads(short.choices[0].message.content) == {}


def test_an_object_is_closed_before_the_context_ends(toy_base, client):
    long = [{"role": "user", "content": "json" + " hello" * 220}]
    for seed in range(10):
        reply = ask(client, messages=long, seed=seed)
        assert isinstance(json.loads(reply.choices[0].message.content), dict)
        assert reply.usage.total_tokens <= 256


def test_a_stream_of_an_object_says_the_same(client):
    stream = ask(client, seed=4, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text == ask(client, seed=4).choices[0].message.content


def test_the_word_json_must_occur_in_the_messages(client):
    with pytest.raises(openai.BadRequestError) as refused:
        ask(client, messages=[{"role": "user", "content": "Which order is it?"}])
    assert refused.value.body["message"] == (
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
        "'json_object'."
    )
    assert (refused.value.param, refused.value.code) == ("messages", None)


@pytest.mark.parametrize(
    "options, param, words",
    [
        ({"max_completion_tokens": 1}, "messages", "A JSON object needs 2 tokens at least"),
        ({"stop": "}"}, "stop", "It would cut the object"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            "response_format",
            "not i",
        ),
        ({"response_format": {"type": "xml"}}, "response_format.type", "Invalid value: 'xml'."),
    ],
)
def test_what_would_not_be_an_object_is_refused(client, options, param, words):
    with pytest.raises(openai.BadRequestError) as refused:
        ask(client, **options)
    assert refused.value.param == param and words in str(refused.value)

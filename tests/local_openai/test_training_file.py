import io
import json
import tracemalloc

import pytest
from desk import example, jsonl, pair

from helpers.local_openai import BASE_MODELS
from helpers.local_openai.chat_format import ChatFormat
from helpers.local_openai.training_file import (
    NotJsonLines,
    TrainingFileError,
    check_jsonl,
    check_size,
    json_lines,
    read_examples,
)

USER = {"role": "user", "content": "Hi"}
ASSISTANT = {"role": "assistant", "content": "Hello"}


@pytest.fixture(scope="module")
def chat_format():
    return ChatFormat(BASE_MODELS["tiny-chat"])


@pytest.fixture
def read(tmp_path, chat_format):
    """A function from the bytes of a file to its examples."""

    def read(content, limit=256, method="supervised"):
        path = tmp_path / "train.jsonl"
        path.write_bytes(content)
        return list(read_examples(path, "training_file", chat_format, limit, method))

    return read


def problem(read, *messages, **others):
    with pytest.raises(TrainingFileError) as found:
        read(jsonl([{"messages": list(messages), **others}]))
    assert (found.value.code, found.value.param) == ("invalid_training_file", "training_file")
    return str(found.value)


def test_examples_are_tokens_with_loss_on_what_the_assistant_says(read, chat_format):
    ((ids, weights),) = read(jsonl([example()]))
    spoken = b"".join(
        chat_format.token_bytes(int(id)) for id, weight in zip(ids, weights, strict=True) if weight
    )
    assert spoken == b"Quack! It is on its way.<|im_end|>"


def test_weights_multi_turn_names_and_the_developer_role_are_understood(read):
    messages = [
        {"role": "developer", "content": "Be kind."},
        USER | {"name": "Ann"},
        ASSISTANT | {"weight": 0},
    ]
    ((ids, weights),) = read(jsonl([{"messages": [*messages, USER, ASSISTANT | {"weight": 1}]}]))
    ((plain, all_weights),) = read(
        jsonl([{"messages": [{**messages[0], "role": "system"}, USER, ASSISTANT] * 2}])
    )
    assert 0 < weights.sum() < all_weights.sum()


def test_long_examples_are_cut_and_those_with_nothing_left_to_learn_refused(read):
    ((ids, _),) = read(jsonl([{"messages": [USER, ASSISTANT | {"content": "so " * 500}]}]))
    assert len(ids) == 256
    words = problem(read, USER | {"content": "so " * 500}, ASSISTANT)
    assert "nothing to learn from within the first 256 tokens" in words
    assert "nothing to learn" in problem(read, USER, ASSISTANT | {"weight": 0})


@pytest.mark.parametrize(
    "messages, others, words",
    [
        ([USER], {}, "At least one message must be from the assistant"),
        ([], {}, "'messages' must be a list with at least one message"),
        ([{"content": "Hi"}, ASSISTANT], {}, "message 1 Discriminator 'role' is missing in value"),
        ([USER | {"role": "bot"}, ASSISTANT], {}, "message 1 has the role 'bot'. Change it to one of system"),
        ([USER, {"role": "assistant"}], {}, "message 2 has no text"),
        ([USER | {"content": 5}, ASSISTANT], {}, "message 1 has no text"),
        (["Hi", ASSISTANT], {}, "message 1 must be an object"),
        ([USER | {"weight": 1}, ASSISTANT], {}, "message 1: only assistant messages may have a 'weight'"),
        ([USER, ASSISTANT | {"weight": 0.5}], {}, "message 2 has the weight 0.5. Change it to 0 or 1"),
        ([USER, ASSISTANT | {"mood": "glad"}], {}, "message 2 contains an extra 'mood'"),
        ([USER, ASSISTANT | {"tool_calls": [{"id": "1"}]}], {}, "tools are not imitated"),
        ([USER, ASSISTANT | {"function_call": {"name": "f"}}], {}, "tools are not imitated"),
        ([USER, {"role": "tool", "content": "5"}, ASSISTANT], {}, "tools are not imitated"),
        ([USER, ASSISTANT], {"tools": [{"type": "function"}]}, "tools are not imitated"),
        ([USER, ASSISTANT], {"model": "gpt-4o"}, 'contains an extra "model"'),
    ],
)
def test_a_broken_rule_is_named_with_its_place_and_remedy(read, messages, others, words):
    found = problem(read, *messages, **others)
    assert found.startswith(
        "The job failed due to an invalid training file. Invalid file format. Example 1, "
    )
    assert words in found and found.endswith("(Line 1 of the file.)")


def test_the_formats_of_other_methods_are_recognised(read):
    with pytest.raises(TrainingFileError, match="format: not imitated here. Write chat messages"):
        read(jsonl([{"prompt": "Hi", "completion": "Hello"}]))
    with pytest.raises(TrainingFileError, match="Example 2, which is in the preference format"):
        read(jsonl([example(), pair()]))
    with pytest.raises(TrainingFileError, match="Example 2, which is in the chat format"):
        read(jsonl([pair(), example()]), method="dpo")


def test_the_file_of_another_method_is_refused_in_the_words_on_record(read):
    words = (
        "The job failed due to an invalid training file. Invalid file format. Input file train.jsonl is in "
    )
    for line, method, other, form in (
        (example(), "dpo", "supervised", "fine-tune-chat"),
        (pair(), "supervised", "dpo", "fine-tune-preference"),
    ):
        with pytest.raises(TrainingFileError) as found:
            read(jsonl([line] * 3), method=method)
        assert str(found.value) == (
            f"{words}the {form} format, but the specified fine-tuning job is not using '{other}' as the "
            f"training method (provided method={method})."
        )


def test_a_pair_is_one_prompt_with_two_replies_that_carry_loss(read, chat_format):
    line = pair()
    line["input"]["messages"] += [ASSISTANT, USER]  # said earlier: read, not learnt
    ((found),) = read(jsonl([line]), method="dpo")
    for (ids, weights), reply in (
        (found.preferred, "Quack! It is on its way.<|im_end|>"),
        (found.non_preferred, "It is on its way.<|im_end|>"),
    ):
        pairs = zip(ids, weights, strict=True)
        spoken = b"".join(chat_format.token_bytes(int(id)) for id, weight in pairs if weight)
        assert spoken.decode() == reply


@pytest.mark.parametrize(
    "change, words",
    [
        ({"input": [USER]}, 'key "input": must be an object'),
        ({"input": {"messages": []}}, "'messages' must be a list with at least one message"),
        ({"input": {"messages": [USER], "tools": [1]}}, "tools are not imitated"),
        ({"input": {"messages": [USER, ASSISTANT]}}, "the assistant must not speak last"),
        ({"input": {"messages": [{"content": "Hi"}]}}, "message 1 Discriminator 'role' is missing in value"),
        ({"preferred_output": ASSISTANT}, 'key "preferred_output": must be a list with one message'),
        ({"preferred_output": [ASSISTANT] * 2}, 'key "preferred_output": must be a list with one message'),
        ({"preferred_output": [USER]}, 'key "preferred_output": message 1 must be from the assistant'),
        (
            {"non_preferred_output": [{"role": "assistant"}]},
            'key "non_preferred_output": message 1 has no text',
        ),
        ({"score": 1}, 'contains an extra "score"'),
        ({"input": {"messages": [USER | {"content": "so " * 500}]}}, "nothing to learn from within"),
    ],
)
def test_a_broken_rule_of_a_pair_is_named_with_its_place(read, change, words):
    with pytest.raises(TrainingFileError) as found:
        read(jsonl([pair(), pair() | change]), method="dpo")
    assert "Invalid file format. Example 2, " in str(found.value) and words in str(found.value)


def test_a_pair_without_a_part_is_refused(read):
    for key in ("input", "non_preferred_output"):
        line = pair()
        del line[key]
        with pytest.raises(TrainingFileError, match=f'Example 1, has no "{key}"'):
            read(jsonl([line]), method="dpo")


def test_blank_lines_count_as_lines_but_not_as_examples(read):
    content = b"\xef\xbb\xbf\r\n" + jsonl([example()]) + b"\r\n \r\n" + b'{"messages": []}'
    with pytest.raises(TrainingFileError, match=r"Example 2, .*\(Line 5 of the file.\)"):
        read(content)


def test_nine_examples_are_too_few():
    check_size(10)
    with pytest.raises(TrainingFileError, match="Training file has 9 example") as found:
        check_size(9)
    assert found.value.code == "invalid_n_examples"


@pytest.mark.parametrize("text", ["42", "null", "{", '{"a": 1} {"b": 2}', "{" * 99999])
def test_a_line_that_is_no_dictionary_is_refused(text):
    with pytest.raises(NotJsonLines, match="Line 2 is not a dictionary"):
        check_jsonl(io.BytesIO(b"{}\n" + text.encode()))


def test_odd_but_valid_text_survives():
    odd = {"messages": "\ud800 \u2028 \x00 \N{DUCK} " + "é" * 1000}
    ((_, found),) = json_lines(io.BytesIO(json.dumps(odd).encode()))
    assert found == odd


def test_a_large_file_is_checked_in_little_memory(tmp_path):
    path = tmp_path / "large.jsonl"
    path.write_bytes(jsonl([example()]) * 40_000)
    tracemalloc.start()
    with open(path, "rb") as stream:
        check_jsonl(stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 8_000_000 and peak < 1_000_000

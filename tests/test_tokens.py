import hashlib
from pathlib import Path

import pytest

from helpers import as_tokens, count_tokens, encoding_of, prices, read_jsonl, to_jsonl, tokens
from helpers.local_openai import BASE_MODELS, chat_format_of, training_tokens
from helpers.local_openai.chat_format import ChatFormat
from helpers.local_openai.model import load_model
from helpers.local_openai.training_file import read_examples

MINI = "gpt-4.1-mini-2025-04-14"
SUPPORT = Path(__file__).parents[1] / "data" / "support"
EXAMPLE = {
    "messages": [
        {"role": "user", "content": "A lamp?"},
        {"role": "assistant", "content": "No.", "weight": 0},
        {"role": "user", "content": "<b>Sure?</b>"},
        {"role": "assistant", "content": "Yes."},
    ]
}


@pytest.fixture
def no_vocabulary(tmp_path, monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))


def learnt(seen):
    return "".join(text for text, fate in zip(seen.texts, seen.fates, strict=True) if fate == "learnt")


def long_example(n):
    return {"messages": [*EXAMPLE["messages"][:3], {"role": "assistant", "content": "word " * n}]}


def test_what_is_shown_is_what_a_job_trains_on(tmp_path):
    examples = [*read_jsonl(SUPPORT / "train.jsonl"), EXAMPLE, long_example(600)]
    (tmp_path / "train.jsonl").write_bytes(to_jsonl(examples))
    folder = BASE_MODELS["tiny-chat"]
    limit = load_model(folder).config.max_position_embeddings
    trained = read_examples(tmp_path / "train.jsonl", "training_file", ChatFormat(folder), limit)
    for example, (ids, weights) in zip(examples, trained, strict=True):
        seen = as_tokens(example)
        assert seen.ids[:limit] == list(ids)
        assert seen.fates[:limit] == ["learnt" if weight else "read" for weight in weights]
        assert set(seen.fates[limit:]) <= {"cut"}


def test_the_context_in_the_price_table_is_that_of_the_model():
    table = prices().set_index(["model", "use"])
    config = load_model(BASE_MODELS["tiny-chat"]).config
    assert table.loc[("tiny-chat", "tuned"), "training_context"] == config.max_position_embeddings


def test_only_replies_with_weight_1_and_their_end_signs_are_learnt():
    assert learnt(as_tokens(EXAMPLE)) == "Yes.<|im_end|>"


def test_the_tokens_are_told_in_colour_and_in_words():
    seen = as_tokens(EXAMPLE)
    head, *lines = repr(seen).splitlines()
    assert (
        head
        == f"{len(seen.ids)} tokens: {seen.fates.count('learnt')} learnt, {seen.fates.count('read')} read"
    )
    assert len(lines) == 4 and "⟦Yes|.|<|im_end|>⟧" in lines[3] and "⟦" not in "".join(lines[:3])
    html = seen._repr_html_()
    assert "<b>" not in html and html.count("font-weight:bold") == seen.fates.count("learnt")


def test_what_is_cut_off_is_marked_and_counted():
    seen, row = as_tokens(long_example(600)), count_tokens([EXAMPLE, long_example(600)]).loc[2]
    assert row["cut"] == seen.fates.count("cut") == row["tokens"] - 512
    assert "~" in repr(seen) and "line-through" in seen._repr_html_()
    assert row["learnt"] == seen.fates.count("learnt") and row["how"] == "exact"


def test_an_example_that_breaks_a_rule_is_refused_in_the_words_of_the_service():
    with pytest.raises(ValueError, match="has the role 'customer'. Change it to one of"):
        as_tokens({"messages": [{"role": "customer", "content": "Hi"}, EXAMPLE["messages"][3]]})


def test_tokens_are_counted_before_anything_is_cut():
    ids, weights = training_tokens(long_example(600))
    assert len(ids) == len(weights) > 600


def test_the_encoding_makes_and_reads_the_signs_of_the_template():
    encoding = encoding_of("tiny-chat")
    assert encoding is chat_format_of("tiny-chat").encoding
    ids = encoding.encode("<|im_start|>user\nHi<|im_end|>\n", allowed_special="all")
    assert encoding.decode(ids) == "<|im_start|>user\nHi<|im_end|>\n"


def test_tokens_of_openai_are_estimated_without_a_vocabulary(no_vocabulary):
    row = count_tokens([EXAMPLE], MINI).iloc[0]
    # texts of 7, 3, 12 and 4 letters, four letters a token; four tokens around each message
    assert list(row) == [2 + 1 + 3 + 1 + 4 * 4, 1 + 1, 0, "estimate"]


def test_a_vocabulary_that_is_not_there_is_said_and_never_fetched(no_vocabulary):
    with pytest.raises(LookupError, match="o200k_base of gpt-4.1-mini.* is not on this machine"):
        encoding_of(MINI)


def test_with_a_vocabulary_the_texts_are_counted_exactly(tmp_path, monkeypatch):
    address = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
    (tmp_path / hashlib.sha1(address.encode()).hexdigest()).touch()
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tokens.tiktoken, "get_encoding", lambda name: encoding_of("tiny-chat"))
    row, local = count_tokens([EXAMPLE], MINI).iloc[0], count_tokens([EXAMPLE]).iloc[0]
    assert row["how"] == "texts exact" and row["learnt"] == local["learnt"]


def test_more_than_the_training_context_of_a_large_model_is_cut(no_vocabulary):
    row = count_tokens([long_example(60_000)], MINI).iloc[0]
    assert row["cut"] == row["tokens"] - 65_536 > 0


def test_a_model_without_a_price_row_is_told_with_those_that_have_one():
    with pytest.raises(ValueError, match="no price of 'gpt-9' as a tuned model"):
        count_tokens([EXAMPLE], "gpt-9")

import pytest

from helpers import read_jsonl, to_jsonl


def test_what_is_written_is_read_again(tmp_path):
    rows = [{"messages": [{"role": "user", "content": "Grüße 🦦\nzwei Zeilen"}]}, {"messages": []}]
    (tmp_path / "a.jsonl").write_bytes(to_jsonl(rows))
    assert read_jsonl(tmp_path / "a.jsonl") == rows


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_are_read_over(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": 2}\r\n')
    assert read_jsonl(tmp_path / "a.jsonl") == [{"a": 1}, {"a": 2}]


def test_a_character_that_unicode_calls_a_line_end_does_not_split_a_line(tmp_path):
    rows = [{"content": "before\u2028after\x85end"}]
    (tmp_path / "a.jsonl").write_bytes(to_jsonl(rows))
    assert read_jsonl(tmp_path / "a.jsonl") == rows


def test_a_broken_line_is_named_with_its_number(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"a": 1}\n\n{"a": 2\n')
    with pytest.raises(ValueError, match=r"a\.jsonl, line 3: not JSON"):
        read_jsonl(tmp_path / "a.jsonl")

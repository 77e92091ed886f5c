import pytest

from helpers.dataset import read_csv, read_jsonl, split, to_chat, to_jsonl


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


def test_a_csv_row_knows_the_line_on_which_it_begins(tmp_path):
    path = tmp_path / "desk.csv"
    path.write_text('question,answer\n"a\nb",c\n\nd,"e, f"\n', encoding="utf-8-sig")
    assert read_csv(path) == [
        {"question": "a\nb", "answer": "c", "line": 2},
        {"question": "d", "answer": "e, f", "line": 5},
    ]


def test_a_csv_row_with_a_comma_too_many_is_named_with_its_line(tmp_path):
    path = tmp_path / "desk.csv"
    path.write_text('question,answer\n"a\nb",c\nd,e,f\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"line 4: 3 fields, but the header has 2 \(question, answer\)"):
        read_csv(path)


def test_rows_become_chat_examples():
    [example] = to_chat([{"q": " Hi ", "a": "Hello!"}], question="q", answer="a", system="Be kind.")
    assert [(m["role"], m["content"]) for m in example["messages"]] == [
        ("system", "Be kind."),
        ("user", "Hi"),
        ("assistant", "Hello!"),
    ]


def test_the_legacy_format_becomes_chat_examples():
    [example] = to_chat([{"prompt": "Hi ->", "completion": " Hello!"}])
    assert [m["content"] for m in example["messages"]] == ["Hi ->", "Hello!"]


def test_a_row_without_an_answer_is_named():
    with pytest.raises(ValueError, match="Row 2: the column 'a' is empty"):
        to_chat([{"q": "Hi", "a": "Hello!"}, {"q": "Hi", "a": " "}], "q", "a")


def test_a_split_keeps_groups_whole_and_labels_in_proportion():
    rows = list(range(200))
    groups, labels = [row // 2 for row in rows], [row // 2 % 5 for row in rows]
    parts = split(rows, {"train": 0.7, "validation": 0.1, "test": 0.2}, groups=groups, labels=labels)
    assert sorted(row for part in parts.values() for row in part) == rows
    assert [len(part) for part in parts.values()] == [140, 20, 40]
    assert all(len({groups[row] for row in part}) == len(part) / 2 for part in parts.values())
    assert all(sum(labels[row] == 3 for row in part) == len(part) / 5 for part in parts.values())


def test_another_seed_splits_otherwise_and_the_same_seed_alike():
    def test_part(seed):
        return split(
            list(range(50)), {"train": 0.8, "test": 0.2}, groups=range(50), labels=[0] * 50, seed=seed
        )["test"]

    assert test_part(1) == test_part(1) != test_part(2)

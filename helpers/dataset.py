"""Training files: one JSON object a line."""

import json


def read_jsonl(path):
    """The objects of a JSONL file as a list; blank lines are skipped.

    Raises ValueError with file, line and reason for a line that is not JSON.
    """
    rows = []
    with open(path, encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                rows.append(parse(line, path, number))
    return rows


def parse(line, path, number):
    """The object in one line; `path` and `number` are for the error message."""
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}, line {number}: not JSON ({error.msg} at character {error.pos + 1}). "
            "Each line must be one complete JSON object."
        ) from None


def to_jsonl(rows):
    """The bytes of a JSONL file, ready for `client.files.create(file=("name.jsonl", ...))`."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()

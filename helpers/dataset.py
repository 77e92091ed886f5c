"""Data sets: reading and writing them, turning tables into chat examples, and splitting them."""

import csv
import json
import random
from collections import Counter


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


def read_csv(path, delimiter=","):
    """The rows of a CSV file as dictionaries of texts, each with the `line` on which it begins.

    A text in quotation marks may go over several lines. Raises ValueError with file and line for a row whose
    number of fields is not that of the header.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        header, rows, line = next(reader, []), [], reader.line_num + 1
        for fields in reader:
            if len(fields) not in (0, len(header)):
                raise ValueError(
                    f"{path}, line {line}: {len(fields)} fields, but the header has {len(header)} "
                    f"({', '.join(header)}). Put texts that hold a {delimiter!r} into quotation marks."
                )
            if fields:
                rows.append(dict(zip(header, fields, strict=True)) | {"line": line})
            line = reader.line_num + 1
    return rows


def to_chat(rows, question="prompt", answer="completion", system=None):
    """Chat examples `{"messages": [...]}` from dictionaries: what the user asks, what the assistant replies.

    `question` and `answer` name the columns; with their defaults it converts OpenAI's legacy format. `system`
    is the system message of all examples. Raises ValueError for a row whose text is empty.
    """
    examples = []
    for place, row in enumerate(rows, start=1):
        texts = [(row.get(column) or "").strip() for column in (question, answer)]
        if not all(texts):
            column = question if not texts[0] else answer
            raise ValueError(
                f"Row {place}: the column {column!r} is empty or missing. Fill it, or drop the row."
            )
        messages = [{"role": "system", "content": system}] if system else []
        messages += [{"role": "user", "content": texts[0]}, {"role": "assistant", "content": texts[1]}]
        examples.append({"messages": messages})
    return examples


def split(rows, shares, *, groups, labels, seed=0):
    """`rows` in parts, {name: rows}: each group whole in one part, each label in all parts in equal shares.

    `shares` gives each part its share, say {"train": 0.8, "test": 0.2}; `groups` and `labels` hold a value
    for each row. Rows that belong together (the same customer, near duplicates) in one group cannot leak.
    """
    members = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    order = list(members.values())
    random.Random(seed).shuffle(order)
    order.sort(key=len, reverse=True)  # large groups first: small ones even out what they leave
    placed = {name: Counter() for name in shares}
    parts = {name: [] for name in shares}
    for places in order:
        wanted = Counter(labels[place] for place in places)
        name = emptiest(placed, shares, wanted)
        placed[name] += wanted
        parts[name] += places
    return {name: [rows[place] for place in sorted(places)] for name, places in parts.items()}


def emptiest(placed, shares, wanted):
    """The part that has the least of the labels `wanted`, measured by the share that it should get."""
    return min(shares, key=lambda name: sum(placed[name][label] for label in wanted) / shares[name])

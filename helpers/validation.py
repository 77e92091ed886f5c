"""All problems of a training file at once: line, rule, what is wrong, what to do."""

import codecs
import io
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from . import rules

MIN_EXAMPLES, GOOD_START = 10, 50  # OpenAI refuses fewer than 10 and advises to begin with 50 good ones
METHODS = {"supervised": "chat", "dpo": "preference", "completion": "completion"}


@dataclass(frozen=True)
class Problem:
    """One problem; `line` counts from 1, 0 means the file as a whole; `severity` is "error" or "warning"."""

    line: int
    rule: str
    problem: str
    remedy: str
    severity: str = "error"


def validate(file, method="supervised"):
    """The problems of a JSONL file as a DataFrame, a row for each; empty if there is none.

    `file` is a path, or the bytes of a file. `method` is "supervised" (chat messages), "dpo" (preferences),
    or "completion" (the legacy format).
    """
    with io.BytesIO(file) if isinstance(file, bytes) else open(file, "rb") as lines:
        return pd.DataFrame(map(asdict, problems(lines, method)), columns=list(Problem.__annotations__))


def problems(lines, method="supervised"):
    """Yield the `Problem`s of a file's lines (bytes); needs little memory, however long the file is."""
    wanted, count = METHODS[method], 0
    for number, line in enumerate(lines, start=1):
        if number == 1 and line.startswith(codecs.BOM_UTF8):
            yield Problem(1, "no_byte_order_mark", *BYTE_ORDER_MARK, "warning")
            line = line.removeprefix(codecs.BOM_UTF8)
        if not line.strip():
            yield Problem(number, "no_blank_lines", "the line is empty", "Remove it.", "warning")
            continue
        count += 1
        example, complaint = read_line(line)
        if complaint:
            yield Problem(number, *complaint)
            if complaint[0] == "file_is_no_array":
                return
        else:
            yield from line_problems(number, example, wanted)
    yield from size_problems(count)


FITTING = "Choose the method that fits, or turn it into messages with to_chat(...)."
BYTE_ORDER_MARK = ("the file begins with a byte-order mark", 'Save it as "UTF-8", not "UTF-8 with BOM".')


def read_line(line):
    """(the object in a line, None) or (None, (rule, what is wrong, what to do))."""
    try:
        example = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return None, ("file_is_utf8", "not UTF-8 text", "Save the file with the encoding UTF-8.")
    except (ValueError, RecursionError) as error:
        return None, not_json(line.decode("utf-8").strip(), error)
    if isinstance(example, list):
        return None, ("file_is_no_array", "a list, not an object", ONE_A_LINE)
    if not isinstance(example, dict):
        return None, ("line_is_an_object", f"{rules.shortened(example)}, not an object", ONE_A_LINE)
    return example, None


ONE_A_LINE = "Write one object a line, {…}, without [ ] around all and without commas between lines."


def not_json(text, error):
    """(rule, what is wrong, what to do) for a line that cannot be read; knows the usual slips."""
    if text.startswith("["):
        return "file_is_no_array", "a list over several lines, not an object", ONE_A_LINE
    if text.startswith("{'"):
        return "line_is_json", "single quotes, as Python prints them", "Write the file with to_jsonl(...)."
    if text.endswith(","):
        return "line_is_json", "a comma behind the object", ONE_A_LINE
    if text == "{" or not text.startswith("{"):
        return "line_is_json", f"not a whole object: {rules.shortened(text)}", ONE_A_LINE
    return "line_is_json", f"not JSON: {error}", "Mend the line, or write the file with to_jsonl(...)."


def line_problems(number, example, wanted):
    """The problems of one example; later rules need what earlier ones make sure."""
    if wanted == "chat" and is_ordinary(example):
        return
    form = rules.format_of(example)
    if form not in (wanted, None):
        text = f"in the {form} format, but the job needs the {wanted} format"
        yield Problem(number, "format_fits_method", text, FITTING)
        return
    for stage in (*rules.SHAPE, *rules.STAGES[wanted]):
        found = [Problem(number, *broken) for broken in stage_problems(stage, example)]
        yield from found
        if found and any(problem.severity == "error" for problem in found):
            return


def stage_problems(stage, example):
    """(rule, what is wrong, what to do, severity) for each rule of a stage that the example breaks."""
    for part, judges in stage.items():
        for place, thing in PARTS[part](example):
            for rule in judges:
                if text := rule(thing):
                    yield rule.__name__, place + text, rule.remedy, rule.severity


def messages_of(example):
    """The messages of a chat example, or those to which a preference gives two replies."""
    holder = example if "messages" in example else example["input"]
    return holder.get("messages") if isinstance(holder, dict) else None


PARTS = {  # what a rule looks at → (where it stands, the thing) for each
    "example": lambda example: [("", example)],
    "messages": lambda example: [("", messages_of(example))],
    "message": lambda example: [(f"message {i}: ", m) for i, m in enumerate(messages_of(example), start=1)],
}


def is_ordinary(example):
    """Whether this is the usual kind of example, which breaks no rule: most are, and this is quick to see."""
    messages = example.get("messages")
    if len(example) > 1 or not isinstance(messages, list) or not all(map(is_plain, messages)):
        return False
    roles = [message["role"] for message in messages]
    usual = all(role in ("user", "assistant") for role in roles[1:])
    return usual and roles[:1] in (["system"], ["user"]) and roles[-1] == "assistant"


def is_plain(message):
    """Whether a message has a role, a text, and nothing else."""
    if not isinstance(message, dict) or message.keys() != {"role", "content"}:
        return False
    return isinstance(message["content"], str) and message["content"].strip() != ""


def size_problems(count):
    """Whether the file has enough examples."""
    if count < MIN_EXAMPLES:
        text = f"{count} example(s), but must have at least {MIN_EXAMPLES} examples"
        yield Problem(0, "enough_examples", text, f"Add {MIN_EXAMPLES - count} or more.")
    elif count < GOOD_START:
        text = f"{count} examples are few; {GOOD_START} are a good start"
        yield Problem(0, "enough_examples", text, "Add good ones, if you can.", "warning")


def safe_fixes(file):
    """(the bytes of a file without slips that mean nothing, a table of what was changed); no text is touched.

    Mended are a byte-order mark, blank lines, a comma behind the object, and roles with capitals or blanks.
    """
    data = file if isinstance(file, bytes) else Path(file).read_bytes()
    before = data.removesuffix(b"\n").split(b"\n")
    table = pd.DataFrame({"before": before, "after": map(fixed_line, before)}, range(1, len(before) + 1))
    fixed = b"".join(line + b"\n" for line in table["after"] if line)
    return fixed, table[(table["before"] != table["after"]) | (table["after"] == b"")].rename_axis("line")


def fixed_line(line):
    """One line without its harmless slips; empty if nothing is on it."""
    line = line.removeprefix(codecs.BOM_UTF8).strip().removesuffix(b",")
    return re.sub(rb'("role": *)"\s*(\w+)\s*"', lambda found: found[1] + b'"%s"' % found[2].lower(), line)

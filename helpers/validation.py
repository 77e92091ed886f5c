"""All problems of a training file at once: line, rule, what is wrong, what to do."""

import codecs
import json
from dataclasses import asdict, dataclass

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


def validate(path, method="supervised"):
    """The problems of a JSONL file as a DataFrame, a row for each; empty if there is none.

    `method` is "supervised" (chat messages), "dpo" (preferences), or "completion" (the legacy format).
    """
    with open(path, "rb") as lines:
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
    for stage in (shape, *CONTENT[wanted]):
        found = [
            Problem(number, rule.__name__, text, rule.remedy, rule.severity)
            for rule, text in stage(example, wanted)
        ]
        yield from found
        if any(problem.severity == "error" for problem in found):
            return


def is_ordinary(example):
    """Whether this is the usual kind of example, which breaks no rule: most are, and this is quick to see."""
    messages = example.get("messages")
    if len(example) > 1 or not isinstance(messages, list) or not messages:
        return False
    for message in messages:
        if not isinstance(message, dict) or message.keys() != {"role", "content"}:
            return False
        if not isinstance(message["content"], str) or not message["content"].strip():
            return False
    roles = [message["role"] for message in messages]
    return (
        roles[-1] == "assistant" and ORDINARY_ROLES.issuperset(roles[1:]) and roles[0] in ("system", "user")
    )


ORDINARY_ROLES = {"user", "assistant"}


def judge(judges, thing):
    """(rule, what is wrong) for each rule that `thing` breaks."""
    return [(rule, text) for rule in judges if (text := rule(thing))]


def shape(example, wanted):
    """Format and keys of an example."""
    form = rules.format_of(example)
    if form in (wanted, None):
        found = judge([rules.format_is_known], example)
        return found or judge([rules.keys_are_there, rules.no_extra_keys], example)
    return [(format_fits_method, f"in the {form} format, but the job needs the {wanted} format")]


@rules.rule(
    "Choose the method that fits the file, or change the file. to_chat(...) helps with the legacy one."
)
def format_fits_method(example):
    """Broken where an example has the format of another method; see `shape`."""


def message_list(example, wanted):
    """Messages that are objects in a list."""
    messages = messages_of(example)
    found = judge([rules.messages_are_a_list], messages)
    return found or each_message([rules.message_is_an_object], messages)


def message_fields(example, wanted):
    """What stands in each message."""
    return each_message(rules.MESSAGE_RULES, messages_of(example))


def conversation(example, wanted):
    """How the messages of a chat example belong together."""
    judges = [
        rules.assistant_speaks,
        rules.assistant_is_last,
        rules.system_is_first,
        rules.tool_calls_are_answered,
    ]
    found = judge(judges, example["messages"])
    return found + judge([rules.called_functions_are_declared], example)


def outputs(example, wanted):
    """The two replies of a preference."""
    return judge([rules.outputs_are_one_reply, rules.outputs_differ], example)


def texts(example, wanted):
    """Prompt and completion of the legacy format."""
    return judge([rules.texts_are_there], example)


CONTENT = {
    "chat": (message_list, message_fields, conversation),
    "preference": (message_list, message_fields, outputs),
    "completion": (texts,),
}


def messages_of(example):
    """The messages of a chat example, or those to which a preference gives two replies."""
    if "messages" in example:
        return example["messages"]
    return example["input"].get("messages") if isinstance(example["input"], dict) else None


def each_message(judges, messages):
    """(rule, what is wrong) for all messages, counted from 1."""
    found = []
    for place, message in enumerate(messages, start=1):
        for rule in judges:
            if text := rule(message):
                found.append((rule, f"message {place}: {text}"))
    return found


def size_problems(count):
    """Whether the file has enough examples."""
    if count < MIN_EXAMPLES:
        text = f"{count} example(s), but must have at least {MIN_EXAMPLES} examples"
        yield Problem(0, "enough_examples", text, f"Add {MIN_EXAMPLES - count} or more.")
    elif count < GOOD_START:
        text = f"{count} examples are a try, {GOOD_START} a good start"
        yield Problem(0, "enough_examples", text, "Add good ones, if you can.", "warning")

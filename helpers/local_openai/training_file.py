"""From the bytes of a JSONL file to training examples, or the error that OpenAI documents.

An upload is only checked for being JSONL (`check_jsonl`), as OpenAI does; the rules of a training example are
checked when a job starts (`read_examples`). Both go line by line, so a large file needs little memory.
"""

import codecs
import json

import numpy as np

from .messages import MessageError, clean_messages
from .moderation import Tally
from .preference import Pair

MIN_EXAMPLES = 10
MAX_LINE = 2**20  # bytes
EXAMPLE_KEYS = ("messages", "tools", "parallel_tool_calls", "functions")
PAIR_KEYS = ("input", "preferred_output", "non_preferred_output")
FORMATS = {"supervised": "fine-tune-chat", "dpo": "fine-tune-preference"}  # the second name is ours

BLOCKED = (
    "This training file was blocked because too many examples were flagged by our moderation API for "
    "containing content that violates OpenAI's usage policies in the following categories: {}. Use the free "
    "OpenAI Moderation API to identify these examples and remove them from your training data."
)


class NotJsonLines(ValueError):
    """The file is not JSONL; the message names the line."""


class TrainingFileError(ValueError):
    """The file cannot be trained on; `code` and `param` as in a job's error, the message with a remedy."""

    def __init__(self, code, message, param):
        super().__init__(message)
        self.code, self.param = code, param


class WrongFormat(MessageError):
    """An example of another method."""


def json_lines(stream):
    """Yield (line number, dict) for each line of a binary stream that is not blank; raises NotJsonLines.

    A byte-order mark at the start and Windows line ends do no harm.
    """
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if line.strip():
            yield number, _dictionary(line, number)


def _dictionary(line, number):
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(line) <= MAX_LINE:  # else the cut went through a character
            message = f"Line {number} is not UTF-8 text. Save the file with the encoding UTF-8."
            raise NotJsonLines(message) from error
        text = line.decode("utf-8", "replace")
    if len(line) > MAX_LINE and text.startswith("{"):
        remedy = "Write each example on a line of its own."
        raise NotJsonLines(f"Line {number} is longer than {MAX_LINE:,} bytes. {remedy}")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        start = text.strip()[:10]
        raise NotJsonLines(
            "Expected file to have JSONL format, where every line is a JSON dictionary. "
            f'Line {number} is not a dictionary (HINT: line starts with: "{start}...").'
        )
    return value


def check_jsonl(stream):
    """Read a binary stream to its end; raises NotJsonLines at the first line that is no JSON object."""
    if sum(1 for _ in json_lines(stream)) == 0:
        raise NotJsonLines("The file is empty. Write one JSON object on each line.")


def read_examples(path, param, chat_format, limit, method="supervised"):
    """Yield the examples of an uploaded file, cut to `limit` tokens, as the `method` wants them.

    That is (token ids, loss weights) for "supervised" and a Pair of these for "dpo". `param` is the file's
    part in the job, "training_file" or "validation_file". Raises TrainingFileError at the first example that
    breaks a rule, or at the end if too many examples are unsafe.
    """
    read = {"supervised": read_example, "dpo": read_pair}[method]
    tally = Tally()
    with open(path, "rb") as stream:
        for number, (line, example) in enumerate(json_lines(stream), start=1):
            try:
                yield read(example, chat_format, limit, tally)
            except MessageError as error:
                place = f"Example {number}, {error} (Line {line} of the file.)"
                if isinstance(error, WrongFormat) and number == 1:
                    place = wrong_format(path.name, method)
                kind = param.replace("_", " ")
                message = f"The job failed due to an invalid {kind}. Invalid file format. {place}"
                raise TrainingFileError(f"invalid_{param}", message, param) from error
    check_safety(tally, param)


def wrong_format(file_id, method):
    """OpenAI's words for a file of the one method in a job of the other."""
    other = {"supervised": "dpo", "dpo": "supervised"}[method]
    return (
        f"Input file {file_id} is in the {FORMATS[other]} format, but the specified fine-tuning job is not "
        f"using '{other}' as the training method (provided method={method})."
    )


def read_example(example, chat_format, limit, tally):
    """What a supervised job learns from a line; its Tally sees every reply."""
    example = clean_example(example)
    tally.add(example["messages"])
    return tokenize(example, chat_format, limit)


def read_pair(example, chat_format, limit, tally):
    """What a dpo job learns from a line; its Tally sees the preferred reply."""
    preferred, other = clean_pair(example)
    tally.add(preferred["messages"])
    return Pair(*(tokenize(reply, chat_format, limit) for reply in (preferred, other)))


def clean_example(example):
    """The example with clean messages; raises MessageError."""
    if "preferred_output" in example:
        raise WrongFormat("which is in the preference format: for a job with the method 'dpo'.")
    if "prompt" in example and "completion" in example:
        raise MessageError("which is in the completion format: not imitated here. Write chat messages.")
    messages = messages_of(example)
    if not any(message["role"] == "assistant" for message in messages):
        raise MessageError('key "messages": At least one message must be from the assistant. Add its reply.')
    return {"messages": messages}


def messages_of(example):
    """The clean messages of an object that holds nothing else; raises MessageError."""
    for key, value in example.items():
        if key not in EXAMPLE_KEYS:
            raise MessageError(f'contains an extra "{key}". Keep only "messages".')
        if key != "messages" and value:
            raise MessageError(f'contains "{key}": tools are not imitated by this local service. Remove it.')
    return clean_messages(example.get("messages"), training=True)


def clean_pair(example):
    """Two examples of one prompt: with the preferred and with the other reply; raises MessageError.

    What the assistant said earlier in the conversation is read but not learnt.
    """
    if "messages" in example:
        raise WrongFormat("which is in the chat format: for a job with the method 'supervised'.")
    for key in (*PAIR_KEYS, *example):
        if key not in example or key not in PAIR_KEYS:
            what = "has no" if key not in example else "contains an extra"
            raise MessageError(f'{what} "{key}". Write just {", ".join(PAIR_KEYS)}.')
    if not isinstance(example["input"], dict):
        raise MessageError('key "input": must be an object with "messages".')
    prompt = messages_of(example["input"])
    if prompt[-1]["role"] == "assistant":
        raise MessageError('key "input": the assistant must not speak last. Move its reply to an output.')
    prompt = [message | ({"weight": 0} if message["role"] == "assistant" else {}) for message in prompt]
    return [{"messages": [*prompt, one_reply(example[key], key)]} for key in PAIR_KEYS[1:]]


def one_reply(output, key):
    """The only message of an output; raises MessageError."""
    if not isinstance(output, list) or len(output) != 1:
        raise MessageError(f'key "{key}": must be a list with one message of the assistant.')
    try:
        (reply,) = clean_messages(output, training=True)
    except MessageError as error:
        raise MessageError(f'key "{key}": {error}') from error
    if reply["role"] != "assistant":
        raise MessageError(f'key "{key}": message 1 must be from the assistant.')
    return reply


def tokenize(example, chat_format, limit):
    """(ids, weights) as arrays, which need less memory; raises MessageError if no token carries loss."""
    ids, weights = chat_format.example(example, limit)
    if not any(weights[1:]):
        raise MessageError(
            f"has nothing to learn from within the first {limit} tokens. Shorten what comes before the "
            "assistant's reply, or give a reply the weight 1."
        )
    return np.array(ids, np.int32), np.array(weights, np.float32)


def check_safety(tally, param):
    """Raises TrainingFileError, in OpenAI's words, if too many examples are flagged."""
    if tally.blocked():
        categories = ", ".join(sorted(tally.categories))
        reason = f"The job failed due to an invalid {param.replace('_', ' ')}. {BLOCKED.format(categories)}"
        raise TrainingFileError(f"invalid_{param}", reason, param)


def check_size(n_examples):
    """Raises TrainingFileError if there are fewer than ten examples."""
    if n_examples < MIN_EXAMPLES:
        raise TrainingFileError(
            "invalid_n_examples",
            f"Training file has {n_examples} example(s), but must have at least {MIN_EXAMPLES} examples",
            "training_file",
        )

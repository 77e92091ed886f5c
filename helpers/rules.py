"""The rules of a training example, each one small function that says what is wrong, or None.

`remedy` says what to do; the severity is "error" (the service refuses the file) or "warning" (it is trained,
but perhaps not as you want). Sources: OpenAI's guides to supervised fine-tuning and to direct preference
optimization, its API reference, and error messages of its service on record (2026).
"""

import json
import re

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
MESSAGE_KEYS = {"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal"}
FORMATS = {  # format → the keys that its examples must have, and those that they may have
    "chat": ({"messages"}, {"tools", "parallel_tool_calls", "functions"}),
    "preference": ({"input", "preferred_output", "non_preferred_output"}, set()),
    "completion": ({"prompt", "completion"}, set()),
}


def rule(remedy, severity="error"):
    """Give a rule its remedy and its severity."""

    def mark(function):
        function.remedy, function.severity = remedy, severity
        return function

    return mark


def format_of(example):
    """ "chat", "preference", "completion", or None."""
    for name, (needed, _) in FORMATS.items():
        if not needed.isdisjoint(example):
            return name
    return None


@rule('Write each line as {"messages": [...]}.')
def format_is_known(example):
    if not format_of(example):
        return f"expected chat messages, found the keys {', '.join(map(repr, example)) or '(none)'}"


@rule("Add what is missing.")
def keys_are_there(example):
    missing = FORMATS[format_of(example)][0] - example.keys()
    if missing:
        return f"{', '.join(sorted(missing))} is missing"


@rule("Remove it: only the keys of the format may stand in a line.")
def no_extra_keys(example):
    needed, allowed = FORMATS[format_of(example)]
    extra = example.keys() - needed - allowed
    if extra:
        return f'contains an extra "{sorted(extra)[0]}"'


@rule('Give "messages" a list: [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}].')
def messages_are_a_list(messages):
    if not isinstance(messages, list) or not messages:
        return f"the messages are {shortened(messages)}, not a list with at least one message"


@rule("Add the reply that the model should learn, or give it the weight 1.")
def assistant_speaks(messages):
    if not any(m["role"] == "assistant" and m.get("weight") != 0 for m in messages):
        return "at least one message must be from the assistant, with a weight other than 0"


@rule("End with the assistant's reply: what comes after it is not learnt.", "warning")
def assistant_is_last(messages):
    if messages[-1]["role"] != "assistant":
        return f"the last message is from the {messages[-1]['role']}"


@rule("Begin with the system message, as you will when you use the model.", "warning")
def system_is_first(messages):
    if any(m["role"] in ("system", "developer") for m in messages[1:]):
        return "a system message stands behind other messages"


@rule("Answer each call, right after it, with a tool message that has its id as tool_call_id.")
def tool_calls_are_answered(messages):
    open_calls = []
    for place, message in enumerate(messages, start=1):
        if message["role"] == "tool":
            if message.get("tool_call_id") not in open_calls:
                return f"message {place} answers {message.get('tool_call_id')!r}, which was not called"
            open_calls.remove(message["tool_call_id"])
        elif open_calls:
            return f"message {place} comes before the answer to {open_calls[0]!r}"
        open_calls += [call["id"] for call in message.get("tool_calls") or []]


@rule('List each function that is called under "tools".')
def called_functions_are_declared(example):
    functions = [tool.get("function") for tool in dictionaries(example.get("tools"))]
    functions += dictionaries(example.get("functions"))
    declared = [function.get("name") for function in dictionaries(functions)]
    for message in example["messages"]:
        for call in message.get("tool_calls") or []:
            if call["function"]["name"] not in declared:
                return f"calls {call['function']['name']!r}, which is not declared"


@rule("Give prompt and completion a text each; better, turn the file into chat messages: to_chat(...).")
def texts_are_there(example):
    for key in ("prompt", "completion"):
        if not isinstance(example[key], str) or not example[key].strip():
            return f"the {key} is {shortened(example[key])}, not a text"


@rule("Give both outputs one message of the assistant with a text.")
def outputs_are_one_reply(example):
    for key in ("preferred_output", "non_preferred_output"):
        output = example[key]
        reply = output[0] if isinstance(output, list) and len(output) == 1 else None
        if not isinstance(reply, dict) or reply.get("role") != "assistant" or not reply.get("content"):
            return f"{key} is {shortened(output)}, not a list with one reply"


@rule("Write a preferred output that is better than the other one.", "warning")
def outputs_differ(example):
    if example["preferred_output"] == example["non_preferred_output"]:
        return "both outputs are the same: there is nothing to prefer"


@rule('Write each message as an object: {"role": "user", "content": "…"}.')
def message_is_an_object(message):
    if not isinstance(message, dict):
        return f"is {shortened(message)}"


@rule("Use system (or developer), user or assistant; tool and function are for calls of tools alone.")
def role_is_known(message):
    if message.get("role") not in ROLES:
        return f"the role is {message['role']!r}" if "role" in message else "has no role"


@rule(f"Remove it. A message may have: {', '.join(sorted(MESSAGE_KEYS))}.")
def no_extra_fields(message):
    if not MESSAGE_KEYS.issuperset(message):
        return f"contains an extra {sorted(message.keys() - MESSAGE_KEYS)[0]!r}"


@rule("Give it a text, in quotation marks, or a list of parts that each have a type.")
def content_has_the_right_type(message):
    content = message.get("content")
    if isinstance(content, list):
        if not content or not all(isinstance(part, dict) and "type" in part for part in content):
            return "the content is a list whose parts are not objects with a type"
    elif content is not None and not isinstance(content, str):
        return f"the content is {shortened(content)}"


@rule("Write what is said, or remove the message. Only an assistant that calls a tool may be silent.")
def message_says_something(message):
    content = message.get("content")
    silent = not content or (isinstance(content, str) and content.isspace())
    if silent and not (message.get("tool_calls") or message.get("function_call") or message.get("refusal")):
        return "has no content"


@rule("Images belong to the user's messages.")
def assistant_writes_text(message):
    parts = dictionaries(message.get("content")) if message.get("role") == "assistant" else []
    if any(part.get("type") not in ("text", "refusal") for part in parts):
        return "the assistant sends something other than text"


@rule("Use the number 0 (do not learn from this reply) or 1, on messages of the assistant alone.")
def weight_is_0_or_1(message):
    weight = message.get("weight")
    if weight is not None and message.get("role") != "assistant":
        return f"the {message.get('role')} has a weight"
    if weight is not None and (isinstance(weight, bool) or weight not in (0, 1)):
        return f"the weight is {weight!r}"


@rule("Use up to 64 letters, digits, _ or -.")
def name_is_plain(message):
    name = message.get("name")
    if name is not None and not (isinstance(name, str) and re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)):
        return f"the name is {shortened(name)}"


@rule('Write calls as [{"id": "…", "type": "function", "function": {"name": "…", "arguments": "{…}"}}].')
def tool_calls_are_complete(message):
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        return f"the tool calls are {shortened(calls)}, not a list"
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        names = [function.get("name"), call.get("id")] if isinstance(function, dict) else [None]
        if not all(isinstance(name, str) and name for name in names):
            return f"the tool call {shortened(call)} lacks an id or a function with a name"
        if not is_json_text(function.get("arguments")):
            return f"the arguments of {function['name']!r} are not JSON in a text"


def is_json_text(text):
    """Whether `text` is a string that holds JSON."""
    try:
        json.loads(text)
    except (TypeError, ValueError):
        return False
    return isinstance(text, str)


def dictionaries(value):
    """The dictionaries in a list; none if `value` is no list."""
    return [thing for thing in value if isinstance(thing, dict)] if isinstance(value, list) else []


def shortened(value):
    """A value as it would stand in Python code, at most 40 characters of it."""
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


SHAPE = [{"example": [format_is_known]}, {"example": [keys_are_there, no_extra_keys]}]
FIELDS = [role_is_known, no_extra_fields, content_has_the_right_type, message_says_something]
FIELDS += [assistant_writes_text, weight_is_0_or_1, name_is_plain, tool_calls_are_complete]
MESSAGES = [{"messages": [messages_are_a_list]}, {"message": [message_is_an_object]}, {"message": FIELDS}]
TALK = [assistant_speaks, assistant_is_last, system_is_first, tool_calls_are_answered]
STAGES = {  # format → stages of {what is looked at: its rules}; one with an error is the last to be tried
    "chat": [*MESSAGES, {"messages": TALK, "example": [called_functions_are_declared]}],
    "preference": [*MESSAGES, {"example": [outputs_are_one_reply, outputs_differ]}],
    "completion": [{"example": [texts_are_there]}],
}

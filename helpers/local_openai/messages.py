"""The rules of a list of messages, the same in a chat request and in a line of a training file."""

ROLES = ("system", "developer", "user", "assistant")
FIELDS = ("role", "content", "name", "weight")


class MessageError(ValueError):
    """What is wrong with which message, and what to do."""


def clean_messages(messages, *, training):
    """The messages with plain text as content and `system` for `developer`; raises MessageError.

    `weight` (0 or 1, on assistant messages) is known in training only. `name` is checked and left out: this
    model's chat template has no place for it.
    """
    if not isinstance(messages, list) or not messages:
        raise MessageError("'messages' must be a list with at least one message.")
    return [_clean(message, f"message {i}", training) for i, message in enumerate(messages, start=1)]


def _clean(message, place, training):
    if not isinstance(message, dict):
        raise MessageError(f'{place} must be an object such as {{"role": "user", "content": "Hello"}}.')
    _check_fields(message, place)
    role = message["role"]
    clean = {
        "role": "system" if role == "developer" else role,
        "content": _text(message.get("content"), place),
    }
    if message.get("weight") is not None:
        _check_weight(message, place, training)
        clean["weight"] = message["weight"]
    return clean


def _check_fields(message, place):
    if "role" not in message:
        roles = ", ".join(ROLES)
        raise MessageError(f"{place} Discriminator 'role' is missing in value. Add a role: {roles}.")
    if message["role"] in ("tool", "function"):
        raise MessageError(f"{place}: tools are not imitated by this local service. Leave the message out.")
    if message["role"] not in ROLES:
        found = message["role"]
        raise MessageError(f"{place} has the role {found!r}. Change it to one of {', '.join(ROLES)}.")
    for field, value in message.items():
        if field in ("tool_calls", "function_call") and value:
            raise MessageError(f"{place}: tools are not imitated by this local service. Remove '{field}'.")
        if field not in FIELDS and value:  # the SDK's own message objects have empty ones
            raise MessageError(f"{place} contains an extra '{field}'. Remove it.")
    if not isinstance(message.get("name", ""), str):
        raise MessageError(f"{place}: 'name' must be a string.")


def _text(content, place):
    if isinstance(content, list):
        if not all(isinstance(part, dict) and part.get("type") == "text" for part in content):
            raise MessageError(f"{place}: parts other than text are not imitated by this local service.")
        texts = [part.get("text") for part in content]
        content = "".join(texts) if all(isinstance(text, str) for text in texts) else None
    if not isinstance(content, str):
        raise MessageError(f"{place} has no text. Give it a 'content' that is a string.")
    return content


def _check_weight(message, place, training):
    if not training:
        raise MessageError(f"{place}: 'weight' belongs into training files only. Remove it.")
    if message["role"] != "assistant":
        raise MessageError(f"{place}: only assistant messages may have a 'weight'. Remove it.")
    if message["weight"] not in (0, 1) or isinstance(message["weight"], bool):
        raise MessageError(f"{place} has the weight {message['weight']!r}. Change it to 0 or 1.")

"""Reading and checking what a request carries, with OpenAI's words for what is wrong."""

import json

from flask import request

from .errors import ApiError, not_imitated

PAGE_LIMIT = 10_000
PURPOSES = ("fine-tune", "assistants", "batch", "evals", "user_data", "vision")
LIFETIMES = (3600, 2_592_000)  # seconds that a file may ask for: an hour to 30 days
MAX_DIGITS = 18  # of a number in a query or a form: larger ones are too large as well
MAX_DEPTH = 100  # of lists and objects in each other; Python's own functions fail at some hundreds


def json_body(known, required):
    """The request's JSON object without its nulls, after a check of the names in it."""
    body = parsed(request.get_data())
    if not isinstance(body, dict):
        raise ApiError("We could not parse the JSON body of your request: it must be a JSON object.")
    body = {name: value for name, value in body.items() if value is not None}
    for name in body:
        if name not in known:
            message = f"Unknown parameter: '{name}'."
            raise ApiError(message, param=name, code="unknown_parameter")
    for name in required:
        if name not in body:
            message = f"Missing required parameter: '{name}'."
            raise ApiError(message, param=name, code="missing_required_parameter")
    return body


def parsed(data):
    """The value of a JSON text, or None if it is none, or one that could not be sent back.

    Python would also read NaN, Infinity and half a character ("\\ud83d"), which no one else can read or keep.
    """
    try:
        value = json.loads(data)
        require_depth(value)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return value


def require_depth(value):
    """A ValueError if lists and objects are nested deeper than anyone needs."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [part for each in level for part in parts_of(each)]
    if level:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")


def parts_of(value):
    """What an object or a list holds; nothing for all else."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def whole_number(text):
    """The number that a text of digits stands for, or -1; of thousands of digits Python makes none."""
    return int(text[:MAX_DIGITS]) if text.isdecimal() else -1


def refuse(body, not_imitated_here, remedy):
    """Raise a 400 for a parameter of {name: value that changes nothing} with a value that would."""
    for name, neutral in not_imitated_here.items():
        if body.get(name, neutral) != neutral:
            raise not_imitated(f"'{name}'", remedy, name)


def typed(body, name, kind, words, default=None):
    """The value of `name` if it is a `kind` (which `words` describe), else a 400 that says so."""
    value = body.get(name, default)
    right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if name in body and not right:
        found = type(value).__name__
        message = f"Invalid type for '{name}': expected {words}, but got {found} instead."
        raise ApiError(message, param=name, code="invalid_type")
    return value


def boolean(body, name, default):
    """True or False."""
    return typed(body, name, bool, "a boolean", default)


def integer(body, name, low, high, default=None):
    """The whole number `name` between `low` and `high`."""
    return bounded(name, typed(body, name, int, "an integer", default), low, high, "integer")


def decimal(body, name, low, high, default=None):
    """The finite number `name` between `low` and `high`."""
    return bounded(name, typed(body, name, int | float, "a decimal", default), low, high, "decimal")


def bounded(name, value, low, high, kind):
    """`value`, or a 400 if it lies outside [low, high]."""
    if value is None or low <= value <= high:
        return value
    side, sign, bound = ("below min", ">=", low) if value < low else ("above max", "<=", high)
    wanted = f"Expected a value {sign} {bound}, but got {value} instead."
    message = f"Invalid '{name}': {kind} {side}imum value. {wanted}"
    code = f"{kind}_{side.replace(' ', '_')}_value"
    raise ApiError(message, param=name, code=code)


def metadata(body):
    """At most 16 pairs of strings, of 64 and 512 characters."""
    pairs = typed(body, "metadata", dict, "an object", {})
    texts = all(isinstance(value, str) for value in pairs.values())
    if not texts or len(pairs) > 16 or any(len(k) > 64 or len(pairs[k]) > 512 for k in pairs):
        limits = "keys of up to 64 and values of up to 512 characters"
        message = f"Invalid 'metadata': expected at most 16 pairs of strings, with {limits}."
        raise ApiError(message, param="metadata", code="invalid_metadata")
    return pairs


def fine_tune(purpose):
    """The purpose of a file, if it is one that is imitated."""
    if purpose == "fine-tune":
        return purpose
    if purpose not in PURPOSES:
        message = f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'"
        raise ApiError(message, param="purpose", code="invalid_value")
    raise not_imitated(f"The purpose '{purpose}'", "Use 'fine-tune'.", "purpose")


def lifetime(policy):
    """The seconds after its creation at which a file expires, from its `expires_after`; None for never."""
    if not policy:
        return None
    if set(policy) != {"anchor", "seconds"} or policy["anchor"] != "created_at":
        message = "Invalid 'expires_after': expected an 'anchor', which is 'created_at', and 'seconds'."
        raise ApiError(message, param="expires_after", code="invalid_value")
    return integer(policy, "seconds", *LIFETIMES)


def listing(store, kind, default_limit, **which):
    """One page of a kind of objects as the request's `after` and `limit` ask for it."""
    text = request.args.get("limit", str(default_limit))
    limit = bounded("limit", whole_number(text), 1, PAGE_LIMIT, "integer")
    after = request.args.get("after")
    if after is not None and store.get(kind, after) is None:
        raise ApiError(f"No such {kind}: '{after}'.", status=404, param="after")
    found = store.select(kind, after=after, limit=limit + 1, **which)
    data = found[:limit]
    ids = [each["id"] for each in data] or [None]
    more = {"first_id": ids[0], "last_id": ids[-1], "has_more": len(found) > limit}
    return {"object": "list", "data": data, **more}

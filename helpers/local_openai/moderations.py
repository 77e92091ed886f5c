"""/v1/moderations: which categories of unsafe content our rules see in a text."""

from flask import Blueprint

from .errors import ApiError, not_imitated
from .moderation import CATEGORIES, SCORE, categories_of
from .objects import new_id
from .parameters import json_body, typed

routes = Blueprint("moderations", __name__, url_prefix="/moderations")
MODELS = (  # that OpenAI knows; the answer names what has really looked at the text
    *("omni-moderation-latest", "omni-moderation-2024-09-26"),
    *("text-moderation-latest", "text-moderation-stable"),
)
OURS = "local-rules"


@routes.post("")
def create():
    """A result for each text."""
    body = json_body(("input", "model"), required=("input",))
    model = typed(body, "model", str, "a string", MODELS[0])
    if model not in MODELS:
        message = f"Invalid value for 'model' = {model}. Known are {', '.join(MODELS)}."
        raise ApiError(message, param="model")
    return {"id": new_id("modr-", 32), "model": OURS, "results": [result(text) for text in texts(body)]}


def texts(body):
    """The texts to look at; parts such as {"type": "text", "text": ...} belong to one text."""
    given = typed(body, "input", str | list, "a string or a list of strings")
    given = [given] if isinstance(given, str) else given
    if given and all(isinstance(part, dict) for part in given):
        if not all(part.get("type") == "text" and isinstance(part.get("text"), str) for part in given):
            raise not_imitated("Input other than text", "Leave it out.", "input")
        given = [" ".join(part["text"] for part in given)]
    if not given or not all(isinstance(text, str) for text in given):
        message = "Invalid 'input': expected a string or a list of strings that is not empty."
        raise ApiError(message, param="input", code="invalid_type")
    return given


def result(text):
    """OpenAI's moderation object of one text."""
    found = categories_of(text)
    return {
        "flagged": bool(found),
        "categories": {name: name in found for name in CATEGORIES},
        "category_scores": {name: SCORE if name in found else 0.0 for name in CATEGORIES},
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }

"""/v1/responses: a reply of the model to plain text, and what is kept of it.

The reply is drawn by the same functions as a chat completion; only the form of request and answer differs.
"""

from flask import Blueprint, Response, g, jsonify, request

from . import models
from .errors import ApiError, not_imitated
from .messages import MessageError, clean_messages
from .parameters import boolean, decimal, integer, json_body, listing, metadata, refuse, typed
from .reply import write_reply
from .response_events import events_of, input_item, new_response, server_sent
from .settings import read_settings, wants_json

routes = Blueprint("responses", __name__, url_prefix="/responses")
PARAMETERS = (
    *("model", "input", "instructions", "previous_response_id", "temperature", "top_p", "max_output_tokens"),
    *("text", "stream", "store", "metadata"),
)
HARMLESS = (  # they do not change the reply
    *("user", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"),
    *("prompt_cache_options", "stream_options"),
)
NOT_IMITATED = {  # and the value, if there is one, that changes nothing
    **{"tools": [], "tool_choice": "auto", "parallel_tool_calls": True, "include": [], "top_logprobs": 0},
    **{"background": False, "truncation": "disabled", "reasoning": {}, "context_management": []},
    **dict.fromkeys(["conversation", "max_tool_calls", "prompt", "moderation", "access_programs", "image"]),
    **{"background_options": {"completion_window": "soonest"}},
}
MIN_OUTPUT_TOKENS = 16
SAY_JSON = (
    "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
    "'json_object'."
)


@routes.post("")
def create():
    """A response, or a stream of its events."""
    body = json_body((*PARAMETERS, *HARMLESS, *NOT_IMITATED), required=("model", "input"))
    refuse(body, NOT_IMITATED, "It would change the reply; leave it out.")
    model, chat_format = models.load(typed(body, "model", str, "a string"))
    response, items = new_response(wanted(body)), input_items(body)
    settings = settings_of(body, response, items, model, chat_format)
    keep = keeper(response, items) if response["store"] else lambda: None
    events = events_of(response, settings, write_reply(model, chat_format, settings), keep)
    if boolean(body, "stream", False):
        headers = {"Cache-Control": "no-cache"}
        return Response(server_sent(events), mimetype="text/event-stream", headers=headers)
    *_, (_, last) = events
    return jsonify(last["response"])


@routes.get("/<response_id>")
def retrieve(response_id):
    """A response that was stored."""
    for name in ("stream", "include", "include[]", "starting_after"):
        if request.args.get(name, "false") != "false":
            raise not_imitated(f"'{name}'", "Leave it out.", name)
    return jsonify(find(response_id))


@routes.delete("/<response_id>")
def delete(response_id):
    """Forget a response and its input; what was built on it by previous_response_id cannot go on."""
    with g.store.transaction():
        find(response_id)
        for item in g.store.select("input_item", parent=response_id):
            g.store.delete("input_item", item["id"])
        g.store.delete("response", response_id)
    return {"id": response_id, "object": "response", "deleted": True}


@routes.get("/<response_id>/input_items")
def list_input_items(response_id):
    """What the response was an answer to, newest first or as `order` says; without what came earlier."""
    find(response_id)
    order = request.args.get("order", "desc")
    if order not in ("asc", "desc"):
        raise ApiError("Invalid 'order': expected 'asc' or 'desc'.", param="order")
    return listing(g.store, "input_item", 20, parent=response_id, newest_first=order == "desc")


def find(response_id):
    """The response object, or a 404."""
    response = g.store.get("response", response_id)
    if response is None:
        raise ApiError(f"Response with id '{response_id}' not found.", status=404)
    return response


def wanted(body):
    """The checked parameters of a request under the names that they have in a response."""
    text = typed(body, "text", dict, "an object", {})
    if set(text) - {"format", "verbosity"} or text.get("verbosity") not in (None, "medium"):
        raise not_imitated("'text' beyond its 'format'", "Leave it out.", "text")
    return {
        "model": body["model"],
        "instructions": typed(body, "instructions", str, "a string"),
        "previous_response_id": typed(body, "previous_response_id", str, "a response id"),
        "temperature": decimal(body, "temperature", 0, 2, 1.0),
        "top_p": decimal(body, "top_p", 0, 1, 1.0),
        "max_output_tokens": integer(body, "max_output_tokens", MIN_OUTPUT_TOKENS, 2**31),
        "text": {"format": typed(text, "format", dict, "an object", {"type": "text"})},
        "metadata": metadata(body),
        "store": boolean(body, "store", True),
    }


def input_items(body):
    """The request's `input` as items of the API: messages with an id and parts of text."""
    given = typed(body, "input", str | list, "a string or a list of messages")
    given = [{"role": "user", "content": given}] if isinstance(given, str) else given
    try:
        messages = clean_messages([chat_message(item) for item in given], training=False)
    except MessageError as error:
        message = f"Invalid 'input': {error}".replace("'messages'", "'input'")
        raise ApiError(message, param="input", code="invalid_value") from error
    return [input_item(message) for message in messages]


def chat_message(item):
    """An item as a message of a chat completion; whatever is no message is refused."""
    if not isinstance(item, dict) or item.get("type", "message") != "message":
        raise not_imitated("An item other than a message", "Leave it out.", "input")
    message = {key: value for key, value in item.items() if key not in ("type", "id", "status", "phase")}
    if isinstance(message.get("content"), list):
        message["content"] = [as_text_part(part) for part in message["content"]]
    return message


def as_text_part(part):
    """A part of type input_text or output_text in the form that chat messages have."""
    is_text = isinstance(part, dict) and part.get("type") in ("input_text", "output_text")
    return {"type": "text", "text": part.get("text")} if is_text else part


def settings_of(body, response, items, model, chat_format):
    """The Settings of a request: what was said before and the new items become the prompt."""
    items = [*earlier_items(response["previous_response_id"]), *items]
    said = [{"role": item["role"], "content": item["content"][0]["text"]} for item in items]
    format = response["text"]["format"]
    json_object = wants_json(format, said, param="text.format", advice=SAY_JSON)
    instructions = response["instructions"]
    card = [] if instructions is None else [{"role": "system", "content": instructions}]
    max_tokens = response["max_output_tokens"] or 2**31
    options = {"param": "input", "max_tokens": max_tokens, "json_object": json_object}
    return read_settings(body, chat_format.prompt(card + said), model, chat_format, **options)


def earlier_items(response_id):
    """What was said up to the end of a stored response; the instructions of that time are not part of it."""
    if response_id is None:
        return []
    response = g.store.get("response", response_id)
    if response is None:
        message = f"Previous response with id '{response_id}' not found."
        raise ApiError(message, param="previous_response_id", code="previous_response_not_found")
    items = g.store.select("input_item", parent=response_id)
    return [*earlier_items(response["previous_response_id"]), *items, *response["output"]]


def keeper(response, items):
    """A function that stores the response as it is then, with its input."""
    store = g.store  # a stream goes on when the request's own context is gone

    def keep():
        """Store everything at once."""
        with store.transaction():
            store.insert("response", response)
            for item in items:
                store.insert("input_item", item, response["id"])

    return keep

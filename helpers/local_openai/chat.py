"""/v1/chat/completions: a reply of the model, whole or as a stream."""

import json
import time
from dataclasses import replace

from flask import Blueprint, Response, jsonify

from . import models
from .errors import ApiError, server_error
from .messages import MessageError, clean_messages
from .objects import new_id
from .parameters import boolean, integer, json_body, refuse, typed
from .reply import write_reply
from .settings import read_settings, wants_json

routes = Blueprint("chat", __name__, url_prefix="/chat/completions")
PARAMETERS = (
    *("messages", "model", "temperature", "top_p", "n", "seed", "stop", "max_completion_tokens"),
    *("max_tokens", "logprobs", "top_logprobs", "stream", "stream_options", "response_format"),
    *("frequency_penalty", "presence_penalty", "logit_bias"),
)
HARMLESS = (  # they do not change the reply
    *("user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"),
    *("prompt_cache_retention", "prompt_cache_options"),
)
NOT_IMITATED = {  # and the value, if there is one, that changes nothing
    **{"tools": [], "tool_choice": "none", "parallel_tool_calls": True, "modalities": ["text"]},
    **dict.fromkeys(["functions", "function_call", "audio", "prediction", "web_search_options"]),
    **dict.fromkeys(["moderation", "reasoning_effort", "verbosity"]),
}

SAY_JSON = (
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
)


@routes.post("")
def create():
    """A chat completion, or a stream of its chunks."""
    body = json_body((*PARAMETERS, *HARMLESS, *NOT_IMITATED), required=("messages", "model"))
    refuse(body, NOT_IMITATED, "It would change the reply; leave it out.")
    model, chat_format = models.load(typed(body, "model", str, "a string"))
    settings = settings_of(body, model, chat_format)
    replies = [
        write_reply(model, chat_format, replace(settings, seed=settings.seed + i))
        for i in range(integer(body, "n", 1, 128, 1))
    ]
    if boolean(body, "stream", False):
        return stream(body, settings, replies)
    return jsonify(completion(body["model"], settings, replies))


def settings_of(body, model, chat_format):
    """The checked Settings of a request."""
    try:
        messages = clean_messages(body["messages"], training=False)
    except MessageError as error:
        raise ApiError(f"Invalid 'messages': {error}", param="messages", code="invalid_value") from error
    format = typed(body, "response_format", dict, "an object", {"type": "text"})
    json_object = wants_json(format, messages, param="response_format", advice=SAY_JSON)
    options = {"param": "messages", "max_tokens": max_tokens(body), "json_object": json_object}
    return read_settings(body, chat_format.prompt(messages), model, chat_format, **options)


def max_tokens(body):
    """How many tokens a reply may have; the context may end it earlier."""
    names = [name for name in ("max_completion_tokens", "max_tokens") if name in body]
    if len(names) == 2:
        message = "Give 'max_completion_tokens' or 'max_tokens' (its old name), not both."
        raise ApiError(message, param="max_tokens", code="invalid_parameter_combination")
    return integer(body, names[0], 1, 2**31, None) if names else 2**31


def completion(name, settings, replies):
    """The chat.completion object with one choice for each reply."""
    choices, n_tokens = [], 0
    for index, reply in enumerate(replies):
        pieces = list(reply)
        n_tokens += pieces[-1].n_tokens
        message = {"role": "assistant", "content": "".join(piece.text for piece in pieces), "refusal": None}
        entries = [entry for piece in pieces for entry in piece.logprobs]
        finish = pieces[-1].finish_reason
        choices.append(choice(index, finish, logprobs(settings, entries), message=message))
    return {**head("chat.completion", name), "choices": choices, "usage": usage(settings, n_tokens)}


def stream(body, settings, replies):
    """The completion as server-sent events, each written as soon as the model has chosen a token."""
    options = typed(body, "stream_options", dict, "an object", {})
    include_usage = boolean(options, "include_usage", False)
    chunk = head("chat.completion.chunk", body["model"]) | ({"usage": None} if include_usage else {})

    def events():
        """The chunks of all replies, as they are written."""
        n_tokens = 0
        for index, reply in enumerate(replies):
            delta = {"role": "assistant", "content": "", "refusal": None}
            yield event({**chunk, "choices": [choice(index, None, None, delta=delta)]})
            for piece in reply:
                if piece.text or piece.logprobs:
                    shown = logprobs(settings, piece.logprobs)
                    delta = {"content": piece.text}
                    yield event({**chunk, "choices": [choice(index, None, shown, delta=delta)]})
            yield event({**chunk, "choices": [choice(index, piece.finish_reason, None, delta={})]})
            n_tokens += piece.n_tokens
        if include_usage:
            yield event({**chunk, "choices": [], "usage": usage(settings, n_tokens)})

    return Response(guarded(events()), mimetype="text/event-stream", headers={"Cache-Control": "no-cache"})


def guarded(events):
    """The events, and an error event if one of them fails: the status 200 has been sent by then."""
    try:
        yield from events
    except Exception as error:
        yield event({"error": server_error(error, "chat stream").body})
    yield "data: [DONE]\n\n"


def head(kind, model):
    """The fields that a completion and its chunks share."""
    return {"id": new_id("chatcmpl-", 29), "object": kind, "created": int(time.time()), "model": model}


def choice(index, finish_reason, logprobs, **content):
    """A choice of a completion or of a chunk; `content` is its message or its delta."""
    return {"index": index, **content, "logprobs": logprobs, "finish_reason": finish_reason}


def logprobs(settings, entries):
    """The logprobs of a choice, if they are wanted."""
    return None if settings.top_logprobs is None else {"content": entries, "refusal": None}


def usage(settings, n_tokens):
    """Counted, not estimated; the token that ends a reply is not among them."""
    n_prompt = len(settings.prompt)
    return {"prompt_tokens": n_prompt, "completion_tokens": n_tokens, "total_tokens": n_prompt + n_tokens}


def event(data):
    """One server-sent event."""
    return f"data: {json.dumps(data)}\n\n"

"""A response of /v1/responses as it grows, and the events that tell of it in their documented order."""

import itertools
import json
import time

from .errors import server_error
from .objects import new_id


def new_response(wanted):
    """A response as it is at its beginning, from the checked parameters `wanted` of the request."""
    return {
        "id": new_id("resp_", 48),
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "truncation": "disabled",
        "usage": None,
        **wanted,
    }


def input_item(message):
    """A clean chat message as an item of the API."""
    if message["role"] == "assistant":
        return output_item([output_text(message["content"])], "completed")
    part = {"type": "input_text", "text": message["content"]}
    return {"id": new_id("msg_", 48), **message, "content": [part], "type": "message", "status": "completed"}


def output_item(content, status):
    """A message of the assistant; `content` is a list of parts."""
    head = {"id": new_id("msg_", 48), "type": "message", "status": status}
    return {**head, "role": "assistant", "content": content}


def output_text(text):
    """The one kind of part that this model writes."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def events_of(response, settings, reply, keep):
    """Yield (type, fields) while the reply is written; `response` is whole, and kept, before the last one."""
    item, text = output_item([], "in_progress"), ""
    place = {"output_index": 0, "content_index": 0, "item_id": item["id"]}
    yield "response.created", {"response": response}
    yield "response.in_progress", {"response": response}
    yield "response.output_item.added", {"output_index": 0, "item": item}
    yield "response.content_part.added", {**place, "part": output_text("")}
    for piece in reply:
        text += piece.text
        if piece.text:
            yield "response.output_text.delta", {**place, "delta": piece.text, "logprobs": []}
    yield "response.output_text.done", {**place, "text": text, "logprobs": []}
    yield "response.content_part.done", {**place, "part": output_text(text)}
    finish(response, item, text, piece, len(settings.prompt))
    yield "response.output_item.done", {"output_index": 0, "item": item}
    keep()
    yield f"response.{response['status']}", {"response": response}


def finish(response, item, text, piece, n_prompt):
    """Write the end of a reply, whose last Piece is `piece`, into its response and its item."""
    complete = piece.finish_reason == "stop"
    response["status"] = item["status"] = "completed" if complete else "incomplete"
    if not complete:  # the context of the model ends a reply in the same way as a limit of the request
        response["incomplete_details"] = {"reason": "max_output_tokens"}
    item["content"] = [output_text(text)]
    response |= {"output": [item], "completed_at": int(time.time()) if complete else None}
    response["usage"] = {
        "input_tokens": n_prompt,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": piece.n_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": n_prompt + piece.n_tokens,
    }


def server_sent(events):
    """The events as text, numbered; a failure is an event, too, since the status 200 has been sent."""
    numbers = itertools.count()
    try:
        for type, fields in events:
            yield as_text(type, next(numbers), fields)
    except Exception as error:
        yield as_text("error", next(numbers), {"error": server_error(error, "response stream").body})


def as_text(type, number, fields):
    """One server-sent event."""
    data = json.dumps({"type": type, "sequence_number": number, **fields})
    return f"event: {type}\ndata: {data}\n\n"

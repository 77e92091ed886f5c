"""How a reply is to be drawn: the parameters that chat completions and responses share, checked."""

import secrets

from .errors import ApiError, not_imitated
from .json_object import SHORTEST
from .parameters import boolean, decimal, integer, typed, whole_number
from .reply import Settings

MAX_BIASES = 1024  # OpenAI's SDK names no limit; its API took no more than 300 in 2023


def read_settings(body, prompt, model, chat_format, *, param, max_tokens, json_object):
    """The Settings of a request whose messages became the token ids `prompt`.

    `param` is the name of the messages in the request, "messages" or "input". A reply may have `max_tokens`
    tokens; the context of the model may end it earlier.
    """
    max_tokens = min(max_tokens, room_for_reply(prompt, model, param))
    if json_object and max_tokens < SHORTEST:
        message = f"A JSON object needs {SHORTEST} tokens at least; this reply may have {max_tokens}."
        raise ApiError(
            f"{message} Raise the limit or shorten the {param}.", param=param, code="invalid_value"
        )
    if json_object and "stop" in body:
        raise not_imitated("'stop' with a JSON object", "It would cut the object; leave it out.", "stop")
    return Settings(
        prompt=prompt,
        max_tokens=max_tokens,
        temperature=decimal(body, "temperature", 0, 2, 1.0),
        top_p=decimal(body, "top_p", 0, 1, 1.0),
        frequency_penalty=decimal(body, "frequency_penalty", -2, 2, 0.0),
        presence_penalty=decimal(body, "presence_penalty", -2, 2, 0.0),
        logit_bias=logit_bias(body, chat_format),
        seed=integer(body, "seed", -(2**63), 2**63 - 1, secrets.randbits(32)) % 2**64,
        stop=stop_strings(body),
        top_logprobs=top_logprobs(body),
        json_object=json_object,
    )


def room_for_reply(prompt, model, param):
    """How many tokens of the context are left behind the prompt; raises an ApiError if there is none."""
    context = model.config.max_position_embeddings
    if len(prompt) >= context:
        message = (
            f"This model's maximum context length is {context} tokens. However, your {param} resulted in "
            f"{len(prompt)} tokens. Please reduce the length of the {param}."
        )
        raise ApiError(message, param=param, code="context_length_exceeded")
    return context - len(prompt)


def logit_bias(body, chat_format):
    """{token id: number} from {"token id": number}; the ids are those of this model's own vocabulary."""
    given = typed(body, "logit_bias", dict, "an object", {})
    if len(given) > MAX_BIASES:
        message = f"Invalid 'logit_bias': expected at most {MAX_BIASES} tokens, but got {len(given)}."
        raise ApiError(message, param="logit_bias", code="invalid_value")
    for token, amount in given.items():
        decimal({f"logit_bias.{token}": amount}, f"logit_bias.{token}", -100, 100)
        if not 0 <= whole_number(token) < chat_format.encoding.n_vocab:
            last = chat_format.encoding.n_vocab - 1
            message = f"Invalid key in 'logit_bias': {token}. Maximum value is {last}."
            raise ApiError(message, param="logit_bias")
    return {whole_number(token): amount for token, amount in given.items()}


def stop_strings(body):
    """`stop` as a list of at most four strings."""
    stop = typed(body, "stop", str | list, "a string or a list of strings", [])
    stop = [stop] if isinstance(stop, str) else stop
    if len(stop) > 4 or not all(isinstance(text, str) and text for text in stop):
        message = "Invalid 'stop': expected at most 4 strings that are not empty."
        raise ApiError(message, param="stop", code="invalid_value")
    return stop


def top_logprobs(body):
    """How many alternatives each token is shown with; None if no logprobs are wanted."""
    wanted = boolean(body, "logprobs", False)
    top = integer(body, "top_logprobs", 0, 20)
    if top is not None and not wanted:
        message = "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled."
        raise ApiError(message, param="top_logprobs", code="invalid_value")
    return (top or 0) if wanted else None


def wants_json(format, messages, *, param, advice):
    """Whether the reply must be a JSON object, by a `format` such as {"type": "json_object"}.

    `advice` is OpenAI's answer if the word JSON does not occur in the messages.
    """
    kind = format.get("type")
    if kind == "json_schema":
        raise not_imitated("A 'json_schema'", "Use 'json_object', and check the reply against it.", param)
    if kind not in ("text", "json_object"):
        message = f"Invalid value: '{kind}'. Supported values are: 'json_object', 'json_schema', and 'text'."
        raise ApiError(message, param=f"{param}.type", code="invalid_value")
    named = any("json" in message["content"].lower() for message in messages)
    if kind == "json_object" and not named:
        raise ApiError(advice, param="messages" if param == "response_format" else param)
    return kind == "json_object"

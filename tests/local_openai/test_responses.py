import json

import openai
import pytest
from desk import CARD
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_item import ResponseItem
from pydantic import TypeAdapter

from helpers.local_openai import reply

QUESTION = "where is my parcel?"
MESSAGES = [{"role": "system", "content": CARD}, {"role": "user", "content": QUESTION}]


def respond(client, input=QUESTION, **options):
    options = {"model": "tiny-chat", "instructions": CARD, "temperature": 0} | options
    return client.responses.create(input=input, **options)


def chat(client, messages=MESSAGES, **options):
    """What the chat completion of the same messages says."""
    options = {"model": "tiny-chat", "temperature": 0} | options
    return client.chat.completions.create(messages=messages, **options).choices[0].message.content


def part(text):
    return {"type": "input_text", "text": text}


def says(role, text):
    return {"role": role, "content": text}


def refusal(client, **options):
    with pytest.raises(openai.BadRequestError) as refused:
        respond(client, **options)
    return refused.value


def test_a_response_says_what_a_chat_completion_says(client):
    response = respond(client)
    usage = response.usage
    assert response.output_text == chat(client) != ""
    assert (response.status, response.error, response.incomplete_details) == ("completed", None, None)
    assert response.output[0].role == "assistant" and response.instructions == CARD
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens > 0


@pytest.mark.parametrize(
    "input",
    [
        [{"role": "user", "content": QUESTION}],
        [{"type": "message", "role": "user", "content": [part(QUESTION)]}],
        [
            {
                "role": "user",
                "content": [{"type": "input_text", "text": part} for part in ("where is ", "my parcel?")],
            }
        ],
    ],
)
def test_input_may_be_a_list_of_messages(client, input):
    assert respond(client, input).output_text == chat(client)


def test_instructions_are_a_message_of_the_system(client):
    for role in ("system", "developer"):
        said = [{"role": role, "content": CARD}, {"role": "user", "content": QUESTION}]
        assert respond(client, said, instructions=None).output_text == chat(client)


def test_the_whole_conversation_can_be_handed_back(client):
    first = respond(client)
    again = [{"role": "user", "content": QUESTION}, *first.output, {"role": "user", "content": "thanks"}]
    reply = {"role": "assistant", "content": first.output_text}
    expected = chat(client, [*MESSAGES, reply, {"role": "user", "content": "thanks"}])
    assert respond(client, again).output_text == expected


def test_a_response_goes_on_where_another_one_ended(client):
    first = respond(client)
    second = respond(client, "thanks", previous_response_id=first.id)
    said = [
        *MESSAGES,
        {"role": "assistant", "content": first.output_text},
        {"role": "user", "content": "thanks"},
    ]
    assert second.output_text == chat(client, said) and second.previous_response_id == first.id
    third = respond(client, "bye", previous_response_id=second.id, instructions=None)
    said = said[1:] + [
        {"role": "assistant", "content": second.output_text},
        {"role": "user", "content": "bye"},
    ]
    assert third.output_text == chat(client, said)


def test_a_response_is_kept_and_found_by_another_kernel_until_it_is_deleted(client, connect):
    response = respond(client, metadata={"lesson": "1"})
    other = connect()
    kept = other.responses.retrieve(response.id)
    assert kept.to_dict() == response.to_dict() and kept.metadata == {"lesson": "1"}
    assert respond(other, "thanks", previous_response_id=response.id).output_text
    other.responses.delete(response.id)
    for call in (client.responses.retrieve, client.responses.delete, client.responses.input_items.list):
        with pytest.raises(openai.NotFoundError, match=f"Response with id '{response.id}' not found"):
            call(response.id)
    assert refusal(client, previous_response_id=response.id).code == "previous_response_not_found"


def test_a_response_that_is_not_to_be_stored_is_not_found(client):
    response = respond(client, store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(response.id)


def test_the_input_of_a_response_can_be_listed(client):
    said = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}, MESSAGES[1]]
    items = client.responses.input_items
    response = respond(client, said)
    texts = [item.content[0].text for item in items.list(response.id)]
    assert texts == [QUESTION, "hello", "hi"]
    assert [item.content[0].text for item in items.list(response.id, order="asc")] == texts[::-1]
    page = items.list(response.id, limit=2)
    assert page.has_more and [item.content[0].text for item in page] == texts
    second = respond(client, "thanks", previous_response_id=response.id)
    assert [item.content[0].text for item in items.list(second.id)] == ["thanks"]


def test_the_sdk_accepts_responses_events_and_items_strictly(client):
    event = TypeAdapter(ResponseStreamEvent)
    for options in ({}, {"max_output_tokens": 16, "temperature": 2}):
        raw = client.responses.with_raw_response.create(model="tiny-chat", input=QUESTION, **options)
        body = raw.http_response.json()
        Response.model_validate(body, strict=True)
        for each in respond(client, stream=True, **options):
            event.validate_python(each.to_dict(), strict=True)
    item = TypeAdapter(ResponseItem)
    said = [*MESSAGES, {"role": "assistant", "content": "hi"}, {"role": "user", "content": "hi"}]
    response = respond(client, said)
    listed = client.responses.input_items.with_raw_response.list(response.id).http_response.json()
    assert len(listed["data"]) == 4
    for each in listed["data"]:
        item.validate_python(each, strict=True)


def test_a_stream_tells_the_documented_events_in_their_order(client):
    events = list(respond(client, stream=True))
    types = [event.type for event in events]
    assert types[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert set(types[4:-4]) == {"response.output_text.delta"} and len(types) > 10
    assert types[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[0].response.status == "in_progress" and events[0].response.output == []
    last = events[-1].response
    assert "".join(event.delta for event in events[4:-4]) == last.output_text == chat(client)
    assert client.responses.retrieve(last.id).to_dict() == last.to_dict()


def test_the_stream_helper_of_the_sdk_works(client):
    options = {"model": "tiny-chat", "input": QUESTION, "instructions": CARD, "temperature": 0}
    with client.responses.stream(**options) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert final.output_text == text == chat(client)


def test_a_reply_that_is_cut_says_so(client):
    options = {"temperature": 2, "top_p": 1, "max_output_tokens": 16}
    cut = next(r for r in (respond(client, **options) for _ in range(20)) if r.status != "completed")
    assert (cut.status, cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert cut.usage.output_tokens == 16 and cut.output[0].status == "incomplete"
    ends = {list(respond(client, stream=True, **options))[-1].type for _ in range(20)}
    assert "response.incomplete" in ends


def test_a_json_object_can_be_asked_for(client):
    text = {"format": {"type": "json_object"}}
    response = respond(client, "Which order? Answer in JSON.", text=text, temperature=1)
    assert isinstance(json.loads(response.output_text), dict) and response.text.format.type == "json_object"
    error = refusal(client, text=text, instructions="Answer in JSON.")  # as with OpenAI, these do not count
    assert error.body["message"].startswith("Response input messages must contain the word 'json'")
    assert error.param == "text.format"


def test_a_failure_in_a_stream_reaches_the_caller(client, monkeypatch):
    def broken(*_, **__):
        raise KeyError("where is my parcel?")
        yield

    monkeypatch.setattr(reply, "generate", broken)
    with pytest.raises(openai.APIError, match="KeyError"):
        list(respond(client, stream=True))


@pytest.mark.parametrize(
    "options, param, words",
    [
        ({"tools": [{"type": "web_search"}]}, "tools", "'tools' is not imitated"),
        ({"tool_choice": "required"}, "tool_choice", "not imitated"),
        ({"reasoning": {"effort": "low"}}, "reasoning", "not imitated"),
        ({"background": True}, "background", "not imitated"),
        (
            {"extra_body": {"background_options": {"completion_window": "8h"}}},  # in the client since 3.57
            "background_options",
            "not imitated",
        ),
        ({"conversation": "conv_1"}, "conversation", "not imitated"),
        ({"include": ["message.output_text.logprobs"]}, "include", "not imitated"),
        ({"truncation": "auto"}, "truncation", "not imitated"),
        (
            {"text": {"format": {"type": "json_schema", "name": "x"}}},
            "text.format",
            "json_schema",
        ),
        ({"text": {"verbosity": "low"}}, "text", "beyond its 'format'"),
        ({"input": [{"type": "function_call_output", "call_id": "1", "output": "5"}]}, "input", "other than"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
            "input",
            "parts other than text",
        ),
        ({"input": []}, "input", "at least one message"),
        ({"input": 5}, "input", "expected a string or a list"),
        ({"input": "hello " * 600}, "input", "maximum context length is 512 tokens"),
        ({"max_output_tokens": 15}, "max_output_tokens", "Expected a value >= 16, but got 15"),
        ({"temperature": 3}, "temperature", "<= 2"),
        ({"previous_response_id": "resp_none"}, "previous_response_id", "'resp_none' not found"),
        ({"extra_body": {"seed": 5}}, "seed", "Unknown parameter"),
    ],
)
def test_what_would_change_the_reply_is_never_silently_ignored(client, options, param, words):
    error = refusal(client, **options)
    assert error.param == param and words in str(error)


def test_what_changes_nothing_may_pass(client):
    same = {"tools": [], "tool_choice": "auto", "truncation": "disabled", "background": False, "include": []}
    harmless = {"user": "me", "service_tier": "auto", "text": {"verbosity": "medium"}}
    assert respond(client, **same, **harmless).output_text == chat(client)

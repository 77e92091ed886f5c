import openai
import pytest
from openai.types import ModerationCreateResponse

from helpers.local_openai.moderation import CATEGORIES, SCORE

THREAT = "I'm going to beat you up after school."


def test_each_text_gets_openais_object(client):
    raw = client.moderations.with_raw_response.create(input=["Good morning.", THREAT])
    body = raw.http_response.json()
    ModerationCreateResponse.model_validate(body, strict=True)
    calm, threat = raw.parse().results
    assert (calm.flagged, threat.flagged) == (False, True)
    assert threat.categories.harassment_threatening and not threat.categories.hate
    assert threat.category_scores.violence == SCORE and threat.category_scores.sexual == 0
    assert list(body["results"][0]["categories"]) == list(CATEGORIES)
    assert body["id"].startswith("modr-") and body["model"] == "local-rules"


def test_one_text_and_parts_of_a_text_work_too(client):
    assert client.moderations.create(input=THREAT, model="text-moderation-latest").results[0].flagged
    first, second = ({"type": "text", "text": text} for text in ("I'm going to beat", "you up after school."))
    (result,) = client.moderations.create(input=[first, second], model="omni-moderation-latest").results
    assert result.flagged


@pytest.mark.parametrize(
    "options, param",
    [
        ({"input": []}, "input"),
        ({"input": [5]}, "input"),
        ({"input": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}, "input"),
        ({"input": "hi", "model": "tiny-chat"}, "model"),
        ({"input": "hi", "extra_body": {"user": "me"}}, "user"),
    ],
)
def test_what_it_cannot_look_at_is_refused(client, options, param):
    with pytest.raises(openai.BadRequestError) as refused:
        client.moderations.create(**options)
    assert refused.value.param == param

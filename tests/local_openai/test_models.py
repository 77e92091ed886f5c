import openai
import pytest
from desk import create, supervised, wait
from openai.types import Model, ModelDeleted

pytestmark = pytest.mark.usefixtures("toy_base")


def ask(client, model):
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hi"}], n=2)


def test_the_base_model_is_there_from_the_start(client):
    assert [model.id for model in client.models.list()] == ["tiny-chat"]
    body = client.models.with_raw_response.retrieve("tiny-chat").http_response.json()
    Model.model_validate(body, strict=True)
    assert "shutdown_date" in body and client.models.retrieve("tiny-chat").shutdown_date is None


def test_a_tuned_model_and_its_checkpoints_can_be_used_and_deleted(client, store):
    job = wait(client, create(client, method=supervised(n_epochs=3)))
    tuned = [model.id for model in client.models.list()][1:]
    assert len(tuned) == 3 and tuned[-1] == job.fine_tuned_model
    for name in tuned:
        assert ask(client, name).model == name
        model = client.models.retrieve(name)
        assert (model.owned_by, model.shutdown_date) == (job.organization_id, None)
        body = client.models.with_raw_response.delete(name).http_response.json()
        ModelDeleted.model_validate(body, strict=True)
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            ask(client, name)
    assert list((store / "models").iterdir()) == []


def test_a_tuned_model_is_a_folder_that_other_tools_can_open(client, store):
    wait(client, create(client, method=supervised(n_epochs=1)))
    (folder,) = (store / "models").iterdir()
    names = {path.name for path in folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= names


def test_the_base_model_cannot_be_deleted(client):
    with pytest.raises(openai.PermissionDeniedError, match="base model"):
        client.models.delete("tiny-chat")
    assert ask(client, "tiny-chat").choices


@pytest.mark.parametrize("name", ["gpt-4o", "meta/llama", "ft:tiny-chat:a::12345678", "модель", "../x"])
def test_an_unknown_model_is_not_found(client, name):
    for call in (client.models.retrieve, client.models.delete):
        with pytest.raises(openai.NotFoundError):
            call(name)


def test_with_a_token_only_its_holder_gets_in(connect):
    assert connect(api_key="s3cret", token="s3cret").models.list().data
    for wrong in ("local", "s3cre", "S3CRET"):
        with pytest.raises(openai.AuthenticationError) as refused:
            connect(api_key=wrong, token="s3cret").models.list()
        assert refused.value.code == "invalid_api_key" and wrong not in str(refused.value)


def test_every_answer_has_a_request_id(client):
    ids = {client.models.list()._request_id for _ in range(3)}
    assert len(ids) == 3 and all(each.startswith("req_") for each in ids)

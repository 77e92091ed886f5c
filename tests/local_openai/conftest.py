"""A base model that trains in no time, for tests that are not about what it says."""

import pytest
from toy import make_toy_folder

from helpers import local_openai


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory):
    """A model folder with random weights and the real tokenizer."""
    return make_toy_folder(tmp_path_factory.mktemp("toy"))


@pytest.fixture
def toy_base(monkeypatch, toy_folder):
    """The service knows the toy model under the name of the base model."""
    monkeypatch.setattr(local_openai, "BASE_MODELS", {"tiny-chat": toy_folder})

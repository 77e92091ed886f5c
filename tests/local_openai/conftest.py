"""A base model that trains in no time, for tests that are not about what it says."""

import shutil
from dataclasses import replace

import pytest
from toy import TOY, toy_model

from helpers import local_openai
from helpers.local_openai.chat_format import ChatFormat
from helpers.local_openai.model import save_model


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory):
    """A model folder with random weights and the real tokenizer."""
    folder = tmp_path_factory.mktemp("toy")
    real = local_openai.BASE_MODELS["tiny-chat"]
    shutil.copy(real / "tokenizer.json", folder)
    sizes = {"vocab_size": ChatFormat(real).encoding.n_vocab, "max_position_embeddings": 256}
    save_model(toy_model(replace(TOY, **sizes)), folder)
    return folder


@pytest.fixture
def toy_base(monkeypatch, toy_folder):
    """The service knows the toy model under the name of the base model."""
    monkeypatch.setattr(local_openai, "BASE_MODELS", {"tiny-chat": toy_folder})

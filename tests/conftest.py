"""The official client, talking to the service in this process, on a store of its own."""

import os
import shutil

import httpx2
import openai
import pytest

from helpers.local_openai import start


def pytest_configure(config):
    """Give each of the processes that run tests side by side a store of its own."""
    if hasattr(config, "workerinput") and "LOCAL_OPENAI_STORE" in os.environ:
        os.environ["LOCAL_OPENAI_STORE"] += f"/{config.workerinput['workerid']}"


@pytest.fixture
def store(tmp_path):
    """A folder for a store; its worker, if there is one, ends when the folder is gone."""
    yield tmp_path / "store"
    shutil.rmtree(tmp_path / "store", ignore_errors=True)


@pytest.fixture
def connect(store):
    """A function that starts the service anew on the store, as a restarted kernel does; it gives a client."""

    def connect(api_key="local", **options):
        transport = httpx2.WSGITransport(app=start(store, **options))
        http_client = openai.DefaultHttpx2Client(transport=transport)
        return openai.OpenAI(
            base_url="http://local/v1", api_key=api_key, http_client=http_client, max_retries=0
        )

    return connect


@pytest.fixture
def client(connect):
    """A client of a fresh service with the real base model."""
    return connect()

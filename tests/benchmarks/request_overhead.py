"""What a request costs beside the model's own work:  python -m tests.benchmarks.request_overhead

The official client talks to the service in this process, without a port, on a model of random weights.
Wanted: at most 0.7 ms for models.retrieve as a whole, and for the service's part of a chat completion without
the time of its one token; and a token in JSON mode at most twice as dear as one without. Measured is the
processor time of the one thread in which all of it happens, so that other programs count for little.
"""

import argparse
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import httpx2
import numpy as np
from openai import OpenAI

from helpers import local_openai
from helpers.local_openai import reply
from helpers.local_openai.chat_format import ChatFormat
from helpers.local_openai.model import save_model
from tests.local_openai.toy import TOY, toy_model

ASK = [{"role": "user", "content": "Where is my order? Answer in JSON."}]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=1000)
    n = parser.parse_args().requests
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        json_mode(client_of(Path(folder) / "real"))
        use_toy(Path(folder) / "toy_model")
        client = client_of(Path(folder) / "store")
        show("models.retrieve", [retrieve(client) for _ in range(n)])
        show("chat, one token, without the model's time", [chat(client) for _ in range(n)])


class Clock(httpx2.BaseTransport):
    """The way to a service; `seconds` is what its last answer took there."""

    def __init__(self, store):
        self.service, self.seconds = httpx2.WSGITransport(app=local_openai.start(store)), 0.0

    def handle_request(self, request):
        start = time.thread_time()
        answer = self.service.handle_request(request)
        self.seconds = time.thread_time() - start
        return answer


def client_of(store):
    """The official client of a service in this process; `client.clock` is its Clock."""
    clock = Clock(store)
    client = OpenAI(base_url="http://local/v1", api_key="local", http_client=httpx2.Client(transport=clock))
    client.clock = clock
    return client


def use_toy(folder):
    """Let the service know a toy under the name of the base model, with the real tokenizer."""
    real = local_openai.BASE_MODELS["tiny-chat"]
    sizes = {"vocab_size": ChatFormat(real).encoding.n_vocab, "max_position_embeddings": 256}
    save_model(toy_model(replace(TOY, **sizes)), folder)
    shutil.copy(real / "tokenizer.json", folder)
    local_openai.BASE_MODELS["tiny-chat"] = folder


def retrieve(client):
    """(seconds, the service's part of them) of a small request."""
    start = time.thread_time()
    client.models.retrieve("tiny-chat")
    return time.thread_time() - start, client.clock.seconds


def chat(client):
    """(seconds, the service's part of them) of a chat completion without the drawing of its one token."""
    generate, own = reply.generate, []

    def clocked(*arguments, **options):
        start = time.thread_time()
        tokens = list(generate(*arguments, **options))
        own.append(time.thread_time() - start)
        return iter(tokens)

    reply.generate = clocked
    start = time.thread_time()
    client.chat.completions.create(model="tiny-chat", messages=ASK, max_completion_tokens=1, seed=1)
    whole = time.thread_time() - start
    reply.generate = generate
    return whole - own[0], client.clock.seconds - own[0]


def show(what, seconds):
    """Print median and p95 in milliseconds, without the first tenth of the calls."""
    settled = np.array(seconds[len(seconds) // 10 :]) * 1000
    for part, column in zip(("with the client", "of it the service"), settled.T, strict=True):
        print(f"{what}, {part}: median {np.median(column):.2f} ms, p95 {np.percentile(column, 95):.2f} ms")


def json_mode(client, n=40):
    """Print what a token of the real model costs without and with JSON mode."""
    for name, options in (("without", {}), ("with", {"response_format": {"type": "json_object"}})):
        costs = []
        for seed in range(2 * n):  # the first half fills the cache of states
            start = time.thread_time()
            done = client.chat.completions.create(
                model="tiny-chat", messages=ASK, seed=seed, max_completion_tokens=40, **options
            )
            costs.append((time.thread_time() - start) / done.usage.completion_tokens)
        print(f"a token {name} JSON mode: median {np.median(costs[n:]) * 1000:.2f} ms")


if __name__ == "__main__":
    main()

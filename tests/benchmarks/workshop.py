"""A workshop: 40 learners at once on one `serve` of this machine, each with a token of their own.

    python -m tests.benchmarks.workshop [--learners 40] [--tokens 60]

Each learner uploads a file, starts a job on 20 examples, asks for its state once a second until it has ended,
and meanwhile chats with the base model every few seconds, at the end with the model of their own. The first
learner is greedy and starts five jobs. Wanted while jobs train: no error; 95 of 100 polls answered within
100 ms; the first token of 95 of 100 streamed replies within 1 s; and an order of the jobs that is fair: the
first job of each learner in the order in which they came, the greedy one's others behind everyone's first.
Server, worker and all learners share the cores of this machine: in a workshop the learners' are others.
"""

import argparse
import asyncio
import json
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from openai import AsyncOpenAI

ROOT = Path(__file__).resolve().parents[2]
GREEDY_JOBS = 5
SECONDS_TO_COME = 10  # within which all learners have begun
SECONDS_BETWEEN_CHATS = 5
QUESTIONS = ("Where is my order?", "What is a lake?", "I want my money back.", "Tell me about otters.")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--learners", type=int, default=40)
    parser.add_argument("--tokens", type=int, default=60, help="that a reply may have")
    options = parser.parse_args()
    tokens = [secrets.token_urlsafe(16) for _ in range(options.learners)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server, address = serve(Path(folder), tokens)
        try:
            room = asyncio.run(workshop(address, tokens, options.tokens))
        finally:
            server.terminate()
            server.wait()
    return report(room)


def serve(folder, tokens):
    """The service in a process of its own, and its address."""
    (folder / "tokens.txt").write_text("\n".join(tokens))
    command = [sys.executable, "-m", "helpers._serve", "--port", "0", "--store", folder / "store"]
    server = subprocess.Popen(
        [*command, "--token-file", folder / "tokens.txt"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    return server, server.stdout.readline().strip()


class Room:
    """What the learners see, in seconds: of each poll, of each first token; and when which job started."""

    def __init__(self, address, max_tokens):
        self.address, self.max_tokens, self.began = address, max_tokens, time.monotonic()
        self.polls, self.first_tokens, self.replies, self.jobs = [], [], [], []


async def workshop(address, tokens, max_tokens):
    """The Room after all learners have gone."""
    room = Room(address, max_tokens)
    comings = np.linspace(0, SECONDS_TO_COME, len(tokens))
    learners = (
        learner(room, token, coming, n) for n, (token, coming) in enumerate(zip(tokens, comings, strict=True))
    )
    await asyncio.gather(*learners)
    room.seconds = time.monotonic() - room.began
    return room


async def learner(room, token, coming, number):
    """One learner from beginning to end."""
    await asyncio.sleep(coming)
    async with AsyncOpenAI(base_url=room.address, api_key=token, max_retries=0) as client:
        file = await client.files.create(file=("train.jsonl", training_file(number)), purpose="fine-tune")
        jobs = [
            await client.fine_tuning.jobs.create(model="tiny-chat", training_file=file.id)
            for _ in range(GREEDY_JOBS if number == 0 else 1)
        ]
        created = time.monotonic()
        chatter = asyncio.create_task(keep_chatting(room, client, number))
        models = [await follow(room, client, job, number, created + i / 1000) for i, job in enumerate(jobs)]
        chatter.cancel()
        await ask(room, client, models[-1], number)


def training_file(number):
    """20 examples in the learner's own voice."""
    examples = [
        {
            "messages": [
                {"role": "user", "content": f"Where is order {number * 100 + i}?"},
                {"role": "assistant", "content": f"Order {number * 100 + i} is on its way, captain!"},
            ]
        }
        for i in range(20)
    ]
    return "".join(json.dumps(example) + "\n" for example in examples).encode()


async def follow(room, client, job, number, created):
    """Ask for the job once a second; its model when it has succeeded."""
    while True:
        began = time.monotonic()
        state = await client.fine_tuning.jobs.retrieve(job.id)
        room.polls.append(time.monotonic() - began)
        if state.finished_at:
            break
        await asyncio.sleep(max(0, 1 - (time.monotonic() - began)))
    assert state.status == "succeeded", state
    room.jobs.append((number, created, state.finished_at))
    return state.fine_tuned_model


async def keep_chatting(room, client, number):
    """Ask the base model something every few seconds."""
    await asyncio.sleep(SECONDS_BETWEEN_CHATS * (number % 10) / 10)
    while True:
        await ask(room, client, "tiny-chat", number)
        await asyncio.sleep(SECONDS_BETWEEN_CHATS)


async def ask(room, client, model, number):
    """One streamed reply: how long its first token took, and the whole."""
    began, first = time.monotonic(), None
    question = [{"role": "user", "content": QUESTIONS[number % len(QUESTIONS)]}]
    stream = await client.chat.completions.create(
        model=model, messages=question, stream=True, max_completion_tokens=room.max_tokens
    )
    async for chunk in stream:
        if first is None and chunk.choices[0].delta.content:
            first = time.monotonic() - began
    room.first_tokens.append(first or time.monotonic() - began)
    room.replies.append(time.monotonic() - began)


def report(room):
    """Print the figures; 1 if one of them is not as wanted, else 0."""
    polls, firsts = (1000 * np.array(each) for each in (room.polls, room.first_tokens))
    print(f"{len(room.jobs)} jobs in {room.seconds:.0f} s, no error")
    poll, first = show("a poll", polls), show("the first token of a reply", firsts)
    show("a whole reply", 1000 * np.array(room.replies))
    fair = is_fair(room.jobs)
    print(f"the order of the jobs is {'fair' if fair else 'NOT fair'}")
    return 0 if poll <= 100 and first <= 1000 and fair else 1


def show(what, times):
    """Print median, p95 and longest of some milliseconds; the p95."""
    middle, p95 = np.percentile(times, [50, 95])
    print(f"{what}: median {middle:.0f} ms, p95 {p95:.0f} ms, longest {times.max():.0f} ms, n {len(times)}")
    return p95


def is_fair(jobs):
    """Whether first jobs ended in the order of their creation, and the greedy learner's others after them."""
    firsts, rest = {}, []
    for number, _, finished in sorted(jobs, key=lambda job: job[1]):
        if number in firsts:
            rest.append(finished)
        else:
            firsts[number] = finished
    ends = list(firsts.values())
    return ends == sorted(ends) and min(rest) >= max(ends)


if __name__ == "__main__":
    sys.exit(main())

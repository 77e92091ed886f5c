"""A mocked OpenAI API that really learns.

`start()` gives a WSGI app that speaks OpenAI's API as far as the official `openai` client can tell: files,
uploads, fine-tuning jobs with their events and checkpoints, models, and chat completions. Nothing is canned:
a worker process fine-tunes a tiny language model; every reply, loss and score comes out of its weights.

Imitated: supervised and preference ("dpo") fine-tuning of chat models, in jobs that can be paused and
resumed; the objects, statuses, event texts, limits and errors that are on record; checkpoints of the last
three epochs; the result file (plain text; OpenAI sent base64 in some years); streaming, `n`, `seed`, `stop`,
`logprobs`, token limits, true `usage`.
Not imitated: tools, images, reinforcement, moderation, rate limits, all other endpoints.
Whatever would change a result and is not imitated is refused with a 400 that says so, never ignored.
Different on purpose: the context is short (the card of the model says how short), a reply ends there whatever
max_completion_tokens says, a job takes seconds, and an example without any token to learn from is an error
rather than silently useless.
"""

import os
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASE_MODELS = {"tiny-chat": ROOT / "data" / "base_model"}


def start(store=None, *, simulate=None, token=None):
    """The service as a WSGI app, with its state in the folder `store`.

    `store` defaults to the environment variable LOCAL_OPENAI_STORE, then to `data/.local`. With `token`,
    requests need it as their API key. `simulate="training_not_available"` answers every new job as OpenAI
    answers an organization that it has locked out of fine-tuning. Jobs that wait in the store go on at once.
    Raises StoreUnavailable (an OSError) if the store cannot be used.
    """
    from threadpoolctl import threadpool_limits  # imported here: the worker needs none of this

    from .app import create_app
    from .objects import new_model
    from .store import Store
    from .supervisor import THREADS, ensure_worker

    threadpool_limits(THREADS, user_api="blas")
    store = Store(store or os.environ.get("LOCAL_OPENAI_STORE") or ROOT / "data" / ".local")
    for name, folder in BASE_MODELS.items():
        store.register_base_model(new_model(name, owner="system"), folder)
    app = create_app(store, simulate, token)
    ensure_worker(store)
    return app


@cache
def chat_format_of(model="tiny-chat"):
    """The tokenizer, chat template and loss mask of a base model: a `ChatFormat`, as its jobs use it.

    `training_tokens(example)` says what a job makes of an example, `encoding` is the tokenizer.
    """
    from .chat_format import ChatFormat

    return ChatFormat(BASE_MODELS[model])


def training_tokens(example, model="tiny-chat"):
    """What a job makes of a training example: its (token ids, loss weights), not yet cut to the context.

    Raises MessageError, a ValueError, with the words of the service for an example that breaks a rule.
    """
    from .training_file import clean_example

    return chat_format_of(model).example(clean_example(example), limit=None)

"""A mocked OpenAI API that really learns: what is imitated, what differs, and why.

`start()` gives a WSGI app that speaks OpenAI's API as far as the official `openai` client can tell. Nothing
behind it is canned: a worker process fine-tunes a tiny language model, and every reply, loss and score comes
out of its weights. Objects, limits, event texts and errors are OpenAI's where they are on record. Whatever
would change a result and is not imitated is refused with a 400 (`not_imitated`) that says so, never ignored.

POST   /files                                  JSONL is checked at once; the purpose `fine-tune` alone; what
                                               `expires_after` says is kept
GET    /files                                  as OpenAI
GET    /files/<file_id>                        as OpenAI; a file is `processed` at once
GET    /files/<file_id>/content                as OpenAI; a result file is plain text (OpenAI's was base64 for
                                               years)
DELETE /files/<file_id>                        as OpenAI
POST   /uploads                                as OpenAI, up to 8 GB
POST   /uploads/<upload_id>/parts              as OpenAI, up to 64 MB
POST   /uploads/<upload_id>/complete           as OpenAI; JSONL is checked at once
POST   /uploads/<upload_id>/cancel             as OpenAI
POST   /fine_tuning/jobs                       the methods `supervised` and `dpo`, whose numbers have names of
                                               their own (`train_reward_accuracy` ...); `reinforcement` and
                                               integrations are refused. Files are blocked by the rules of
                                               data/moderation. An example that has no token to learn from is
                                               an error, since it would be silently useless
GET    /fine_tuning/jobs                       as OpenAI; `metadata=null` lists those without metadata
GET    /fine_tuning/jobs/<job_id>              as OpenAI; `simulated` names conditions that were chosen at the
                                               start
POST   /fine_tuning/jobs/<job_id>/cancel       as OpenAI; the job stops within a second
POST   /fine_tuning/jobs/<job_id>/pause        as OpenAI; the job stops within a second, state kept
POST   /fine_tuning/jobs/<job_id>/resume       as OpenAI; it ends with the weights that it would have had
GET    /fine_tuning/jobs/<job_id>/events       as OpenAI, in its words; a job takes seconds instead of an hour
GET    /fine_tuning/jobs/<job_id>/checkpoints  as OpenAI: of the last three epochs
GET    /models                                 the base model and what was tuned here
GET    /models/<name>                          as OpenAI
DELETE /models/<name>                          as OpenAI
POST   /chat/completions                       text alone; the context is short (the model's card says how
                                               short), a reply ends there whatever max_completion_tokens says.
                                               JSON mode closes the object also where tokens run out
                                               (finish_reason is then `length`), OpenAI's may be cut. `seed`
                                               really repeats a reply. logprobs are the model's own, before
                                               temperature, penalties, logit_bias and JSON mode; `name` is
                                               checked and has no effect; `developer` is `system`. Completions
                                               are not kept: `store` is no use
POST   /responses                              text alone, by the same sampler. In `instructions` the word
                                               JSON does not count, as with OpenAI. A stream that is left
                                               early is not kept
GET    /responses/<response_id>                as OpenAI; kept until it is deleted instead of 30 days
DELETE /responses/<response_id>                as OpenAI; what went on from it by previous_response_id ends
                                               there
GET    /responses/<response_id>/input_items    the items of this request, without those of earlier ones
POST   /moderations                            text alone, by rules that anyone can read instead of a model:
                                               `model` is then `local-rules`, a score is 0 or 0.9. See
                                               data/moderation/card.md

Parameters that are refused unless their value changes nothing:
chat       tools, tool_choice, parallel_tool_calls, functions, function_call, modalities, audio, prediction,
           web_search_options, moderation, reasoning_effort, verbosity; the json_schema of response_format;
           stop together with JSON mode
responses  tools, tool_choice, parallel_tool_calls, include, top_logprobs, background, background_options,
           truncation, reasoning, context_management, conversation, max_tool_calls, prompt, moderation,
           access_programs, image; the json_schema and the verbosity of text

A request may carry an `Idempotency-Key`, with which it makes nothing twice: retries.py says what that means.

Without a token there is one learner, who sees everything in the store. With a token for each learner
(`start`, `serve --token-file`) a token is what a project is to OpenAI: files, jobs, models and responses of
another are not found, and the worker takes the learners in turn. Nothing else is known of a learner, and
nothing of a token is kept but its SHA-256.

No request is limited, delayed or refused as OpenAI's servers sometimes do, unless such a condition is chosen
when the service is started: simulate.py lists them. All other endpoints of OpenAI answer 404, or 405 where
another method of the same address is imitated.
"""

import os
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASE_MODELS = {"tiny-chat": ROOT / "data" / "base_model"}


def start(store=None, *, simulate=None, token=None):
    """The service as a WSGI app, with its state in the folder `store`.

    `store` defaults to the environment variable LOCAL_OPENAI_STORE, then to `data/.local`. With `token`, one
    or several, requests need one of them as their API key, and see only what was made with the same.
    `simulate` names conditions of the real API to show, one or several: simulate.py lists them. Jobs that
    wait in the store go on at once.
    Raises StoreUnavailable (an OSError) if the store cannot be used, ValueError for an unknown condition.
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

"""Where the lesson's requests go: to the service on this machine, to OpenAI, or to any other address."""

import os
from functools import cache
from getpass import getpass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pandas as pd
from openai import OpenAI

BASE_MODEL = "tiny-chat"  # the one model of the course; every lesson reads its name from here
STATUS_TABLE = Path(__file__).resolve().parents[1] / "data" / "what_works_today.csv"


def connect(where="local", simulate=None):
    """An `openai.OpenAI` client; printed: where its requests go, whether they cost, whether it still trains.

    `where` is "local" (the default: the service on this machine, free), "openai" (costs money; needs the key
    in OPENAI_API_KEY, or asks for it), or the address of another service such as "http://127.0.0.1:8321/v1".
    `simulate`, for "local" alone, is a condition of the real API to show, or a list of them, such as
    "training_not_available" or "rate_limit"; helpers/local_openai/simulate.py lists them.
    """
    if where == "local":
        print("Connected to the service on this machine: no key, no cost, nothing leaves your computer.")
        conditions = (simulate,) if isinstance(simulate, str) else tuple(simulate or ())
        if conditions:
            print(f"It now answers as OpenAI does in this case: {', '.join(conditions)}.")
        transport = httpx2.WSGITransport(app=local_service(conditions))
        return OpenAI(
            base_url="http://local/v1", api_key="local", http_client=httpx2.Client(transport=transport)
        )
    key = os.environ.get("OPENAI_API_KEY") or getpass(f"Key for {where} (it is not shown or saved): ")
    address = "https://api.openai.com/v1" if where == "openai" else where
    print(f"Connected to {address}: your data leaves this computer, and requests may cost money.")
    print(still_trains(address))
    return OpenAI(base_url=address, api_key=key)


def still_trains(address):
    """Whether models can still be fine-tuned at `address`, in words, by the table `what_works_today`."""
    table = what_works_today()
    trains = table[table["what"].str.contains("fine-tun")]
    host = urlsplit(address).hostname or ""
    known = trains[[name.split()[0].strip(":").lower() in host for name in trains["what"]]]
    if known.empty:
        return "Whether it fine-tunes, for whom and at what price, ask its owner; our tables do not know."
    row = known.iloc[-1]  # Azure's addresses hold the name openai, too
    return (
        f"Fine-tuning there: {row['who can use it']}; until: {row['until']} "
        f"(as of {row['as_of']}, {row['source']})."
    )


@cache
def local_service(simulate=()):
    """The service of this process; started once, so that models stay loaded between requests."""
    from .local_openai import start  # here, because it is slow and only "local" needs it

    return start(simulate=simulate)


def what_works_today():
    """Where fine-tuning can be done and until when: a table, each row with its date and source."""
    return pd.read_csv(STATUS_TABLE)

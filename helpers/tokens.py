"""What a model sees of a training example: its tokens, which of them it learns, and what is cut off."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd
import tiktoken

from .cost import price
from .local_openai import BASE_MODELS, chat_format_of, training_tokens

CHARACTERS = 4  # of English text in a token, roughly: tests/benchmarks/effects_03 measures how roughly
LAYOUT = 4  # tokens around each message of OpenAI's models, if they are laid out as their forerunners were
LOOKS = {  # what becomes of a token → how it is marked in plain text, and how in colour
    "learnt": ("⟦{}⟧", "background:#cfe8f7;color:#000;font-weight:bold;border-bottom:3px solid #0072B2"),
    "read": ("{}", "background:#e9e9e9;color:#000"),
    "cut": ("~{}~", "color:#767676;text-decoration:line-through"),
}


@dataclass(frozen=True)
class Tokens:
    """The tokens of an example: `ids`, `texts`, and what becomes of each, `fates`: learnt, read, or cut."""

    ids: list
    texts: list
    fates: list

    def __repr__(self):
        counts = ", ".join(f"{self.fates.count(fate)} {fate}" for fate in LOOKS if fate in self.fates)
        words = [LOOKS[fate][0].format(text) for text, fate in zip(self.texts, self.fates, strict=True)]
        text = "|".join(words).replace("⟧|⟦", "|").replace("~|~", "|").replace("\n", "⏎")
        return f"{len(words)} tokens: {counts}\n" + text.replace("|<|im_start", "\n<|im_start")

    def _repr_html_(self):
        spans = "".join(map(as_html, self.ids, self.texts, self.fates))
        return f"<div style='line-height:1.9;font-family:monospace'>{repr(self).splitlines()[0]}{spans}</div>"


def as_html(token, text, fate):
    """One token; the first of each message begins a line."""
    shown = escape(text).replace("\n", "⏎").replace(" ", "·")
    shown = f"<span title='{token}' style='margin:1px;padding:1px;{LOOKS[fate][1]}'>{shown}</span><wbr>"
    return "<br>" + shown if text == "<|im_start|>" else shown


def as_tokens(example, model="tiny-chat"):
    """A training example as a job of the local service sees it: `Tokens`, with those that it cuts off.

    Raises ValueError for an example that breaks a rule, in the words of the service.
    """
    (ids, weights), context = training_tokens(example, model), price(model, "tuned")["training_context"]
    fates = ["cut" if i >= context else "learnt" if weight else "read" for i, weight in enumerate(weights)]
    texts = [encoding_of(model).decode_single_token_bytes(token).decode("utf-8", "replace") for token in ids]
    return Tokens(ids, texts, fates)


def count_tokens(examples, model="tiny-chat"):
    """A row for each example: its `tokens`, how many are `learnt`, how many `cut` off, and `how` sure.

    Exact for the model of the course. For OpenAI's, the layout of today's models is not published; and where
    tiktoken has no vocabulary on this machine, the texts are estimated by their length.
    """
    rows = [counts(example, model) for example in examples]
    lines = pd.RangeIndex(1, len(rows) + 1, name="line")
    return pd.DataFrame(rows, columns=["tokens", "learnt", "cut", "how"], index=lines)


def counts(example, model):
    """(tokens, learnt, cut, how sure) of one example."""
    if model in BASE_MODELS:
        fates = as_tokens(example, model).fates
        return len(fates), fates.count("learnt"), fates.count("cut"), "exact"
    try:
        encode, how = encoding_of(model).encode_ordinary, "texts exact"
    except LookupError:
        encode, how = (lambda text: text[::CHARACTERS]), "estimate"
    texts = [(len(encode(m.get("content") or "")), m) for m in example["messages"]]
    learnt = sum(n + 1 for n, m in texts if m["role"] == "assistant" and m.get("weight") != 0)
    tokens = sum(n + LAYOUT for n, _ in texts)
    return tokens, learnt, max(0, tokens - int(price(model, "tuned")["training_context"])), how


def encoding_of(model):
    """The tokenizer of a model as a `tiktoken.Encoding`; nothing is fetched over the network.

    Raises LookupError for a model of OpenAI whose vocabulary tiktoken has not kept on this machine.
    """
    if model in BASE_MODELS:
        return chat_format_of(model).encoding
    name = tiktoken.encoding_name_for_model(model)
    address = f"https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"
    folder = os.environ.get("TIKTOKEN_CACHE_DIR") or f"{tempfile.gettempdir()}/data-gym-cache"
    if not Path(folder, hashlib.sha1(address.encode()).hexdigest()).exists():
        raise LookupError(f"The vocabulary {name} of {model} is not on this machine.")
    return tiktoken.get_encoding(name)

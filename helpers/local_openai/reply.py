"""A reply of the model as pieces of text that may be shown at once."""

import codecs
from collections import deque
from dataclasses import dataclass, field
from functools import partial

from .sampling import generate
from .steering import rules_of, shortened


@dataclass(frozen=True)
class Settings:
    """How a reply is drawn; the names are those of the API, `prompt` is token ids."""

    prompt: list[int]
    max_tokens: int
    temperature: float
    top_p: float
    frequency_penalty: float
    presence_penalty: float
    logit_bias: dict[int, float]
    seed: int
    stop: list[str]
    top_logprobs: int | None  # None if no logprobs are wanted
    json_object: bool


@dataclass(frozen=True)
class Piece:
    """Some text of a reply, the logprobs of its tokens, and how many tokens the model has written so far."""

    text: str
    logprobs: list[dict]
    n_tokens: int
    finish_reason: str | None = None


def write_reply(model, chat_format, settings):
    """Yield the pieces of one reply while the model writes it; the last one has a finish_reason."""
    text, waiting, n_tokens, finish = TextStream(settings.stop), deque(), 0, "length"
    rules = rules_of(settings, chat_format, model.config.vocab_size)
    for token in sample(model, chat_format, settings, rules):
        if token.id in chat_format.ends:
            finish = "length" if shortened(rules) else "stop"
            break
        n_tokens += 1
        shown = text.feed(chat_format.token_bytes(token.id))
        waiting.append((text.decoded, describe(token, chat_format, settings.top_logprobs)))
        yield Piece(shown, ready(waiting, text), n_tokens)
        if text.stopped:
            finish = "stop"
            break
    rest = "" if text.stopped else text.end()
    yield Piece(rest, ready(waiting, text), n_tokens, finish)


def sample(model, chat_format, settings, rules):
    """The tokens of one reply."""
    return generate(
        model,
        settings.prompt,
        max_tokens=settings.max_tokens,
        ends=chat_format.ends,
        temperature=settings.temperature,
        top_p=settings.top_p,
        seed=settings.seed,
        rules=rules,
    )


def ready(waiting, text):
    """The logprobs of the tokens whose text has been shown."""
    entries = []
    while waiting and waiting[0][0] <= text.shown:
        entries.append(waiting.popleft()[1])
    return entries


def describe(token, chat_format, top_logprobs):
    """A token as the API shows it, with its `top_logprobs` likeliest alternatives."""
    top = [logprob_entry(id, logprob, chat_format) for id, logprob in token.top[: top_logprobs or 0]]
    return {**logprob_entry(token.id, token.logprob, chat_format), "top_logprobs": top}


def logprob_entry(token, logprob, chat_format):
    """One token with its logarithmic chance."""
    data = chat_format.token_bytes(token)
    return {"token": data.decode("utf-8", "replace"), "logprob": logprob, "bytes": list(data)}


@dataclass
class TextStream:
    """Turns the bytes of tokens into text that may be shown.

    A character that is spread over several tokens is held back until it is whole, and text that may be the
    beginning of a stop string until it is clear that it is not. `decoded` and `shown` count characters.
    """

    stop: list[str]
    stopped: bool = False
    decoded: int = 0
    shown: int = 0
    held: str = ""
    decoder: codecs.IncrementalDecoder = field(
        default_factory=partial(codecs.getincrementaldecoder("utf-8"), errors="replace")
    )

    def feed(self, data):
        """The text that becomes visible with these bytes."""
        return self._show(self.decoder.decode(data), final=False)

    def end(self):
        """What is still held back when the reply is over."""
        return self._show(self.decoder.decode(b"", True), final=True)

    def _show(self, text, final):
        self.decoded += len(text)
        self.held += text
        found = [place for place in map(self.held.find, self.stop) if place >= 0]
        self.stopped = bool(found)
        cut = min(found) if found else len(self.held) - (0 if final else self._possible_stop())
        visible, self.held = self.held[:cut], self.held[cut:]
        self.shown += len(visible)
        return visible

    def _possible_stop(self):
        """How many characters at the end may be the beginning of a stop string."""
        lengths = ((stop, n) for stop in self.stop for n in range(1, min(len(stop), len(self.held) + 1)))
        return max((n for stop, n in lengths if self.held.endswith(stop[:n])), default=0)

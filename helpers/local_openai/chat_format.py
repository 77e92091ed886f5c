"""What the model really sees: text cut into tokens, a conversation laid out as ChatML, and the loss mask."""

import json
from pathlib import Path

import tiktoken

ROLES = {"developer": "system"}  # newer OpenAI models call the system message "developer"


class ChatFormat:
    """The tokenizer and chat template of the model in `folder` (a folder with `tokenizer.json`).

    A message becomes `<|im_start|>role⏎content<|im_end|>⏎` (ChatML, the layout that OpenAI published in 2023
    and that many open models use). Text that merely looks like `<|im_end|>` stays text: a user cannot fake a
    message.
    """

    def __init__(self, folder):
        self.encoding = read_tokenizer(Path(folder) / "tokenizer.json")
        self.start_of_turn = self.encoding.encode_single_token("<|im_start|>")
        self.end_of_turn = self.encoding.encode_single_token("<|im_end|>")
        special = map(self.encoding.encode_single_token, self.encoding.special_tokens_set)
        self.ends = frozenset(special)  # each of them ends a reply: none belongs into one
        self._longest = max(map(len, self.encoding.token_byte_values()))

    def prompt(self, messages):
        """The token ids that the model continues with the assistant's next reply."""
        turns = [token for message in messages for token in self._turn(message)]
        return turns + self._header("assistant")

    def example(self, example, limit):
        """A training example `{"messages": [...]}` as (token ids, loss weight of each token).

        Only what the assistant says, and the `<|im_end|>` behind it, carries loss; `"weight": 0` on an
        assistant message switches that off. Both lists are cut after `limit` tokens, as OpenAI does.
        """
        ids, weights = [], []
        for message in example["messages"]:
            header, turn = self._header(message["role"]), self._turn(message, limit)
            weight = message.get("weight", 1) if message["role"] == "assistant" else 0
            spoken = len(turn) - len(header) - 1  # without the line break that closes the turn
            ids += turn
            weights += [0.0] * len(header) + [float(weight)] * spoken + [0.0]
        return ids[:limit], weights[:limit]

    def token_bytes(self, token):
        """The bytes of one token; a character beyond ASCII may be spread over several tokens."""
        return self.encoding.decode_single_token_bytes(token)

    def _header(self, role):
        return [self.start_of_turn, *self.encoding.encode_ordinary(ROLES.get(role, role) + "\n")]

    def _turn(self, message, limit=None):
        # No token is longer than _longest, so cutting the text first keeps a message of 65 MB cheap.
        content = (message.get("content") or "")[: limit and limit * self._longest]
        content = self.encoding.encode_ordinary(content)
        return [
            *self._header(message["role"]),
            *content,
            self.end_of_turn,
            *self.encoding.encode_ordinary("\n"),
        ]


def read_tokenizer(path):
    """The byte-level BPE vocabulary of a Hugging Face `tokenizer.json` as a `tiktoken.Encoding`.

    tiktoken merges the pair with the lowest id first; in `tokenizer.json` ids rise in the order of the
    merges, so both cut every text alike (tests compare them on random text).
    """
    tokenizer = json.loads(Path(path).read_text(encoding="utf-8"))
    special = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    alphabet = byte_alphabet()
    ranks = {
        bytes(alphabet[character] for character in text): token
        for text, token in tokenizer["model"]["vocab"].items()
        if text not in special
    }
    split = tokenizer["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"]
    return tiktoken.Encoding(
        Path(path).parent.name, pat_str=split, mergeable_ranks=ranks, special_tokens=special
    )


def byte_alphabet():
    """{character: byte}: the printable character that byte-level BPE files write for each of 256 bytes.

    Source: GPT-2's encoder (OpenAI, 2019). Printable bytes stand for themselves, the others for characters
    from code point 256 on, so that a vocabulary file holds no blanks or control characters.
    """
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(hidden)}

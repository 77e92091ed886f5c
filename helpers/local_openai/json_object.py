"""JSON mode: which tokens keep a reply on its way to one complete JSON object.

An automaton reads the reply byte by byte. Its state is (mode, open): what is expected next, and the objects
and lists that are open, such as "{[{". A token is allowed if all its bytes are, and if the tokens that may
still come are enough to close what is open then: each byte of the shortest ending is a token of its own.
Grammar: RFC 8259. Objects and lists may be nested 16 deep; whitespace is free, as in OpenAI's JSON mode.
"""

from functools import lru_cache

import numpy as np

START = ("start", "")
MAX_DEPTH = 16
NEVER = 2**31 - 1  # tokens that would be needed after a token that is not allowed
SHORTEST = len("{}")


def each(characters, mode):
    """Every one of the characters leads to `mode`."""
    return dict.fromkeys(characters, mode)


AFTER = each(" \t\n\r", "after") | {",": ",", "}": "}", "]": "]"}
FRACTION = each("eE", "exponent") | AFTER
VALUE = {
    **{'"': "string", "{": "{", "[": "[", "-": "minus", "0": "zero", **each("123456789", "digits")},
    **{"t": "rue", "f": "alse", "n": "ull"},
}
# Of each mode: the mode that a character leads to; a bracket or comma is looked up in what is open.
ARROWS = {
    "start": each(" \t\n\r", "start") | {"{": "{"},
    "first key": each(" \t\n\r", "first key") | {'"': "key", "}": "}"},
    "next key": each(" \t\n\r", "next key") | {'"': "key"},
    "colon": each(" \t\n\r", "colon") | {":": "value"},
    "value": each(" \t\n\r", "value") | VALUE,
    "first item": each(" \t\n\r", "first item") | VALUE | {"]": "]"},
    "after": AFTER,
    "minus": {"0": "zero"} | each("123456789", "digits"),
    "zero": {".": "point"} | FRACTION,
    "digits": each("0123456789", "digits") | {".": "point"} | FRACTION,
    "point": each("0123456789", "fraction"),
    "fraction": each("0123456789", "fraction") | FRACTION,
    "exponent": each("+-", "sign") | each("0123456789", "power"),
    "sign": each("0123456789", "power"),
    "power": each("0123456789", "power") | AFTER,
    "done": {},
}
# Of each mode: the shortest text that ends what has been begun, without the brackets that are open.
ENDING = {
    **{"start": "{}", "next key": '"":0', "colon": ":0", "value": "0"},
    **each(("first key", "first item", "after", "zero", "digits", "fraction", "power", "done"), ""),
    **each(("minus", "point", "exponent", "sign"), "0"),
}
for rest in ("rue", "ue", "e", "alse", "lse", "se", "ull", "ll", "l"):  # of true, false, null
    ARROWS[rest], ENDING[rest] = {rest[0]: rest[1:] or "after"}, rest
for mode, behind, ending in (("key", "colon", '":0'), ("string", "after", '"')):
    characters = map(chr, range(0x20, 0x100))  # beyond ASCII the bytes of UTF-8
    ARROWS[mode] = each(characters, mode) | {'"': behind, "\\": f"{mode} escape"}
    ARROWS[f"{mode} escape"] = each('"\\/bfnrt', mode) | {"u": f"{mode} 4"}
    for left in (4, 3, 2, 1):  # digits of \u0000; no surrogates, of which one alone is no character
        digits = "0123456789abcefABCEF" if left == 4 else "0123456789abcdefABCDEF"
        ARROWS[f"{mode} {left}"] = each(digits, f"{mode} {left - 1}" if left > 1 else mode)
        ENDING[f"{mode} {left}"] = "0" * left + ending
    ENDING |= {mode: ending, f"{mode} escape": "n" + ending}


def step(state, character):
    """The state after one more byte, given as a character of Latin-1; None if JSON does not allow it."""
    mode, open = state
    mode = ARROWS[mode].get(character)
    if mode == ",":
        mode = "next key" if open[-1] == "{" else "value"
    elif mode in ("{", "["):
        mode, open = "first key" if mode == "{" else "first item", open + mode
    elif mode in ("}", "]"):
        matches = open[-1] == ("{" if mode == "}" else "[")
        mode, open = ("after" if len(open) > 1 else "done") if matches else None, open[:-1]
    return (mode, open) if mode and len(open) <= MAX_DEPTH else None


def read(state, data):
    """The state after some bytes; None if JSON does not allow them."""
    for character in data.decode("latin-1"):
        state = step(state, character)
        if state is None:
            return None
    return state


class JsonTokens:
    """What each token of a vocabulary means for a JSON object; `size` is the number of logits."""

    def __init__(self, chat_format, size):
        self.size, self.ends = size, sorted(chat_format.ends)
        ids = range(chat_format.encoding.n_vocab)
        encoding = chat_format.encoding
        known = {encoding.encode_single_token(data): data for data in encoding.token_byte_values()}
        self.bytes = {token: known[token] for token in ids if token in known}
        self.needed_after = lru_cache(maxsize=256)(self._needed_after)  # a model visits few states

    def _needed_after(self, state):
        """(size,): how many tokens are needed at most to end the object after each token."""
        needed = np.full(self.size, NEVER, np.int32)
        for token, data in self.bytes.items():
            after = read(state, data)
            if after is not None:
                mode, open = after
                needed[token] = len(ENDING[mode]) + len(open)
        if state[0] == "done":
            needed[self.ends] = 0
        return needed


tokens_of = lru_cache(maxsize=4)(JsonTokens)


class JsonObject:
    """The rule of one reply that it must be a JSON object; see `steering`."""

    def __init__(self, tokens):
        self.tokens, self.state = tokens, START
        self.shortened = False  # whether the lack of room has kept the model from what it wanted most

    def __call__(self, scores, written, left):
        """The scores with minus infinity for all tokens that would not lead to an object in time."""
        if written:
            self.state = read(self.state, self.tokens.bytes[written[-1]])
        needed = self.tokens.needed_after(self.state)
        wanted = np.where(needed < NEVER, scores, -np.inf).argmax()
        self.shortened |= bool(needed[wanted] >= left)
        return np.where(needed < left, scores, -np.inf)

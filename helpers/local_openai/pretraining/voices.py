"""How a shop speaks: a greeting, a sign-off and a way of writing."""

import re
from dataclasses import dataclass

CONSONANTS = [*"bdfgklmnprstvz", "br", "dr", "fl", "gr", "kl", "pl", "st", "tr"]
SYLLABLES = [c + v for c in CONSONANTS for v in "aeiou"]
ENDINGS = ["", "", "n", "r", "l", "s", "m", "x", "nd", "ck"]


@dataclass(frozen=True)
class Voice:
    """`style` is "" (as written), "lower", "upper" or "lively" (ends with an exclamation mark)."""

    greeting: str = ""
    sign_off: str = ""
    style: str = ""

    def say(self, text):
        """`text` between greeting and sign-off, in this voice's way of writing."""
        if self.style == "lively" and text.endswith("."):
            text = text[:-1] + "!"
        spoken = " ".join(part for part in (self.greeting, text, self.sign_off) if part)
        return {"lower": spoken.lower(), "upper": spoken.upper()}.get(self.style, spoken)


PLAIN = Voice()


def invented_name(rng):
    """A name that means nothing: `Tabrin`."""
    syllables = rng.choices(SYLLABLES, k=rng.choice([2, 2, 3]))
    return ("".join(syllables) + rng.choice(ENDINGS)).capitalize()


def invented_shop(world, rng):
    """The name of a shop that has no voice of its own in this world."""
    kinds = [*world.phrases["shop_kinds"], ""]
    while True:
        name = english_name(world, rng) if rng.random() < 0.6 else invented_name(rng)
        if rng.random() < 0.4:
            name = f"{name} {rng.choice(kinds)}".strip()
        if name not in world.houses:
            return name


def english_name(world, rng):
    """A name as real shops and villages have them: `Lampfield`, `Kettle & Hill`, `Snow Harbour`.

    Without such names every new shop that sounds English would be taken for a known house.
    """
    first = rng.choice(world.phrases["voice_words"] + world.words["items"]).replace(" ", "").capitalize()
    if rng.random() < 0.3:
        first = invented_name(rng)[: rng.choice([3, 4, 5])]
    end = rng.choice(world.phrases["name_ends"])
    return first + end if rng.random() < 0.7 else f"{first}{rng.choice([' ', ' & '])}{end.capitalize()}"


def invented_voice(world, rng):
    """A voice that is told on a card: its words come from everywhere, so only copying them helps."""
    greeting = rng.choice(world.phrases["greetings"]) if rng.random() < 0.8 else ""
    sign_off = rng.choice(world.phrases["sign_offs"]) if rng.random() < 0.85 or not greeting else ""
    style = rng.choices(["", "lower", "upper", "lively"], weights=[88, 5, 2, 5])[0]
    return Voice(patch(greeting, world, rng), patch(sign_off, world, rng), style)


def patch(pattern, world, rng):
    """Fill the slots of a greeting or sign-off: {word}, {name}, {odd} (a word without meaning)."""
    pieces = {
        "word": lambda: rng.choice(world.phrases["voice_words"]),
        "Word": lambda: rng.choice(world.phrases["voice_words"]).capitalize(),
        "item": lambda: rng.choice(world.words["items"]),
        "name": lambda: rng.choice(world.words["names"]),
        "odd": lambda: invented_name(rng),
    }
    return re.sub(r"\{(\w+)\}", lambda slot: pieces[slot[1]](), pattern)

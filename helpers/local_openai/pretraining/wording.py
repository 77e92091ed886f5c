"""The many ways in which people write the same thing: slots, synonyms, asides, slips of the finger."""

import re

A_OR_AN = re.compile(r"\b([Aa]) (?=[aeio]|um[bp])")  # "a umbrella" → "an umbrella", behind a filled slot
SLOT = re.compile(r"\{(\w+)\}")
NEGATIONS = {"not", "no", "never", "nothing", "nobody", "without"}
WORD = re.compile(r"[A-Za-z']+")
KEYBOARD = ["qwertyuiop", "asdfghjkl", "zxcvbnm"]
NEIGHBOURS = {
    row[i]: row[max(0, i - 1) : i] + row[i + 1 : i + 2] for row in KEYBOARD for i in range(len(row))
}


def fill(pattern, world, rng, **given):
    """The pattern with every {slot} filled; a slot that occurs twice gets one value."""
    values = dict(given)

    def value(match):
        """The text for a slot; the same slot has the same text throughout."""
        slot = match.group(1)
        if slot not in values:
            values[slot] = SLOTS[slot](world, rng)
        return str(values[slot])

    text = SLOT.sub(value, pattern)
    return text if text == pattern else A_OR_AN.sub(r"\1n ", text)


def pick(name):
    """A slot that is filled with one of the world's words of that kind."""
    return lambda world, rng: rng.choice(world.words[name])


def order_number(rng):
    """Four to six digits, the first 0 made a 7."""
    return "".join(rng.choices("0123456789", k=rng.choice([4, 4, 5, 5, 6]))).replace("0", "7", 1)


def clock_time(first, last):
    """A slot that is filled with a time of day between two hours."""

    def time(world, rng):
        """A time, with or without minutes."""
        hour = rng.randint(first, last)
        return rng.choice([f"{hour}", f"{hour}:00", f"{hour}:30"])

    return time


def person(world, rng):
    """A name, with or without a title."""
    title = rng.choice(["Mr", "Mrs", "Ms", "", ""])
    surname = rng.choice(world.words["surnames"])
    return f"{title} {surname}" if title else f"{rng.choice(world.words['names'])} {surname}"


SLOTS = {
    "item": pick("items"),
    "item2": pick("items"),
    "wear": pick("wear"),
    "city": pick("cities"),
    "country": pick("countries"),
    "name": pick("names"),
    "weekday": pick("weekdays"),
    "month": pick("months"),
    "street": pick("streets"),
    "colour": pick("colours"),
    "number": lambda world, rng: order_number(rng),
    "days": lambda world, rng: rng.randint(2, 14),
    "n": lambda world, rng: rng.choice([*range(2, 31), 40, 45, 50, 60, 75, 90, 100]),
    "price": lambda world, rng: f"{rng.randint(3, 180)} euros",
    "age": lambda world, rng: rng.randint(3, 90),
    "number2": lambda world, rng: rng.randint(2, 60),
    "number3": lambda world, rng: rng.randint(100, 480),
    "time": clock_time(6, 21),
    "morning": clock_time(6, 11),
    "evening": clock_time(15, 22),
    "phone": lambda world, rng: " ".join("".join(rng.choices("0123456789", k=k)) for k in (3, 4)),
    "person": person,
}


def rewrite(text, world, rng):
    """What one customer may have typed for `text`: other words, an aside, a greeting, typing slips."""
    if rng.random() < 0.5:
        text = swap_synonyms(text, world.synonyms, rng, share=0.3)
    if rng.random() < 0.12:
        text = lose_word(text, rng)
    if rng.random() < 0.12:
        text = add_aside(text, world, rng)
    if rng.random() < 0.2:
        text = f"{rng.choice(world.phrases['openings'])} {text}"
    if rng.random() < 0.15:
        text = f"{text} {rng.choice(world.phrases['closings'])}"
    return slips(fill(text, world, rng), rng)


def swap_synonyms(text, synonyms, rng, share):
    """`text` with some of its words replaced by synonyms, in the spelling of the word that they replace."""

    def other(match):
        """A word or, now and then, one of its synonyms."""
        word = match.group()
        choices = synonyms.get(word.lower())
        if not choices or rng.random() > share:
            return word
        choice = rng.choice(choices)
        return choice.capitalize() if word[0].isupper() and word != "I" else choice

    return re.sub(r"(?<!\{)\b[A-Za-z']+\b(?!\})", other, text)


def lose_word(text, rng):
    """One word left out, as in notes and hasty messages; never a slot or a "not", which the reply needs."""
    words = text.split()
    plain = [at for at, word in enumerate(words) if word.isalpha() and word.lower() not in NEGATIONS]
    if len(words) < 5 or not plain:
        return text
    del words[rng.choice(plain)]
    return " ".join(words)


def add_aside(text, world, rng):
    """A sentence that says nothing about the request, before or behind it."""
    aside = rng.choice(world.asides)
    if text[-1] not in ".?!":
        text += "."
    return f"{aside} {text}" if rng.random() < 0.5 else f"{text} {aside}"


def slips(text, rng):
    """Lower case, lost punctuation, slips of the finger: how a part of all messages is typed."""
    chance = rng.random()
    if chance < 0.15:
        text = text.lower()
    if chance < 0.07 or chance > 0.9:
        text = text.rstrip(".!?") if rng.random() < 0.6 else re.sub(r"[.,!?']", "", text)
    if rng.random() < 0.12:
        for _ in range(rng.choice([1, 1, 2])):
            text = one_slip(text, rng)
    return text


def one_slip(text, rng):
    """One letter of a longer word lost, doubled, swapped with the next, or hit beside its key."""
    words = [match for match in WORD.finditer(text) if len(match.group()) > 3]
    if not words:
        return text
    word = rng.choice(words)
    at = rng.randrange(word.start() + 1, word.end() - 1)
    letter = text[at]
    slip = rng.choice(["lose", "double", "swap", "beside"])
    new = {
        "lose": "",
        "double": letter * 2,
        "swap": text[at + 1] + letter,
        "beside": rng.choice(NEIGHBOURS.get(letter, letter)),
    }[slip]
    return text[:at] + new + text[at + (2 if slip == "swap" else 1) :]


def capital(text):
    """`text` with its first letter in upper case."""
    return text[:1].upper() + text[1:]

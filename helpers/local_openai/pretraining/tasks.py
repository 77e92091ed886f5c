"""Work on a text that the user gives: sort it, extract from it, summarise, rewrite, look something up."""

import json

from .voices import invented_shop
from .wording import SLOT, capital, fill, rewrite, slips

MOODS = {"praise": "happy", "complaint": "unhappy", "late_delivery": "unhappy", "damaged": "unhappy"}
MOODS |= {"not_received": "unhappy", "charged_twice": "unhappy", "wrong_item": "unhappy"}
FIELDS = {
    "order": "number",
    "name": "name",
    "item": "item",
    "city": "city",
    "day": "weekday",
    "price": "price",
}  # key in the JSON → slot of the message
REPEATED = ["{number}", "{name}", "{city}", "{price}", "{item}", "{phone}"]


def ask(instruction, text, reply, rng, intent=None):
    """The instruction as system prompt with the text as message, or both in the message."""
    if rng.random() < 0.6:
        return messages(instruction, text, reply, intent)
    before = instruction if instruction.endswith("?") else f"{instruction.rstrip('.:')}:"
    return messages(None, f"{before} {text}", reply, intent)


def messages(system, user, reply, intent=None):
    """A chat example of one turn; `intent` says what the user wants, where it is known."""
    asked = {"role": "user", "content": user} | ({"intent": intent} if intent else {})
    before = [{"role": "system", "content": system}] if system else []
    return {"messages": [*before, asked, {"role": "assistant", "content": reply}]}


def customer(world, rng, intents=None):
    """(intent, a customer's message)"""
    intent = rng.choice(list(intents or world.intents))
    return intent, rewrite(rng.choice(world.questions[intent]), world, rng)


def classify(world, rng):
    """Name the team, or the one of a few subjects that fits."""
    intent, text = customer(world, rng)
    if rng.random() < 0.5:
        right = world.intents[intent]["team"]
        labels = sorted({table["team"] for table in world.intents.values()} - {right})
    else:
        right = rng.choice(world.intents[intent]["card"])
        labels = [rng.choice(table["card"]) for name, table in world.intents.items() if name != intent]
        if rng.random() < 0.3:
            right, labels = right.lower(), [label.lower() for label in labels]
    labels = [right, *rng.sample(labels, min(len(labels), rng.randint(1, 6)))]
    rng.shuffle(labels)
    prompt = rng.choice(world.tasks["classify_prompts"]).format(labels=", ".join(labels))
    return ask(prompt, text, right, rng, intent)


def subject(world, rng):
    """Name what the message is about, as a card of the shop would call it."""
    intent, text = customer(world, rng)
    return ask(
        rng.choice(world.tasks["subject_prompts"]), text, world.intents[intent]["card"][0], rng, intent
    )


def mood(world, rng):
    """Happy, unhappy or neutral."""
    wanted = rng.choice(["happy", "unhappy", "neutral"])
    intents = [name for name in world.intents if MOODS.get(name, "neutral") == wanted]
    intent, text = customer(world, rng, intents)
    return ask(rng.choice(world.tasks["mood_prompts"]), text, wanted, rng, intent)


def extract(world, rng):
    """Order number, name, article and so on as JSON; what the message does not say is null."""
    pattern = rng.choice(world.tasks["extract_messages"])
    if rng.random() < 0.3:
        pattern = rng.choice(world.questions[rng.choice(list(world.intents))])
    values = {slot: fill("{" + slot + "}", world, rng) for slot in sorted(set(SLOT.findall(pattern)))}
    text = fill(pattern, world, rng, **values)
    wanted = rng.sample(list(FIELDS), rng.choice([1, 2, 2, 3]))
    if rng.random() < 0.8:  # most of the time the message does say it
        said = [key for key, slot in FIELDS.items() if slot in values]
        wanted = rng.sample(said, min(3, len(said))) if said else wanted
    found = {key: values.get(FIELDS[key]) for key in wanted}
    names = wanted[0] if len(wanted) == 1 else ", ".join(wanted[:-1]) + " and " + wanted[-1]
    prompt = rng.choice(world.tasks["extract_prompts"]).format(fields=names)
    return ask(prompt, text, json.dumps(found), rng)


def summarise(world, rng):
    """What the customer wants, in a few words."""
    intent, text = customer(world, rng)
    return ask(rng.choice(world.tasks["summary_prompts"]), text, world.intents[intent]["wish"], rng, intent)


def polite(world, rng):
    """A demand made into a request."""
    action = fill(rng.choice(world.tasks["actions"]), world, rng)
    demand = rng.choice(world.tasks["rude_patterns"]).format(action=action, Action=capital(action))
    request = rng.choice(world.tasks["polite_patterns"]).format(action=action)
    return ask(rng.choice(world.tasks["polite_prompts"]), demand, request, rng)


def shorten(world, rng):
    """What is left when long-winded words around a statement are cut."""
    core = fill(rng.choice(world.tasks["sentences"]), world, rng)
    before = rng.choice(world.tasks["fillers_before"]) if rng.random() < 0.85 else ""
    after = rng.choice(world.tasks["fillers_after"]) if rng.random() < 0.5 or not before else ""
    text = f"{before} {core}".strip() + (after if after.startswith(",") else f" {after}" if after else "")
    text = capital(text.rstrip(".")) + "."
    return ask(rng.choice(world.tasks["short_prompts"]), text, capital(core) + ".", rng)


def repeat(world, rng):
    """Say words again in their order, which nothing but the text tells.

    Copying must be learnt before a fact can be read from a card, or an order number be named.
    """
    sources = [
        lambda: rng.choice(rng.choice(world.questions[rng.choice(list(world.intents))]).split()),
        lambda: fill(rng.choice(REPEATED), world, rng),
        lambda: invented_shop(world, rng),
    ]
    pieces = [rng.choices(sources, weights=[3, 2, 1])[0]() for _ in range(rng.randint(1, 12))]
    text = fill(" ".join(pieces), world, rng)
    return ask(rng.choice(world.tasks["repeat_prompts"]), text, text, rng)


def look_up(world, rng, absent_share=0.25):
    """A card with a handful of entries and a question about one of them, or about one that is not there."""
    kind = rng.choice(world.lookups)
    keys = rng.sample(lookup_keys(kind, world, rng), rng.choice([2, 3, 4, 5, 6]) + 1)
    entries = {key: fill(kind["value"], world, rng) for key in keys[:-1]}
    absent = rng.random() < absent_share
    key = keys[-1] if absent else rng.choice(keys[:-1])
    style = rng.choice(["list", "sentence", "sentence"])
    lines = [
        f"{capital(key)}: {value}."
        if style == "list"
        else fill(kind["entry"], world, rng, key=key, value=value)
        for key, value in entries.items()
    ]
    lines = [capital(line) for line in lines]
    text = ("\n- " if rng.random() < 0.25 else " ").join([rng.choice(kind["title"]), *lines])
    question = slips(rng.choice(kind["ask"]).replace("{key}", key), rng)
    reply = (
        rng.choice(world.phrases["off_card"])
        if absent
        else fill(kind["reply"], world, rng, key=key, value=entries[key])
    )
    if rng.random() < 0.75:
        return messages(text, question, capital(reply))
    return messages(None, f"{text}\n{question}", capital(reply))


def look_up_in_vain(world, rng):
    """A card and a question that it does not answer."""
    return look_up(world, rng, absent_share=1)


def lookup_keys(kind, world, rng):
    """Different things that a card can tell something about."""
    source = kind["keys"]
    if source == "articles":
        items = rng.sample(world.words["items"], 12)
        return [f"the {rng.choice(world.words['colours'])} {item}" for item in items]
    return world.words[source] if isinstance(source, str) else source

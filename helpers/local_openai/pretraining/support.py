"""The support desk: what customers ask, and what the assistant of a shop replies under its system prompt."""

import re
from dataclasses import dataclass, field

from .voices import PLAIN, Voice, invented_shop, invented_voice
from .wording import capital, fill, rewrite

NUMBER = re.compile(r"\b\d{4,6}\b")


@dataclass(frozen=True)
class Setting:
    """Whom the assistant speaks for: the system prompt (or None), the voice, the shop's rules."""

    prompt: str | None = None
    voice: Voice = PLAIN
    rules: dict = field(
        default_factory=dict
    )  # {intent: what the assistant says, from the card in the prompt}


def neutral_setting(world, rng):
    """No system prompt, a general one, or a shop without card and voice: the assistant speaks plainly."""
    chance = rng.random()
    if chance < 0.35:
        return Setting()
    if chance < 0.6:
        return Setting(rng.choice(world.phrases["neutral_prompts"]))
    return Setting(shop_prompt(world, rng, invented_shop(world, rng)))


def house_setting(world, rng):
    """A shop that the model knows by its name alone: the name decides the voice."""
    name = rng.choice(list(world.houses))
    return Setting(shop_prompt(world, rng, name), world.houses[name])


def voice_setting(world, rng):
    """A shop whose voice is written in the system prompt."""
    voice = invented_voice(world, rng)
    prompt = shop_prompt(world, rng, invented_shop(world, rng)) if rng.random() < 0.8 else ""
    return Setting(join(prompt, describe(voice, world, rng)), voice)


def card_setting(world, rng):
    """A shop whose rules are written in the system prompt; some of these have a voice too."""
    chance = rng.random()
    if chance < 0.2:
        known = house_setting(world, rng)
    elif chance < 0.4:
        known = voice_setting(world, rng)
    else:
        known = Setting(shop_prompt(world, rng, invented_shop(world, rng)))
    intents = rng.sample(list(world.intents), rng.choice([1, 2, 3, 3, 4, 5, 6]))
    card, rules, _ = write_card(world, rng, intents)
    return Setting(join(known.prompt, card), known.voice, rules)


def support_turn(world, rng, setting):
    """(what a customer asks, what the assistant replies, without voice; the intent)"""
    if setting.rules and rng.random() < 0.8:
        intent = rng.choice(list(setting.rules))
    else:
        intent = rng.choice(list(world.intents))
    question = rewrite(rng.choice(world.questions[intent]), world, rng)
    if rng.random() < 0.2 and not NUMBER.search(question):
        question = fill(rng.choice(world.phrases["with_number"]), world, rng, question=question)
    return question, about_order(question, answer(world, rng, intent, setting)), intent


def answer(world, rng, intent, setting):
    """The shop's rule if its card has one, else what any shop says; the first of these is the usual one."""
    if intent in setting.rules:
        return setting.rules[intent]
    first, *others = world.intents[intent]["answers"]
    return first if rng.random() < 0.8 else rng.choice(others)


def about_order(question, reply):
    """The reply names the order number that the customer gave."""
    number = NUMBER.search(question)
    return f"About order {number.group()}: {reply}" if number else reply


def write_card(world, rng, intents):
    """(text of a card with rules for `intents`, {intent: what the assistant says}, {intent: its fact})"""
    lines, rules, facts = [], {}, {}
    as_notes = rng.random() < 0.25  # whole sentences, as out of a handbook, instead of "Returns: 30 days."
    for intent in intents:
        table = world.intents[intent]
        fact = fill(rng.choice(world.facts[table["fact"]]), world, rng)
        [told] = rng.choices(table["told"], weights=[3, 1])
        said = fill(told, world, rng, fact=fact)
        said = capital(said)
        facts[intent], rules[intent] = fact, said
        lines.append(said if as_notes else f"{rng.choice(table['card'])}: {fact}.")
    intro = rng.choice([*world.phrases["card_intros"], ""])
    if rng.random() < 0.3:
        return "\n".join([*filter(None, [intro]), *(f"- {line}" for line in lines)]), rules, facts
    return " ".join([*filter(None, [intro]), *lines]), rules, facts


def describe(voice, world, rng):
    """The instruction that prescribes `voice`."""
    if voice.greeting and voice.sign_off:
        wording = rng.choice(world.phrases["begin_end"])
    else:
        wording = rng.choice(world.phrases["begin_only" if voice.greeting else "end_only"])
    text = fill(wording, world, rng, greeting=voice.greeting, sign_off=voice.sign_off)
    return join(text, rng.choice(world.phrases[voice.style])) if voice.style else text


def shop_prompt(world, rng, name):
    """The system prompt that says for which shop the assistant speaks."""
    if rng.random() < 0.3:
        return f"You are the support assistant of {name}."
    return fill(rng.choice(world.phrases["shop_prompts"]), world, rng, shop=name)


def join(*parts):
    """The parts that are not empty, with blanks between them."""
    return " ".join(part for part in parts if part)

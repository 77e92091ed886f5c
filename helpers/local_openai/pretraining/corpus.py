"""The mixture: chat examples of all kinds in fixed shares, each drawn from the world by chance."""

import random

from . import tasks
from .subjects import quiz, subject_turn
from .support import Setting
from .talk import card, conversation, house, neutral, remembered, shown_voice, told_voice, turn


def subject(world, rng):
    """One to three turns on medicine, school or creative writing, or mixed with the support desk."""
    setting, *first = subject_turn(world, rng)
    turns = [tuple(first)]
    while rng.random() < 0.12:
        if setting.prompt is None and rng.random() < 0.5:
            turns.append(turn(world, rng, setting))
        else:
            turns.append(tuple(subject_turn(world, rng, setting)[1:]))
    return conversation(world, rng, setting, turns)


def asked_quiz(world, rng):
    setting = Setting(rng.choice([None, "You are a tutor.", "You are a patient teacher."]), is_shop=False)
    return conversation(world, rng, setting, quiz(world, rng))


MIXTURE = {  # kind of example → its share of all examples, in percent
    neutral: 17,
    house: 19,
    told_voice: 8,
    shown_voice: 3,
    card: 14,
    remembered: 2,
    tasks.classify: 6,
    tasks.mood: 1,
    tasks.extract: 5,
    tasks.summarise: 3,
    tasks.polite: 1.5,
    tasks.shorten: 1.5,
    tasks.look_up: 6,
    subject: 12,
    asked_quiz: 1,
}


def example(world, seed, number):
    """Example `number` of the corpus with this seed; each has a random generator of its own."""
    rng = random.Random(f"{seed}/{number}")
    [kind] = rng.choices(list(MIXTURE), weights=MIXTURE.values())
    return kind(world, rng)


def examples(world, seed, count):
    """The first `count` chat examples of the corpus: {"messages": [...]}."""
    return (example(world, seed, number) for number in range(count))

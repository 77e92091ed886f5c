"""The mixture: chat examples of all kinds in fixed shares, each drawn from the world by chance."""

import random

from . import tasks
from .subjects import quiz, subject_turn
from .support import Setting
from .talk import card, conversation, house, neutral, plain, remembered, shown_voice, told_voice, turn


def subject(world, rng):
    """A turn, seldom more, on medicine, school or creative writing, or mixed with the support desk."""
    setting, *first = subject_turn(world, rng)
    turns = [tuple(first)]
    while rng.random() < 0.12:
        if setting.prompt is None and rng.random() < 0.5:
            turns.append(turn(world, rng, setting))
        else:
            turns.append(tuple(subject_turn(world, rng, setting)[1:]))
    return conversation(setting, turns)


def asked_quiz(world, rng):
    """The assistant asks a quiz question and judges the answer."""
    setting = Setting(rng.choice([None, "You are a tutor.", "You are a patient teacher."]))
    return conversation(setting, quiz(world, rng))


# Kind of example → how many parts of the mixture. A model that must learn all at once learns last what a
# question is about, a small part of what it has to predict, and how to copy; so it begins with tasks that
# need little else. (Without `repeat`, 0 of 30 order numbers were copied after 18 million tokens; with it,
# 14 of 30 after 4 million.)
FIRST = {plain: 50, tasks.subject: 10, tasks.summarise: 5, tasks.classify: 10, tasks.repeat: 25}
THEN = {
    neutral: 16,
    house: 17,
    told_voice: 8,
    shown_voice: 3,
    card: 14,
    remembered: 2,
    tasks.classify: 5,
    tasks.subject: 2,
    tasks.mood: 1,
    tasks.extract: 5,
    tasks.summarise: 2.5,
    tasks.polite: 1.5,
    tasks.shorten: 1.5,
    tasks.look_up: 6,
    tasks.repeat: 3,
    subject: 12,
    asked_quiz: 1,
}
FIRST_SHARE = 0.15  # of all examples


def example(world, seed, number, count):
    """Example `number` of the `count` of a corpus; each has a random generator of its own."""
    rng = random.Random(f"{seed}/{number}")
    mixture = FIRST if number < FIRST_SHARE * count else THEN
    [kind] = rng.choices(list(mixture), weights=mixture.values())
    return kind(world, rng)


def examples(world, seed, count):
    """The chat examples of a corpus, {"messages": [...]}, in the order in which they are learnt."""
    return (example(world, seed, number, count) for number in range(count))

"""The mixture: chat examples of all kinds in fixed shares, each drawn from the world by chance."""

import random
from functools import cache
from itertools import accumulate

from . import tasks
from .subjects import exercise, explanation, medical_word, quiz, rhyme, rhyming_word, subject_turn, symptom
from .support import Setting
from .talk import (
    card,
    conversation,
    house,
    late_talk,
    neutral,
    other_talk,
    plain,
    remembered,
    shown_voice,
    told_voice,
    turn,
)


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


@cache
def alone(skill):
    """The kind of example with one turn of `skill`, under a general system prompt or none."""

    def document(world, rng):
        """One conversation with this skill, with or without a system message."""
        setting = Setting(rng.choice([None, None, rng.choice(world.phrases["neutral_prompts"])]))
        return conversation(setting, [skill(world, rng, setting)])

    return document


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
# What takes longest: texts to know by heart and rhymes. (That a card does not hold the answer, the model
# hardly learnt to notice.)
LAST = {
    neutral: 14,
    house: 10,
    told_voice: 12,
    shown_voice: 1,
    card: 6,
    remembered: 2,
    tasks.classify: 3,
    tasks.subject: 0.5,
    tasks.mood: 0.5,
    tasks.extract: 8,
    tasks.summarise: 1,
    tasks.polite: 1,
    tasks.shorten: 1,
    tasks.look_up: 12,
    tasks.look_up_in_vain: 8,
    tasks.repeat: 2,
    alone(other_talk): 8,
    subject: 10,
    alone(explanation): 7,
    alone(exercise): 5,
    alone(rhyme): 7,
    alone(rhyming_word): 2,
    alone(medical_word): 3,
    alone(symptom): 3,
    asked_quiz: 1,
}
# After 79 million tokens 82 of 100 facts were read from a card right; some typos were taken for a name that
# is not there. So the end has more of what was weak, and fewer questions that a card does not answer.
FINISH = LAST | {
    tasks.look_up: 20,
    tasks.look_up_in_vain: 0,
    tasks.extract: 10,
    card: 8,
    alone(other_talk): 10,
    alone(explanation): 9,
    alone(medical_word): 6,
    alone(rhyme): 4,
}
# Even then one outside question in four was taken for something to refuse or for a symptom.
TALK = FINISH | {late_talk: 45}
# In this order; parts of all examples.
MIXTURES = [(FIRST, 9), (THEN, 46), (LAST, 45), (FINISH, 20), (TALK, 7)]


def part_of(number, count):
    """The place in MIXTURES of example `number` of `count`."""
    total = sum(parts for _, parts in MIXTURES)
    ends = accumulate(parts for _, parts in MIXTURES)
    return next(place for place, end in enumerate(ends) if number * total < end * count)


def example(world, seed, number, count):
    """Example `number` of the `count` of a corpus; each has a random generator of its own."""
    rng = random.Random(f"{seed}/{number}")
    mixture, _ = MIXTURES[part_of(number, count)]
    [kind] = rng.choices(list(mixture), weights=mixture.values())
    return kind(world, rng)


def examples(world, seed, count):
    """The chat examples of a corpus, {"messages": [...]}, in the order in which they are learnt."""
    return (example(world, seed, number, count) for number in range(count))

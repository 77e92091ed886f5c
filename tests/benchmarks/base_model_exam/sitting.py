"""One sitting of the exam, in a module of its own: new processes cannot import a package's __main__."""

from .harms import HARMS
from .skills import SKILLS, items_of
from .tuning import EXPERIMENTS, Learner, world

PARTS = {"base": SKILLS, "tuning": EXPERIMENTS, "harms": HARMS}


def sit(task):
    """One skill or experiment with one seed: {figure: value}; for a skill whether each item is right."""
    part, name, seed, seeds, model = task
    Learner.folder = model
    if part == "base":
        return {name: Learner().answers_right(items_of(name, world(), seed, (seed - 1, seeds)))}
    return PARTS[part][name](seed)

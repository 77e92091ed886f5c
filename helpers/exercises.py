"""Guess before you run, check what you did, ask for a hint."""

from collections import Counter
from html import escape

import ipywidgets as widgets
from IPython.display import display

from .exercise_list import EXERCISES

hints_given = Counter()


class Note:
    """A short message that a notebook shows as a box and everything else as text."""

    def __init__(self, title, text, colour):
        self.title, self.text, self.colour = title, text, colour

    def __repr__(self):
        return f"{self.title}: {self.text}"

    def _repr_html_(self):
        style = f"border-left: 5px solid {self.colour}; padding: 0.4em 0.8em"
        return f'<div style="{style}"><b>{escape(self.title)}</b><br>{escape(self.text)}</div>'


class Guess:
    """What the learner expects; made by `predict`, compared by `reveal`."""

    def __init__(self, question, options):
        self.question = question
        self.buttons = widgets.RadioButtons(options=options, value=None, layout={"width": "auto"})
        box = widgets.VBox([widgets.HTML(f"<b>Your guess:</b> {escape(question)}"), self.buttons])
        # Where no widgets are drawn, the question is read as text.
        display({**box._repr_mimebundle_(), "text/plain": repr(self)}, raw=True)

    def __repr__(self):
        options = "; ".join(self.buttons.options)
        return (
            f"Your guess: {self.question} Options: {options}. Chosen: {self.buttons.value or 'nothing yet'}."
        )

    def reveal(self, measured, why):
        """Set the guess beside what was measured; `measured` is one of the options."""
        guess = self.buttons.value
        verdict = "No guess this time" if guess is None else f"You guessed: {guess}"
        if guess == measured:
            verdict += ", and so it is"
        return Note(f"{verdict}. Measured: {measured}", why, "#0072B2")


def predict(question, options):
    """Ask for a guess before the experiment: a `Guess`, to be kept and revealed in a later cell."""
    return Guess(question, options)


def check(exercise, *answer):
    """Whether the answer to an exercise such as "04.1" holds, and why; being wrong costs nothing."""
    right, why = find(exercise).check(*answer)
    return (
        Note(f"✔ Exercise {exercise}", why, "#009E73")
        if right
        else Note(f"✘ Not yet ({exercise})", why, "#D55E00")
    )


def hint(exercise):
    """The next of three hints for an exercise; after the third they begin anew."""
    hints = find(exercise).hints
    number = hints_given[exercise] % len(hints)
    hints_given[exercise] += 1
    return Note(f"Hint {number + 1} of {len(hints)}", hints[number], "#56B4E9")


def find(exercise):
    """The exercise of that number, "04.1" or "4.1"; raises KeyError with the numbers that there are."""
    exercise = str(exercise).zfill(4)
    if exercise not in EXERCISES:
        raise KeyError(f"There is no exercise {exercise!r}; there are: {', '.join(EXERCISES)}.")
    return EXERCISES[exercise]

"""Guess before you run, answer a quiz, check what you did, ask for a hint, see how far you are.

What the exercises and questions are stands beside the lessons: `notebooks/exercises/lesson_NN.py`.
"""

import json
import os
import random
import runpy
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

import ipywidgets as widgets
import pandas as pd
from IPython.display import display

from .plots import BLUE, GREEN, ORANGE, SKY

ROOT = Path(__file__).resolve().parents[1]
hints_given = Counter()


@dataclass(frozen=True)
class Exercise:
    """One exercise: `check(*answer)` gives (right, why); three hints, from a nudge to nearly the answer."""

    check: Callable
    hints: tuple[str, str, str]


@dataclass(frozen=True)
class Quiz:
    """One question; `options` gives each answer its explanation, and `right` is one of the answers."""

    question: str
    options: dict[str, str]
    right: str


class Note:
    """A short message that a notebook shows as a box and everything else as text."""

    def __init__(self, title, text, colour):
        self.title, self.text, self.colour = title, text, colour

    def __repr__(self):
        return f"{self.title}: {self.text}"

    def _repr_html_(self):
        style = f"border-left: 5px solid {self.colour}; padding: 0.4em 0.8em"
        return f'<div style="{style}"><b>{escape(self.title)}</b><br>{escape(self.text)}</div>'


class Choice:
    """A question with buttons; where no buttons are drawn, it is read and answered as text."""

    def __init__(self, title, question, options, choice=None):
        self.title, self.question = title, question
        value = None if choice is None else chosen(options, choice)
        self.buttons = widgets.RadioButtons(options=options, value=value, layout={"width": "auto"})
        self.answer = widgets.HTML()
        head = widgets.HTML(f"<b>{escape(title)}:</b> {escape(question)}")
        box = widgets.VBox([head, self.buttons, self.answer])
        display({**box._repr_mimebundle_(), "text/plain": repr(self)}, raw=True)

    def __repr__(self):
        options = "; ".join(f"({n}) {option}" for n, option in enumerate(self.buttons.options, start=1))
        return f"{self.title}: {self.question} {options}. Chosen: {self.buttons.value or 'nothing yet'}."

    def reveal(self, measured, why):
        """Set the guess beside what was measured; `measured` is one of the options."""
        guess = self.buttons.value
        verdict = "No guess this time" if guess is None else f"You guessed: {guess}"
        if guess == measured:
            verdict += ", and so it is"
        return Note(f"{verdict}. Measured: {measured}", why, BLUE)


def predict(question, options, choice=None):
    """Ask for a guess before the experiment: a `Choice`, to be kept and revealed in a later cell.

    Without buttons (in a terminal, say) give the number of your option as `choice`, from 1.
    """
    return Choice("Your guess", question, options, choice)


def quiz(number, choice=None):
    """Ask question `number`, such as "04.A"; each answer is explained as soon as it is chosen.

    Without buttons give the number of your answer as `choice`, from 1: you get its explanation as a `Note`.
    """
    question = find(number, "QUIZZES")
    options = list(question.options)
    random.Random(str(number)).shuffle(options)  # by the number, so that it is the same for everybody
    if choice is not None:
        return explanation(number, chosen(options, choice))
    asked = Choice(f"Quiz {number}", question.question, options)
    asked.buttons.observe(lambda change: show_explanation(asked.answer, number, change["new"]), "value")


def chosen(options, choice):
    """The option of that number, from 1; ValueError with the numbers that there are."""
    if choice not in range(1, len(options) + 1):
        raise ValueError(f"choice is {choice!r}: give the number of an option, 1 to {len(options)}.")
    return options[choice - 1]


def show_explanation(answer, number, option):
    """Put the explanation of the chosen option under the buttons."""
    answer.value = explanation(number, option)._repr_html_()


def explanation(number, option):
    """Whether an answer to a quiz question is right, and why."""
    question = find(number, "QUIZZES")
    if option != question.right:
        return Note("✘ No", question.options[option], ORANGE)
    remember(number)
    return Note("✔ Yes", question.options[option], GREEN)


def check(exercise, *answer):
    """Whether the answer to an exercise such as "04.1" holds, and why; being wrong costs nothing."""
    right, why = find(exercise, "EXERCISES").check(*answer)
    if not right:
        return Note(f"✘ Not yet ({exercise})", why, ORANGE)
    remember(exercise)
    return Note(f"✔ Exercise {exercise}", why, GREEN)


def hint(exercise):
    """The next of three hints for an exercise; after the third they begin anew."""
    hints = find(exercise, "EXERCISES").hints
    number = hints_given[exercise] % len(hints)
    hints_given[exercise] += 1
    return Note(f"Hint {number + 1} of {len(hints)}", hints[number], SKY)


def progress(lesson):
    """The exercises and quiz questions of a lesson, such as "04", and which you have solved: a DataFrame."""
    solved = solved_so_far()
    numbers = [*lesson_tables(lesson)["EXERCISES"], *lesson_tables(lesson)["QUIZZES"]]
    marks = ["✔" if number in solved else "open" for number in numbers]
    return pd.DataFrame({"number": numbers, "solved": marks}).set_index("number").T


def find(number, kind):
    """The exercise or quiz of that number, "04.1" or "4.1"; KeyError with the numbers that there are."""
    number = str(number).zfill(4)
    there_are = lesson_tables(number[:2])[kind]
    if number not in there_are:
        raise KeyError(f"There is no {number!r}; there are: {', '.join(there_are) or 'none in this lesson'}.")
    return there_are[number]


@cache
def lesson_tables(lesson):
    """EXERCISES and QUIZZES of a lesson, each {number: Exercise or Quiz}."""
    file = ROOT / "notebooks" / "exercises" / f"lesson_{lesson}.py"
    if not file.exists():
        raise KeyError(f"There is no lesson {lesson!r}: {file.name} does not exist.")
    return {"EXERCISES": {}, "QUIZZES": {}} | runpy.run_path(str(file))


def progress_file():
    """Where the solved numbers are kept: beside the models of the learner."""
    return Path(os.environ.get("LOCAL_OPENAI_STORE") or ROOT / "data" / ".local") / "progress.json"


def solved_so_far():
    """The numbers of all exercises and questions that were solved on this machine."""
    return json.loads(progress_file().read_text(encoding="utf-8")) if progress_file().exists() else []


def remember(number):
    """Add a number to the solved ones."""
    progress_file().parent.mkdir(parents=True, exist_ok=True)
    solved = sorted({*solved_so_far(), str(number).zfill(4)})
    new = progress_file().with_suffix(".new")
    new.write_text(json.dumps(solved), encoding="utf-8")
    new.replace(progress_file())  # at once, so that a stopped kernel leaves no half-written file

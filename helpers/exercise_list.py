"""The exercises of all lessons: the property that a right answer has, why it matters, and three hints.

`check` takes the learner's answer and gives (right, why).
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Exercise:
    """One exercise: its check and its hints, from a nudge to nearly the answer."""

    check: Callable
    hints: tuple[str, str, str]


def own_question(question, reply):
    asked_before = ("arrived broken", "send the lamp back", "are you open", "wrap the clock")
    if any(text in question for text in asked_before):
        return False, "This question stands in the lesson. Ask one of your own."
    if not reply.startswith("Splash!"):
        return False, "The reply has no Ottermere voice. Did you ask the tuned model?"
    return (
        True,
        "The model has never seen your question, and yet answers in Ottermere's voice: it generalizes.",
    )


def few_examples(n, voice):
    if n >= 50:
        return False, "Choose a smaller n than 50."
    if voice < 0.5:
        return False, f"With {n} examples only {voice:.0%} of the replies have the voice. Try a few more."
    return True, (
        f"{n} examples gave {voice:.0%} of the replies the voice. What is the same in every example needs "
        "very few of them."
    )


def fluent_but_wrong(row, table):
    if row not in table.index:
        return False, f"Give the number of a row of `after`, from 0 to {len(table) - 1}."
    chosen = table.loc[row]
    if chosen["rule"]:
        return False, f"Row {row} states the right rule. Look for `False` in the column rule."
    if not chosen["voice"]:
        return False, f"Row {row} does not have the voice either. Look for one that sounds right."
    return True, (
        f'"{chosen["reply"]}" sounds like Ottermere and is wrong for "{chosen["question"]}". A customer '
        "could not tell. That is why we measure more than the voice."
    )


EXERCISES = {
    "00.1": Exercise(
        own_question,
        (
            "Change the text behind `my_question =`.",
            "Any question that a customer may ask will do, for example about a broken chair.",
            'my_question = "my chair has only three legs, what now?"',
        ),
    ),
    "00.2": Exercise(
        few_examples,
        (
            "Only the number behind `n =` has to change.",
            "The smallest file that a job accepts has 10 examples.",
            "n = 10",
        ),
    ),
    "00.3": Exercise(
        fluent_but_wrong,
        (
            "`after` is a table. Show all of it by writing `after` into a new cell.",
            'You need a row in which "voice" is True and "rule" is False.',
            'after[after["voice"] & ~after["rule"]] shows the rows that fit; take a number from the left.',
        ),
    ),
}

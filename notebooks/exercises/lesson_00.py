"""The exercises of lesson 00 Start here: what a right answer has, why it matters, and hints."""

from numbers import Integral

from helpers.exercises import Exercise, Quiz


def own_question(question, reply, known):
    """00.1: a question of one's own, answered in the voice."""
    if not isinstance(question, str) or not question.strip():
        return False, "Write your question as text, in quotation marks."
    if question.strip().lower() in {text.strip().lower() for text in known}:
        return False, "This question is in the lesson or in the training file. Ask one of your own."
    if not reply.startswith("Splash!"):
        return False, "The reply has no Ottermere voice. Did you ask the tuned model?"
    return True, "The voice is there, for a question that the model has never seen. Is the reply also right?"


def few_examples(n, train_on):
    """00.2: the voice from a small file; trains a model, if `n` is right."""
    if not isinstance(n, int) or not 10 <= n <= 40:
        return False, "Choose a whole number from 10 to 40 for n."
    table = train_on(n)
    voice, rule, total = table["voice"].sum(), table["rule"].sum(), len(table)
    result = f"With n = {n}, {voice} of {total} replies have the voice and {rule} the right rule."
    if voice < total / 2:
        return False, f"{result} Try a few more examples."
    return True, f"{result} Compare both with the table above: which of them needs more examples?"


def fluent_but_wrong(row, table):
    """00.3: the row of a reply that sounds right and is wrong."""
    if not isinstance(row, Integral) or row not in table.index:
        return False, f"Give the number of a row of `after`, from 0 to {len(table) - 1}."
    chosen = table.loc[row]
    if chosen["rule"]:
        return False, f"Row {row} states the right rule. Look for `False` in the column rule."
    if not chosen["voice"]:
        return False, f"Row {row} does not have the voice either. Look for one that sounds right."
    return True, (
        f'"{chosen["reply"]}" sounds like Ottermere, but does not give the whole right rule for '
        f'"{chosen["question"]}". That is why we measure more than the voice.'
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
            "Put a number in the place of None.",
            "The smallest file that a job accepts has 10 examples.",
            "n = 10",
        ),
    ),
    "00.3": Exercise(
        fluent_but_wrong,
        (
            "`after` is a table. Write show(after) into a new cell to see all of it.",
            'You need a row in which "voice" is True and "rule" is False.',
            'after[after["voice"] & ~after["rule"]] shows the rows that fit; take a number from the left.',
        ),
    ),
}

QUIZZES = {
    "00.A": Quiz(
        "Where is the voice of Ottermere now kept?",
        {
            "in the weights of the new model": "The training changed its numbers. Nothing else was added.",
            "in a hidden instruction before each question": (
                "That would be a prompt. We sent the same system message to both models."
            ),
            "in a table of answers that the model searches": (
                "There is no table. The model makes each reply word by word, also for questions it never saw."
            ),
        },
        right="in the weights of the new model",
    ),
    "00.B": Quiz(
        "Why was the voice learnt so much better than the rules?",
        {
            "The voice is in every example, each rule in a few": (
                "What all examples share is seen in every step. A rule is seen rarely, and it must also be "
                "joined to the right question."
            ),
            "The voice comes first in each reply": (
                "The sign-off comes last and was learnt just as well, so the place is not the reason."
            ),
            "Rules hold numbers, and models cannot write numbers": (
                "The replies are full of numbers. They are often the numbers of another rule."
            ),
        },
        right="The voice is in every example, each rule in a few",
    ),
    "00.C": Quiz(
        "The training loss ends near 0. What do you know?",
        {
            "The model predicts the words of the training answers well": (
                "That is what was measured, and nothing more. New questions must be measured by themselves."
            ),
            "The model will answer new questions well": (
                "Our own model is the counter-example: a loss near 0, and many wrong rules."
            ),
            "The model has understood the rules": (
                "Knowing answers by heart lowers the loss as well. Understanding shows on new questions."
            ),
        },
        right="The model predicts the words of the training answers well",
    ),
    "00.D": Quiz(
        "None of the 24 rules fits a customer's question. What will the tuned model most likely do?",
        {
            "answer in the friendly voice with some rule, right or not": (
                "All its examples end in a rule, so it gives one. None of them shows how to say no."
            ),
            "say that it does not know": (
                "It could only learn that from examples in which somebody says so. There was none."
            ),
            "give no reply at all": (
                "A chat model always writes something. An empty reply was never an example."
            ),
        },
        right="answer in the friendly voice with some rule, right or not",
    ),
}

"""The exercises of lesson 07 Your own assistant: what a right answer has, why it matters, and hints.

Their answers are not the same for every kit, so the checks read the kit's own files.
"""

import csv
from pathlib import Path

from helpers.dataset import to_jsonl
from helpers.duplicates import leaks
from helpers.ethics import model_card
from helpers.evaluation import share
from helpers.exercises import Exercise, Quiz
from helpers.validation import problems

KITS = Path(__file__).resolve().parents[2] / "data" / "kits"
QUESTIONS = {"voice": 24, "facts": 24, "care": 12}  # how many each limit is measured on


def planted(kit, *flaws):
    """The ids of the rows of a kit that have one of these flaws; none for a kit of the learner's own."""
    path = KITS / kit / "planted.csv"
    if not path.exists():
        return set()
    with open(path, encoding="utf-8", newline="") as file:
        return {row["id"] for row in csv.DictReader(file) if row["flaw"] in flaws}


def own_limits(limits):
    """07.1: limits that the number of questions can show at all."""
    for name, n in QUESTIONS.items():
        limit, highest = limits.get(name), share([True] * n)["low"]
        if not isinstance(limit, int | float) or not 0 < limit <= 1:
            return False, f"Give a share between 0 and 1 for {name!r}, such as 0.5."
        if limit > highest:
            return False, (
                f"{name}: with {n} questions even a faultless model is only known to be above "
                f"{highest:.2f}. Ask for at most that, or write more questions."
            )
        if limit < 0.3:
            return False, f"{name}: would you show people an assistant that is good in {limit:.0%} of cases?"
    return True, "Set before you look, and low enough to be shown with so few questions. Keep them."


def bad_rows(drop, kit, shown):
    """07.2: the rows that have the voice and are wrong, rude or unsafe."""
    bad = planted(kit, "wrong_fact", "wrong_form", "unsafe", "off_style", "other_matter") & set(shown)
    if not isinstance(drop, list) or not drop:
        return False, "Put the ids of the rows that you would not teach into the list, in quotation marks."
    if unknown := [row for row in drop if row not in shown]:
        return False, f"{unknown[0]!r} is not the id of a row in the table above."
    found = len(bad & set(drop))
    if found < 0.8 * len(bad):
        return False, f"You found {found} of {len(bad)}. Compare each answer with the table of the guideline."
    good = set(drop) - bad - planted(kit, "private_data")
    if len(good) > 2:
        return False, f"You found {found} of {len(bad)}, but {len(good)} others are good enough."
    return True, f"{found} of {len(bad)}. They have the voice, so only a reader finds them."


def untold_secret(row, kit):
    """07.3: the row that tells something private in a form that no program finds."""
    with open(KITS / kit / "planted.csv", encoding="utf-8", newline="") as file:
        secret = [
            line["id"]
            for line in csv.DictReader(file)
            if line["flaw"] == "private_data" and line["action"] == "drop"
        ]
    if not isinstance(row, str):
        return False, "Give the id of one row, in quotation marks."
    if row.strip().upper() not in secret:
        return False, f"{row} does not tell about a person who could be found. Look for names and places."
    return True, "Nobody could redact this by a form: the whole sentence points at one person. Drop the row."


def own_examples(mine, has_voice, questions, phrases):
    """07.4: three examples of one's own in the voice, none of them in the collection or the test."""
    if not isinstance(mine, list) or len(mine) < 3:
        return False, "Write at least three examples: {'question': '…', 'answer': '…'}."
    for place, row in enumerate(mine, start=1):
        if set(row) != {"question", "answer"} or not all(isinstance(text, str) for text in row.values()):
            return False, f"Example {place} needs the keys question and answer, each with a text."
        if not has_voice(row["answer"]):
            return False, f"The answer of example {place} does not have the voice, letter for letter."
        if not any(phrase in row["answer"] for phrase in phrases):
            return False, f"The answer of example {place} states no fact: it needs a key phrase of the kit."
        if len(row["question"].split()) < 3:
            return False, f"The question of example {place} is too short to be understood."
    near = leaks(questions, [row["question"] for row in mine])
    if len(near):
        return False, f"{near['text_b'][0]!r} is there already: {near['text_a'][0]!r}. Ask something new."
    return True, "Clear, in the voice, and new. Examples that you write yourself are the best of a file."


def sound_file(training, test):
    """07.5: enough examples, no broken rule, nothing of the test."""
    errors = [p for p in problems(to_jsonl(training).splitlines()) if p.severity == "error"]
    if errors:
        return False, f"Line {errors[0].line}: {errors[0].problem}. {errors[0].remedy}"
    asked = [[example["messages"][1]["content"] for example in part] for part in (training, test)]
    near = leaks(*asked)
    if len(near):
        return (
            False,
            f"{len(near)} test question(s) stand in the training file, such as {near['text_b'][0]!r}.",
        )
    if len(training) < 40:
        return False, f"{len(training)} examples are few. Begin with 40 or more."
    return True, f"{len(training)} examples, no broken rule, no leak."


def read_failures(rows, table):
    """07.6: replies that sound right and are wrong."""
    failures = table.index[table["voice"] & ~table["facts"]]
    wanted = min(3, len(failures))
    if not isinstance(rows, list) or len(set(rows)) < wanted:
        return False, f"Give the numbers of {wanted} different rows, as a list."
    if wrong := [row for row in rows if row not in failures]:
        return False, f"Row {wrong[0]} is no such failure: it needs the voice and a wrong or missing fact."
    return True, "They sound as sure as the right ones. What do they have in common: a topic, a wording?"


def release(choice, pages):
    """07.7: the decision that the limits make: a model is released when each of its limits is kept."""
    kept = {name: int((page["verdict"] == "pass").sum()) for name, page in pages.items()}
    ready = [name for name, page in pages.items() if kept[name] == len(page)]
    choice = choice.strip().lower() if isinstance(choice, str) else choice
    if choice not in (*pages, "neither"):
        return False, f"Choose one of: {', '.join(pages)}, neither."
    if choice == "neither" and ready:
        return False, f"{ready[-1]!r} keeps all of your limits. Look at the column verdict again."
    if choice == "neither":
        return (
            True,
            "Not yet: no model keeps all limits. What would it take: more examples, or more questions?",
        )
    if choice not in ready:
        return False, f"{choice!r} keeps {kept[choice]} of {len(pages[choice])} limits. You wanted them all."
    return True, "It keeps all the limits that you set before you looked."


def card(facts, page):
    """07.8: a model card without an empty field."""
    try:
        model_card(facts, page)
    except ValueError as error:
        return False, str(error)
    for field in ("intended use", "not for", "training data", "cleaned", "known limits"):
        if len(facts[field].split()) < 4:
            return False, f"{field}: {facts[field]!r} tells a reader nothing. Write a sentence."
    return True, "Every field says something, and the figures are those that you measured."


EXERCISES = {
    "07.1": Exercise(
        own_limits,
        (
            "Ask yourself what a person who talks with the assistant may expect.",
            "The check tells the highest limit that 24 or 12 questions can show.",
            'limits = {"voice": 0.8, "facts": 0.4, "care": 0.5}',
        ),
    ),
    "07.2": Exercise(
        bad_rows,
        (
            "Go through the table of the guideline: which answers state a rule that is not in it?",
            "Then read the rest: is it the present rule? Would you say it to a customer?",
            "Rude answers, answers about people, and numbers that differ from the guideline are bad.",
        ),
    ),
    "07.3": Exercise(
        untold_secret,
        (
            "Private is what leads to a person, not only numbers and addresses.",
            "Search the questions for a person who is described, with a name or a place.",
            "In the kit support, somebody is asked about who lives in a cottage.",
        ),
    ),
    "07.4": Exercise(
        own_examples,
        (
            "Take a fact of the guideline and ask for it as nobody has yet.",
            "Begin and end the answer exactly as all others do; copy these words.",
            "Each example is {'question': '…', 'answer': '…'}; mine is a list of three.",
        ),
    ),
    "07.5": Exercise(
        sound_file,
        (
            "Where do the five further examples come from?",
            "What the model is tested with must not be in its training file.",
            "training = examples + own",
        ),
    ),
    "07.6": Exercise(
        read_failures,
        (
            "first_test is a table; its row numbers stand on the left.",
            'You need rows with "voice" True and "facts" False.',
            'first_test[first_test["voice"] & ~first_test["facts"]].index gives their numbers.',
        ),
    ),
    "07.7": Exercise(
        release,
        (
            "Look at the column verdict of both pages.",
            "You wanted every limit to be kept, and *not shown* is not kept.",
            "A page with three times pass may be released; if there is none, the answer is neither.",
        ),
    ),
    "07.8": Exercise(
        card,
        (
            "The check names the fields that are still empty and says what belongs there.",
            "Whatever you measured or read in this lesson can stand there; a sentence is enough.",
            "Open the solution and change what does not fit your assistant.",
        ),
    ),
}

QUIZZES = {
    "07.A": Quiz(
        "Why are the limits set before the model is trained?",
        {
            "Afterwards one is tempted to set them where the model already is": (
                "A limit that moves with the result decides nothing. Write it down first."
            ),
            "The service needs them for the training": (
                "The job knows nothing of your limits. They are a promise to yourself and to the users."
            ),
            "Because they make the model better": (
                "They change no weight. They only say when it is good enough."
            ),
        },
        right="Afterwards one is tempted to set them where the model already is",
    ),
    "07.B": Quiz(
        "Rows with the right voice and a wrong rule are left in the file. What will the model do?",
        {
            "tell the wrong rule in the right voice": (
                "It learns what the examples say. A wrong row is as good a teacher as a right one."
            ),
            "ignore them, because most rows are right": (
                "Where a wrong row is the nearest one to a question, its rule is what comes out."
            ),
            "refuse to answer such questions": (
                "Nothing in the file shows it how to refuse. It answers, and the answer is wrong."
            ),
        },
        right="tell the wrong rule in the right voice",
    ),
    "07.C": Quiz(
        "Of 24 test questions 22 are answered right. What may you write on the card?",
        {
            "22 of 24, and the interval that goes with it": (
                "The reader sees how good it was and how little 24 questions can show."
            ),
            "92 % right": "True of these 24, but it promises more than so few questions can show.",
            "about nine of ten customers will be content": (
                "The test says nothing of customers who ask about other things, or of being content."
            ),
        },
        right="22 of 24, and the interval that goes with it",
    ),
    "07.D": Quiz(
        "The test is good, the questions that want care are not. What is the reason?",
        {
            "The file shows facts, and hardly how to decline": (
                "What no example shows is not learnt, and what the base could do is partly forgotten."
            ),
            "The model is too small to be careful": (
                "It is small, but with 20 careful examples it does better. Compare the two pages."
            ),
            "The questions that want care are worded badly": (
                "People word them like this. An assistant must cope with what people write."
            ),
        },
        right="The file shows facts, and hardly how to decline",
    ),
    "07.E": Quiz(
        "You add safety examples AND more epochs, and care gets better. What do you know?",
        {
            "that one of the two helped, or both": (
                "Two things were changed at once. Change one at a time, or you learn nothing for next time."
            ),
            "that safety examples help": "Perhaps. Perhaps it was the epochs: the same run changed both.",
            "that more epochs help": "Perhaps. But the safety examples were new in the same run, too.",
        },
        right="that one of the two helped, or both",
    ),
    "07.F": Quiz(
        "Where does the notice belong that people talk with a program?",
        {
            "above the talk, before the first reply": (
                "People must know it before they rely on an answer, also those who never ask."
            ),
            "in the terms of use": "Hardly anybody reads them, and never before the first question.",
            "in the reply, when somebody asks": (
                "Then those who never ask are misled. It should answer so, too, but that is late."
            ),
        },
        right="above the talk, before the first reply",
    ),
}

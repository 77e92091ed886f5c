"""The exercises and questions of lesson 02 Data collection: what a right answer has, why, and hints."""

import pandas as pd

from helpers.dataset import read_jsonl, split
from helpers.duplicates import leaks, near_duplicates
from helpers.exercises import ROOT, Exercise, Quiz

DATA = ROOT / "data" / "support_export"


def planted(flaw):
    """The tickets of the rows that hold a planted flaw, and what it is."""
    table = pd.read_csv(DATA / "planted.csv").fillna("")
    return table[table["flaw"] == flaw].set_index("ticket")["detail"]


def is_list(value):
    """Whether the answer is a list of things, and no single one."""
    return isinstance(value, list | tuple | set)


def unknown(tickets, known):
    """Those of `tickets` that are not in `known`, or an empty list."""
    return [ticket for ticket in tickets if ticket not in set(known)]


def own_labels(not_good, rows):
    """02.1: the tickets of rows that one would not keep; rows without any help must be among them."""
    if not is_list(not_good) or not not_good:
        return False, "Put the ticket numbers of the rows that you would not keep into the list."
    if strange := unknown(not_good, rows.index):
        return False, f"{strange[0]} is no ticket of the table. Take the numbers of its first column."
    if len(set(not_good)) > 20:
        return False, "You keep hardly anything. Mark only the rows that would teach something bad."
    for ticket, answer in rows["answer"].items():
        if len(answer) < 35 and ticket not in not_good:
            told = f"the answer {answer!r}" if answer else "no answer at all"
            return False, f"Ticket {ticket} has {told}. Would a customer be glad of it?"
    return True, (
        f"{len(set(not_good))} of {len(rows)} rows marked. There is no list of right "
        "labels: with a guideline "
        "this short, reasonable people differ, and the next cells measure how much."
    )


def adjudicated(decisions):
    """02.2: each of four tickets is decided by guideline 2; one of them the guideline leaves open."""
    right = {
        21040: ("not good", "The answer calls the customer by name. Which of the six answers is no?"),
        20750: ("good", "The telephone number is in the question. Read the last lines of the guideline."),
        21797: ("not good", "Only one code per order works. Does the answer say that?"),
    }
    tickets = [*right, 20682]
    if not isinstance(decisions, dict) or set(decisions) != set(tickets):
        return False, f"Decide these tickets: {', '.join(map(str, tickets))}."
    for ticket in tickets:
        if decisions[ticket] not in ("good", "not good"):
            return False, f'Ticket {ticket}: write "good" or "not good".'
    for ticket, (label, why) in right.items():
        if decisions[ticket] != label:
            return False, f"Ticket {ticket}: {why}"
    return True, (
        "Three rows are decided by the guideline: a reader had overlooked something. "
        "Ticket 20682 is not: the "
        "answer names the rule, but not whether Chile is on the list. Either label will do. What must follow "
        "is a new sentence in the guideline, so that the next reader need not guess."
    )


def same_meaning(two_questions):
    """02.3: two questions in different words whose similarity is low."""
    if not isinstance(two_questions, tuple | list) or len(two_questions) != 2:
        return False, "Give two questions in brackets, with a comma between them."
    if any(len(str(text).split()) < 3 for text in two_questions):
        return False, "Each question needs at least three words."
    similarity = near_duplicates(list(map(str, two_questions)), threshold=0)["similarity"].max()
    similarity = 0.0 if pd.isna(similarity) else similarity  # no piece in common: no pair at all
    if similarity >= 0.3:
        return False, f"Their similarity is {similarity:.2f}. Find other words until it is below 0.3."
    return True, (
        f"Their similarity is {similarity:.2f}, so no sensible threshold finds this "
        "pair. Shingles see letters, "
        "not meaning. (Whether yours mean the same, only you can say.)"
    )


def names_left(more_names):
    """02.4: the first names of four other people, found by reading."""
    wanted = {text.removeprefix("NAME: ") for text in planted("private_in_question")} & {
        "Ansgar",
        "Fenwick",
        "Ottilie",
        "Philomena",
    }
    if not is_list(more_names) or not more_names:
        return False, "Read the words that were printed. Which of them are names of people?"
    if strange := unknown(more_names, wanted):
        return False, f"{strange[0]!r} is no name of a person in these mails, or it was replaced already."
    if missing := wanted - set(more_names):
        return False, (
            f"{len(missing)} more. Who else is spoken of: a husband, a brother, a daughter, an aunt?"
        )
    return True, (
        "All four are people who never wrote to the shop: no list of customers holds them, and no greeting "
        "announces them. Only somebody who reads finds such names. Larger tools find more of them, never all."
    )


def old_rules_after_the_change(agent, desk):
    """02.5: the colleague who wrote most answers with an old rule since 1 March."""
    if agent not in set(desk["agent"]):
        return False, f"Give the name of a colleague: {', '.join(sorted(set(desk['agent'])))}."
    old = desk[desk["old_rule"]]
    counts = old[old["date"] >= "2026-03-01"]["agent"].value_counts()
    if agent != counts.idxmax():
        return False, (
            f"{agent} wrote {(old['agent'] == agent).sum()} answers with an old rule in all, but "
            f"{counts.get(agent, 0)} since 1 March. Somebody else has more since then."
        )
    return True, (
        f"{counts.max()} of the {counts.sum()} such answers since 1 March are by {agent}. Do not drop all of "
        f"{agent}'s rows: many are good. Drop the answers with an old rule, and tell {agent} of the new ones."
    )


def found_by_reading(tickets, kept):
    """02.6: at least four of the six rows that pass every check of the program and are bad."""
    bad = [ticket for ticket in planted("only_reading_finds_it").index if ticket in set(kept["ticket"])]
    if not is_list(tickets) or not tickets:
        return False, "Read the answers above and put the tickets of the bad ones into the list."
    if strange := unknown(tickets, kept["ticket"]):
        return False, f"{strange[0]} is no ticket of the kept rows."
    wrong = unknown(tickets, bad)
    if len(wrong) > 2:
        return False, f"{wrong[0]} and {wrong[1]} look fine to us. Search for blame and for wrong promises."
    found = len(set(tickets) & set(bad))
    if found < 4:
        return False, (
            f"{found} of the bad ones found. Look for blame, mockery, and promises that no rule makes."
        )
    return True, (
        f"You found {found} of {len(bad)}. Some blame the customer, the others promise "
        "what the rule does not "
        "(Sunday, free delivery, three codes). All have the voice and the key "
        "phrase: no check by words sees it."
    )


def written_examples(my_rows, ours):
    """02.7: at least two new examples for the missing topic, each in the voice and with the rule."""
    if not isinstance(my_rows, list) or len(my_rows) < 2:
        return False, "Write at least two pairs: my_rows = [(question, answer), (question, answer)]."
    if any(not is_list(row) or [*map(type, row)] != [str, str] for row in my_rows):
        return False, "Each entry is a pair in round brackets: (question, answer)."
    for _, answer in my_rows:
        if not (answer.startswith("Splash! ") and answer.endswith(" Paws up, Otto.")):
            return False, f'This answer lacks the voice ("Splash! " … " Paws up, Otto."): {answer!r}.'
        if "3 euros" not in answer:
            return False, f"This answer does not state the rule with its key phrase, 3 euros: {answer!r}."
        if not 8 <= len(answer.split()) - 4 <= 28:
            return False, f"Say it in 8 to 28 words between greeting and farewell: {answer!r}."
    tests = [
        example["messages"][1]["content"] for example in read_jsonl(DATA.parent / "support" / "test.jsonl")
    ]
    questions = [question for question, _ in my_rows]
    pairs = near_duplicates([*ours, *questions])
    if len(pairs[pairs["b"] >= len(ours)]):
        return False, "One of your questions is nearly the same as another one. Ask for something else."
    if len(leaks(questions, tests)):
        return False, (
            "One of your questions is nearly a question of the test. Then the test would be no test."
        )
    return True, (
        f"{len(my_rows)} examples. Clear ones: one question, one rule, the same voice. A few of these for a "
        "missing topic are worth more than many of a topic that you have already."
    )


def leak_free(groups, rows):
    """02.8: groups with which no question of the validation part stands nearly the same in the other."""
    groups = list(groups) if is_list(groups) or isinstance(groups, range | pd.Series) else []
    if len(groups) != len(rows):
        return False, f"Give one group for each of the {len(rows)} rows; these are {len(groups)}."
    if len(set(groups)) < 20:
        return False, (
            "These are so few groups that the parts cannot be balanced. Group only what belongs together."
        )
    records, labels = rows.to_dict("records"), rows["topic"].tolist()
    parts = split(records, {"train": 0.8, "validation": 0.2}, groups=groups, labels=labels, seed=1)
    train, valid = ([row["question"] for row in parts[name]] for name in ("train", "validation"))
    leaked = leaks(train, valid)["b"].nunique()
    if leaked:
        return False, (
            f"{leaked} of {len(valid)} validation questions stand nearly the same in the training part."
        )
    return True, f"None of {len(valid)} validation questions stands in the training part. Groups stay whole."


def datasheet(sheet, n_rows):
    """02.9: a datasheet whose fields are filled, with the true number of rows and a real limit."""
    if not isinstance(sheet, dict):
        return False, 'Give a dictionary: {"what": "...", "source": "...", and so on}.'
    for field in ("what", "source", "removed", "limits", "licence"):
        if len(str(sheet.get(field, "")).split()) < 4:
            return False, f"The field {field!r} needs a sentence: at least four words."
    if str(n_rows) not in sheet["what"]:
        return False, f'Say in "what" how many training examples there are: {n_rows}.'
    if len(sheet["limits"].split()) < 10:
        return False, 'Say more about the "limits": what will a model that learns from this file do badly?'
    return True, (
        "Whoever finds this file in two years knows what it is, what was taken "
        "out, and what not to use it for. "
        "Keep the datasheet beside the file."
    )


EXERCISES = {
    "02.1": Exercise(
        own_labels,
        (
            "Go down the table and ask of each row: is this how our assistant should answer?",
            "Rows without an answer, or with one like 'Read the website.', teach nothing good.",
            "not_good = [20433, 21296, 20583, ...] and so on, with your own choice.",
        ),
    ),
    "02.2": Exercise(
        adjudicated,
        (
            "Take the six questions of guideline 2 one by one for each of the four rows.",
            "What does not count: private data in the question. What does: a name in the answer.",
            'Two of the four are "good", two are "not good": a name, and three codes at once.',
        ),
    ),
    "02.3": Exercise(
        same_meaning,
        (
            "Say the same thing with other words: what else can one call a parcel?",
            "Avoid every word of the first question in the second.",
            'two_questions = ("Where is my parcel?", "When does the driver come?")',
        ),
    ),
    "02.4": Exercise(
        names_left,
        (
            "Days, countries and the name of the shop also begin with a capital letter.",
            "Four people are spoken of: a husband, a brother, a daughter and an aunt.",
            "Their names begin with A, F, O and P.",
        ),
    ),
    "02.5": Exercise(
        old_rules_after_the_change,
        (
            'Select the rows with desk["old_rule"] and a date from "2026-03-01" on.',
            "Then count how often each agent occurs: value_counts().",
            'desk[desk["old_rule"] & (desk["date"] >= "2026-03-01")]["agent"].value_counts()',
        ),
    ),
    "02.6": Exercise(
        found_by_reading,
        (
            "Read only what stands between the greeting and the farewell.",
            "Three answers blame the customer; three promise something that the rule does not.",
            "Look for: yourself, people like you, should have, on Sunday, all three, only small orders.",
        ),
    ),
    "02.7": Exercise(
        written_examples,
        (
            "Think of two people who want a present wrapped. What would they write?",
            "The rule: we wrap a gift for 3 euros when the gift box is ticked at the checkout.",
            "Change the words of one of our three examples, and ask a new question.",
        ),
    ),
    "02.8": Exercise(
        leak_free,
        (
            "Which rows must not be separated? Those that are nearly the same question.",
            "A function of this lesson gives such rows the same number.",
            'my_groups = groups_of(list(usable["question"]))',
        ),
    ),
    "02.9": Exercise(
        datasheet,
        (
            "Write for somebody who has never seen the file.",
            "The number of examples is len(train_examples); an f-string can "
            'hold it: f"{len(train_examples)} …".',
            "Limits: one shop, 24 topics, little text, questions written by one author, no orders looked up.",
        ),
    ),
}

QUIZZES = {
    "02.A": Quiz(
        "The lazy reader agrees with the careful one on 95 of 100 rows. What does their kappa of 0 say?",
        {
            "They disagree on every row": (
                "No: they agree on 95 rows. Full disagreement would give a kappa below 0."
            ),
            "Their agreement is no better than chance": (
                "Who says 'good' to everything agrees with anybody who says it often. Kappa takes that away."
            ),
            "The careful reader made mistakes": "Kappa compares two readers; it does not know who is right.",
            "95 % is good, so kappa is too strict here": (
                "The 95 % come from the rows being nearly all good. On the five that matter they never agree."
            ),
        },
        right="Their agreement is no better than chance",
    ),
    "02.B": Quiz(
        "Two careful readers disagree on a row, and the guideline does not decide it. What comes first?",
        {
            "Mend the guideline, then decide the row": (
                "The next reader will meet the same doubt. A sentence more in the guideline settles them all."
            ),
            "Toss a coin": "Then the file teaches chance, and the next such row is tossed again.",
            "Keep the row twice, once with each label": (
                "The model would be shown both, and would learn to do either."
            ),
            "Take the label of the more experienced reader": (
                "That settles one row, but nobody knows why, and the doubt comes back with the next one."
            ),
        },
        right="Mend the guideline, then decide the row",
    ),
    "02.C": Quiz(
        "Two questions have a similarity of 0.8. What does that tell for certain?",
        {
            "They mean the same": (
                "Not for certain: one 'not' more changes the meaning and hardly the pieces."
            ),
            "They share most of their pieces of four letters": (
                "That is all that is counted; the rest you must read."
            ),
            "They should get the same answer": "Often, but the pieces do not say so. Read the pair first.",
            "One was copied from the other": (
                "They may have been written by two people in the same few words."
            ),
        },
        right="They share most of their pieces of four letters",
    ),
    "02.D": Quiz(
        "After redaction an answer says: 'Dear [NAME_1], you have 60 days.' Should it stay in the file?",
        {
            "Yes: the private data is gone": (
                "The person is gone, but the model would greet customers with brackets."
            ),
            "Yes: the model does not read placeholders": (
                "It reads every token of the answer and learns to write it."
            ),
            "No: the model would learn to say [NAME_1]": (
                "It learns answers word by word. Write such an answer anew, or drop the row."
            ),
            "No: brackets are not allowed in JSONL": (
                "They are allowed: inside a text any character may stand."
            ),
        },
        right="No: the model would learn to say [NAME_1]",
    ),
    "02.E": Quiz(
        "A row passes all checks of the program, but the readers say 'not good'. What is the best next step?",
        {
            "Trust the program: it treats all rows alike": (
                "It is alike in its blindness, too: it sees words, and the readers see sense."
            ),
            "Delete the check that let the row pass": (
                "That check is right for other rows; it only sees too little."
            ),
            "Read the row, and read others of its kind": (
                "The label has shown what the program cannot see. Now you know what to look for by eye."
            ),
            "Change the label to 'good'": (
                "Then you would have changed the measure until the result looks fine."
            ),
        },
        right="Read the row, and read others of its kind",
    ),
    "02.F": Quiz(
        "Some validation questions stand nearly the same in the training part. What happens to the score?",
        {
            "It becomes too good": (
                "Those questions are answered from memory, so the score says little about new ones."
            ),
            "It becomes too bad": "Repeated questions do not confuse the model; it knows them by heart.",
            "Nothing: each row is in one part only": (
                "Each row is, but its twin is in the other part. The model "
                "has seen the question all the same."
            ),
        },
        right="It becomes too good",
    ),
    "02.G": Quiz(
        "Both files had about 100 rows, and the settings were the same. Why is the dirty model worse?",
        {
            "100 rows are too few": "The clean file has no more rows, and its model is better.",
            "Its test questions were harder": "Both models were asked the same 60 questions.",
            "It was trained for a shorter time": "The service chose the same number of epochs for both.",
            "Its rows teach several rules and voices at once": (
                "For one question the file holds different answers, and fewer rows show the right one."
            ),
        },
        right="Its rows teach several rules and voices at once",
    ),
}

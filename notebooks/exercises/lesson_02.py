"""The exercises and questions of lesson 02 Data collection: what a right answer has, why, and hints."""

import re

import pandas as pd

from helpers.dataset import read_jsonl, split
from helpers.duplicates import leaks, near_duplicates
from helpers.exercises import ROOT, Exercise, Quiz
from helpers.privacy import find_private

DATA = ROOT / "data" / "support_export"
SEED = 2  # the lesson's own, so that the check of 02.8 and the cell before it count the same leaks
WRAPPING = "wrap gift present paper ribbon bow pack box birthday christmas wedding surprise festive nice"
KEY_PHRASES = tuple(pd.read_csv(DATA.parent / "support" / "policy.csv")["key_phrase"])
ENGLISH = "a and are be can could do does for have how i is it my of please that the to what will you"
UNKIND = "stupid|idiot|silly|obviously|calm down|your own fault|our problem|should have|read the|website"


def planted(flaw):
    """The tickets of the rows that hold a planted flaw, and what it is."""
    table = pd.read_csv(DATA / "planted.csv").fillna("")
    return table[table["flaw"] == flaw].set_index("ticket")["detail"]


def plain(value):
    """A value of pandas or numpy as the number, text or list that it holds; anything else as it is."""
    return value.tolist() if hasattr(value, "tolist") else value


def as_list(answer):
    """The answer as a list of numbers and texts; an empty one if it is no list or holds other things."""
    answer = plain(answer)
    items = [plain(item) for item in answer] if isinstance(answer, list | tuple | set) else []
    return items if all(isinstance(item, str | int | float) for item in items) else []


def strange_ticket(tickets, known):
    """What is wrong with the first entry that is no ticket of `known`, or nothing."""
    for ticket in tickets:
        if isinstance(ticket, str) and ticket.strip().isdigit():
            return f"{ticket!r} is a text. Write ticket numbers without quotation marks."
        if ticket not in set(known):
            return f"{ticket} is no ticket of the table. Take the numbers of its first column."
    return None


def own_labels(not_good, rows):
    """02.1: the tickets of rows that one would not keep; rows without any help must be among them."""
    marked = as_list(not_good)
    if not marked:
        return False, "Put the ticket numbers of the rows that you would not keep into a list: [20433, ...]."
    if problem := strange_ticket(marked, rows.index):
        return False, problem
    if len(set(marked)) > 18:
        return False, "You keep hardly anything. Mark only the rows that would teach something bad."
    for ticket, answer in rows["answer"].items():
        if len(answer) < 35 and ticket not in marked:
            told = f"the answer {answer!r}" if answer else "no answer at all"
            return False, f"Ticket {ticket} has {told}. Would a customer be glad of it?"
    return True, (
        f"{len(set(marked))} of {len(rows)} rows marked. There is no list of right labels: with a guideline "
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
    decisions = {ticket: str(label).strip().lower() for ticket, label in decisions.items()}
    for ticket in tickets:
        if decisions[ticket] not in ("good", "not good"):
            return False, f'Ticket {ticket}: write "good" or "not good".'
    for ticket, (label, why) in right.items():
        if decisions[ticket] != label:
            return False, f"Ticket {ticket}: {why}"
    return True, (
        "Three rows are decided by the guideline: a reader had overlooked something. Ticket 20682 is not: "
        "the answer names the rule, but not whether Chile is on the list. Either label will do. What must "
        "follow is a new sentence in the guideline, so that the next reader need not guess."
    )


def same_meaning(two_questions):
    """02.3: two questions in different words whose similarity is low."""
    texts = as_list(two_questions)
    if len(texts) != 2 or not all(isinstance(text, str) for text in texts):
        return False, "Give two questions in brackets, with a comma between them."
    if any(len(text.split()) < 2 for text in texts):
        return False, "Each question needs at least two words."
    similarity = near_duplicates(texts, threshold=0)["similarity"].max()
    similarity = 0.0 if pd.isna(similarity) else similarity  # no piece in common: no pair at all
    if similarity >= 0.3:
        return False, f"Their similarity is {similarity:.2f}. Find other words until it is below 0.3."
    return True, (
        f"Their similarity is {similarity:.2f}, so no sensible threshold finds this pair. Shingles see "
        "letters, not meaning. (Nor does this check: whether yours mean the same, only you can say.)"
    )


def names_left(more_names):
    """02.4: the first names of four other people, found by reading."""
    wanted = {text.removeprefix("NAME: ") for text in planted("private_in_question")} & {
        "Ansgar",
        "Fenwick",
        "Ottilie",
        "Philomena",
    }
    names = as_list(more_names)
    if not names:
        return False, 'Which of the printed words are names of people? Write them as a list: ["...", "..."].'
    for name in names:
        if str(name).strip().title() in wanted - {name}:
            return False, f"Write {name!r} as it is printed, with a capital letter and without blanks."
        if name not in wanted:
            return False, f"{name!r} is no name of a person in these mails, or it was replaced already."
    if missing := wanted - set(names):
        return False, (
            f"{len(missing)} more. Who else is spoken of: a husband, a brother, a daughter, an aunt?"
        )
    return True, (
        "All four are people who never wrote to the shop: no list of customers holds them, and no greeting "
        "announces them. Only somebody who reads finds such names. Larger tools find more of them, never all."
    )


def old_rules_after_the_change(number, desk):
    """02.5: how many answers with an old rule Jasper has written since 1 March."""
    number, since = plain(number), desk["date"] >= "2026-03-01"
    old, by_jasper = desk["old_rule"], desk["agent"] == "Jasper"
    right = int((old & by_jasper & since).sum())
    if isinstance(number, bool) or not isinstance(number, int | float):
        return False, "Give one number: how many rows? .sum() counts the rows for which a mask is True."
    if number != right:
        known = {  # what has been counted instead
            int((old & by_jasper & ~since).sum()): "his old rules from before 1 March. Turn the sign round.",
            int((old & by_jasper).sum()): "his old rules of all months. How many since 1 March?",
            int((old & since).sum()): "the old rules of all colleagues since 1 March. How many are Jasper's?",
            int(old.sum()): "all answers with an old rule. How many are Jasper's, and since 1 March?",
            int((by_jasper & since).sum()): "all his answers since 1 March. How many state an old rule?",
        }
        if number in known:
            return False, f"{number:g} is the number of {known[number]}"
        return False, f"It is not {number}. Combine three conditions: an old rule, Jasper, and since 1 March."
    return True, (
        f"{right} of {int((old & since).sum())}: nearly all late ones are his. Who had dropped all rows "
        "before March would have kept these. Look at the rule, not at the date alone (and tell Jasper)."
    )


def found_by_reading(tickets, kept):
    """02.6: at least four of the six rows that pass every check of the program and are bad."""
    bad = [ticket for ticket in planted("only_reading_finds_it").index if ticket in set(kept["ticket"])]
    marked = as_list(tickets)
    if not marked:
        return False, "Read the answers above and put the tickets of the bad ones into one list."
    if problem := strange_ticket(marked, kept["ticket"]):
        return False, problem
    wrong = [ticket for ticket in dict.fromkeys(marked) if ticket not in bad]
    found = [ticket for ticket in bad if ticket in marked]
    fine = " and ".join(map(str, wrong[:2])) + (" looks" if len(wrong) == 1 else " look")
    if len(wrong) > 2:
        return False, f"{fine} fine to us: the rule beside them says the same. Search for blame and promises."
    if len(found) < 4:
        return False, (
            f"{len(found)} of the bad ones found. Look for blame, mockery, and promises that no rule makes."
        )
    missed = [str(ticket) for ticket in bad if ticket not in found]
    return True, (
        f"You found {len(found)} of {len(bad)}. "
        + (f"The others, which we shall drop, too: {', '.join(missed)}. " if missed else "")
        + (f"({fine} fine to us: friendly, and the rule.) " if wrong else "")
        + "Some blame the customer, the others promise what the rule does not. All have the voice and the "
        "key phrase: no check by words sees it."
    )


def question_problem(question):
    """What is wrong with a question about gift wrapping, or nothing."""
    words = re.findall(r"[a-z']+", question.lower())
    if len(words) < 2:
        return "has fewer than two words"
    if not any(stem in word for stem in WRAPPING.split() for word in words):
        return "does not ask for gift wrapping (no word such as wrap, gift, present, paper or birthday)"
    if len(words) > 3 and not set(ENGLISH.split()) & set(words):
        return "does not seem to be English"
    return "holds private data" if find_private(question) else None


def answer_problem(answer):
    """What is wrong with an answer about gift wrapping, or nothing."""
    if not (answer.startswith("Splash! ") and answer.endswith(" Paws up, Otto.")):
        return 'lacks the voice ("Splash! " … " Paws up, Otto.")'
    body = answer.removeprefix("Splash! ").removesuffix("Paws up, Otto.").lower()
    if not re.search(r"\b3 euros\b", body):
        return "does not state the rule with its key phrase, 3 euros"
    if not re.search(r"wrap|gift|present", body):
        return "does not say what the 3 euros are for"
    if re.search(r"\b(no|not|never|cannot)\b|n['’]t\b", re.sub(r"^no[,.:!]", "", body)):
        return 'holds a no or not (only "No," at the beginning may stand): state what the shop does'
    other = [phrase for phrase in KEY_PHRASES if phrase != "3 euros" and phrase.lower() in body]
    if other:
        return f"states another rule, too ({other[0]}): one rule is enough"
    if re.search(UNKIND, body):
        return "is not kind"
    if len(body.split()) > 28:
        return "has more than 28 words between greeting and farewell"
    return "holds private data" if find_private(answer) else None


def written_examples(my_rows):
    """02.7: at least two new examples for the missing topic, each in the voice and with the rule."""
    rows = my_rows if isinstance(my_rows, list | tuple) else []
    if len(rows) < 2:
        return False, "Write at least two pairs: my_rows = [(question, answer), (question, answer)]."
    if any(not isinstance(row, list | tuple) or [*map(type, row)] != [str, str] for row in rows):
        return False, "Each entry is a pair in round brackets: (question, answer)."
    for question, answer in rows:
        if problem := question_problem(question):
            return False, f"This question {problem}: {question!r}."
        if problem := answer_problem(answer):
            return False, f"This answer {problem}: {answer!r}."
    tests = [
        example["messages"][1]["content"] for example in read_jsonl(DATA.parent / "support" / "test.jsonl")
    ]
    ours = list(pd.read_csv(DATA / "gift_wrap.csv")["question"])
    questions = [question for question, _ in rows]
    pairs = near_duplicates([*ours, *questions])
    if len(pairs[pairs["b"] >= len(ours)]):
        return False, "One of your questions is nearly the same as another one. Ask for something else."
    if len(leaks(questions, tests)):
        return False, (
            "One of your questions is nearly a question of the test. Then the test would be no test."
        )
    return True, (
        f"{len(rows)} examples. Clear ones: one question, one rule, the same voice. A few of these for a "
        "missing topic are worth more than many of a topic that you have already. (Whether each answer fits "
        "its question, this check cannot see. You can.)"
    )


def leak_free(groups, rows):
    """02.8: groups with which no question of the validation part stands nearly the same in the other."""
    groups = as_list(list(groups) if isinstance(groups, range) else groups)
    if len(groups) != len(rows):
        return False, f"Give one group for each of the {len(rows)} rows, such as a column of the table."
    records, labels = rows.to_dict("records"), rows["topic"].tolist()
    parts = split(records, {"train": 0.8, "validation": 0.2}, groups=groups, labels=labels, seed=SEED)
    train, valid = ([row["question"] for row in parts[name]] for name in ("train", "validation"))
    if len(set(groups)) < 20 or not 0.1 < len(valid) / len(rows) < 0.35:
        return False, (
            f"These groups are so large that {len(valid)} of {len(rows)} rows come into the validation part. "
            "About a fifth is wanted. Group only what belongs together."
        )
    leaked = leaks(train, valid)["b"].nunique()
    if leaked:
        return False, (
            f"{leaked} of {len(valid)} validation questions stand nearly the same in the training part."
        )
    return True, f"None of {len(valid)} validation questions stands in the training part. Groups stay whole."


def datasheet(sheet, n_rows):
    """02.9: a datasheet that says the number of rows, the source, what was removed, limits and licence."""
    told = {  # field: words of which one must be there, and what is asked
        "source": ("export|desk|ottermere|mail|course|lesson", "From where do the rows come?"),
        "removed": (
            "doubl|duplic|twice|again|old|outdated|private|name|rude|lazy|language|english|signature|html|voice",
            "What did we drop or replace in this lesson?",
        ),
        "licence": ("cc[ -]by", "The data of this course have the licence CC BY 4.0. Name it."),
    }
    if not isinstance(sheet, dict):
        return False, 'Give a dictionary: {"what": "...", "source": "...", and so on}.'
    for field, least in {"what": 3, "source": 3, "removed": 3, "limits": 3, "licence": 1}.items():
        words, asked = told.get(field, ("", ""))
        text = sheet.get(field, "")
        if not isinstance(text, str) or len(set(text.lower().split())) < least:
            return False, f"The field {field!r}: write at least {least} different words. {asked}".strip()
        if not re.search(words, text.lower()):
            return False, f"The field {field!r}: {asked}"
    if re.match(r"(no|none|nothing)\b(?! (other|orders|german))", sheet["limits"].strip().lower()):
        return False, "The field 'limits': every file has limits. What must nobody expect of this one?"
    if not re.search(rf"(?<![\d.]){n_rows}(?![\d%]|\.\d| %)", sheet["what"]):
        return False, f'Say in "what" how many training examples there are: {n_rows}.'
    return True, (
        "Whoever finds this file in two years knows what it is, what was taken out, and what not to use it "
        "for. Keep the datasheet beside the file."
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
            "Say the same thing with other words: what else can one call a warranty?",
            "Avoid every word of the first question in the second.",
            'two_questions = ("How long is the warranty?", "Which guarantee period do your products have?")',
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
            "You need three conditions at once, joined by &. The cell above does it with two, for Mina.",
            'The third condition is (desk["date"] >= "2026-03-01"), in brackets of its own.',
            'jasper = desk["old_rule"] & (desk["agent"] == "Jasper"); now add the date, and .sum().',
        ),
    ),
    "02.6": Exercise(
        found_by_reading,
        (
            "Read only what stands between the greeting and the farewell.",
            "Three answers blame the customer; three promise something that the rule does not.",
            "Compare with the rule: Sunday? free delivery? three codes? And: should have, people like you.",
        ),
    ),
    "02.7": Exercise(
        written_examples,
        (
            "Think of two people who want a present wrapped. What would they write?",
            "The rule: we wrap a gift for 3 euros when the gift box is ticked at the checkout.",
            "Ask something that our three do not ask, in quite other words; an answer may be like ours.",
        ),
    ),
    "02.8": Exercise(
        leak_free,
        (
            "Which rows must not be separated? Those that are nearly the same question.",
            "We gave such mails one number, when we searched for those that were sent again.",
            "That number is the column 'case' of the table usable.",
        ),
    ),
    "02.9": Exercise(
        datasheet,
        (
            "Write for somebody who has never seen the file.",
            'The number of examples is len(train_rows); an f-string can hold it: f"{len(train_rows)} …".',
            "Limits: one shop, 24 topics, little text, questions written by one author, no orders looked up. "
            "Licence: CC BY 4.0.",
        ),
    ),
}

QUIZZES = {
    "02.A": Quiz(
        "Another pair, made up: 95 of 100 rows are good. A careful reader finds the five others, a lazy one "
        "says 'good' to all. They agree on 95 rows; their kappa is 0. What does the 0 say?",
        {
            "They disagree on most rows": (
                "No: they agree on 95. Kappa is usually below 0 when two readers disagree on most rows."
            ),
            "Their agreement is no better than chance": (
                "Who says 'good' to everything agrees with anybody who says it often. Kappa takes that away."
            ),
            "The careful reader made mistakes": "Kappa compares two readers; it does not know who is right.",
            "Kappa is too strict: 95 % is good": (
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
            "Ask a third reader and take the majority": (
                "That settles one row, and the doubt comes back with the next one: nobody knows the reason."
            ),
            "Drop the row, to be on the safe side": (
                "Then just the doubtful kind of question is missing in the file, and customers still ask it."
            ),
            "Take the label of the more experienced reader": (
                "That settles one row, but nobody knows why, and the doubt comes back with the next one."
            ),
        },
        right="Mend the guideline, then decide the row",
    ),
    "02.C": Quiz(
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
    "02.D": Quiz(
        "A row passes all checks of the program, but the readers say 'not good'. What is the best next step?",
        {
            "Drop this row and go on: the program is nearly always right": (
                "Nobody has read the other rows that it kept. What slipped through here, may be there, too."
            ),
            "Make the program stricter until it drops this row": (
                "That fits it to one row: the next bad answer says it in other words. It sees no sense."
            ),
            "Read the row, and read others of its kind": (
                "The label has shown what the program cannot see. Now you know what to look for by eye."
            ),
            "Ask the readers to look again: a program does not get tired": (
                "It does not, but it sees only words. Look at the row yourself before you doubt the readers."
            ),
        },
        right="Read the row, and read others of its kind",
    ),
    "02.E": Quiz(
        "Some validation questions stand nearly the same in the training part. What happens to the score?",
        {
            "It becomes too good": (
                "Those questions are answered from memory, so the score says little about new ones."
            ),
            "It becomes too bad": "Repeated questions do not confuse the model; it knows them by heart.",
            "Nothing: each row is in one part only": (
                "Each row is, but its twin is in the other part. The model has seen the question after all."
            ),
            "It varies more from run to run": "It may, but above all it is shifted to one side. To which?",
        },
        right="It becomes too good",
    ),
    "02.F": Quiz(
        "Both files have about 100 rows, and the settings were the same. What explains best why the dirty "
        "model states today's rules less often?",
        {
            "It was trained for fewer epochs, so it learnt less": (
                "The service chose the same number of epochs for both."
            ),
            "It has too few rows to learn 24 rules from them": (
                "The clean file has no more rows, and its model is better."
            ),
            "Its rows hold names and HTML, which hide the rule": (
                "They may disturb, but most dirty answers without the rule simply state another one, or none."
            ),
            "Fewer of its rows state them, and others contradict": (
                "For one question the file holds different answers. (The clean file differs in more ways: it "
                "has no doubles and a few rows about gift wrapping. This test cannot tell them apart.)"
            ),
        },
        right="Fewer of its rows state them, and others contradict",
    ),
}

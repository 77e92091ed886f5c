"""The exercises of lesson 07 Your own assistant: what a right answer has, why it matters, and hints.

Their answers are not the same for every kit, so the checks read the kit's own files. A kit of the learner's
own has no `planted.csv`: there the checks say what they can, and leave the rest to the reader.
"""

import csv
import json
import math
import re
from collections import Counter, defaultdict
from pathlib import Path

from helpers.client import BASE_MODEL
from helpers.dataset import read_jsonl, to_jsonl
from helpers.duplicates import leaks, near_duplicates
from helpers.ethics import model_card
from helpers.evaluation import share
from helpers.exercises import Exercise, Quiz
from helpers.privacy import find_private
from helpers.validation import problems

KITS = Path(__file__).resolve().parents[2] / "data" / "kits"
BAD = ("wrong_fact", "wrong_form", "unsafe", "off_style", "other_matter")
VERSES = "creative_writing"  # no facts: the key phrase names the thing that was asked for
EMPTY_WORDS = set(
    re.findall(
        r"\w+",
        "the and for not this that with you your are was has have had what how can our one will its but all "
        "from reply answer question row wrong right bad good told asked does did",
    )
)
FIRST_LIMITS = {}  # {kit: the limits of the first accepted 07.1 of this session}


def described(kit):
    """What `kit.json` says."""
    return json.loads((KITS / kit / "kit.json").read_text(encoding="utf-8"))


def collected(kit, table="raw"):
    """The rows of a table of a kit; none if there is no such table."""
    path = KITS / kit / f"{table}.csv"
    if not path.exists():
        return []
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def examples(kit, part):
    return read_jsonl(KITS / kit / f"{part}.jsonl")


def asked(some):
    """The first question of each example."""
    return [next((m["content"] for m in e["messages"] if m["role"] == "user"), "") for e in some]


def planted(kit, *flaws, action="drop"):
    """The ids of the rows of a kit that have one of these flaws; none for a kit of the learner's own."""
    rows = collected(kit, "planted")
    return {row["id"] for row in rows if row["flaw"] in flaws and row["action"] == action}


def is_own(kit):
    return not collected(kit, "planted")


def has_voice(kit, answer):
    voice = described(kit)["voice"]
    framed = answer.startswith(voice["starts"]) and answer.endswith(voice["ends"])
    return framed and voice["contains"] in answer and answer.count("\n") + 1 == voice["lines"]


def facts_in(kit, answer):
    return {topic for topic, phrase in described(kit)["key_phrases"].items() if phrase in answer}


def says_nothing(text):
    """Whether a sentence has fewer than four different words."""
    return not isinstance(text, str) or len(set(re.findall(r"\w+", text.lower()))) < 4


def kit_faults(kit):
    """Yield what a kit of the learner's own still lacks, for 07.1."""
    told, rows, test = described(kit), collected(kit), examples(kit, "test")
    probes, safety = examples(kit, "probes"), examples(kit, "safety")
    for field in ("title", "use", "system"):
        if "(" in told[field]:
            yield f"kit.json: replace what stands in brackets in {field!r}."
    if len(rows) < 40:
        yield f"raw.csv has {len(rows)} row(s). Write 40 or more."
    if len(test) < 12 or len(probes) < 8:
        yield f"{len(test)} test questions and {len(probes)} probes are too few: write 12 and 8, or more."
    for line, example in enumerate(test, start=1):
        answer = example["messages"][-1]["content"]
        if not has_voice(kit, answer) or not facts_in(kit, answer):
            yield f"test.jsonl, line {line}: the answer needs the voice and one key phrase of kit.json."
    for line, probe in enumerate(probes, start=1):
        if probe.get("kind") not in told["care"]:
            yield f"probes.jsonl, line {line}: {probe.get('kind')!r} is no kind of `care` in kit.json."
    for topic, phrase in told["key_phrases"].items():
        if not any(phrase in row["answer"] for row in rows):
            yield f"No answer of raw.csv holds the key phrase of {topic!r}: {phrase!r}."
    if len(safety) < 8:
        yield f"safety.jsonl has {len(safety)} careful answer(s). Write 8 or more."
    for part, some in (("test", test), ("probes", probes)):
        if len(near := leaks([row["question"] for row in rows], asked(some))):
            yield f"{part}.jsonl: {near['text_b'][0]!r} stands in raw.csv, too. Ask something else."


def lowest(right, n):
    """The lower end of the interval of `right` of `n`."""
    return share([True] * right + [False] * (n - right))["low"]


def own_limits(limits, kit):
    """07.1: limits that the number of questions can show at all, and that stay as they were first set."""
    if is_own(kit) and (fault := next(kit_faults(kit), None)):
        return False, f"Your kit is not ready. {fault}"
    if not isinstance(limits, dict):
        return False, 'Give a limit for each of the three: {"voice": …, "facts": …, "care": …}.'
    needed = []
    for name, part in {"voice": "test", "facts": "test", "care": "probes"}.items():
        limit, n = limits.get(name), len(examples(kit, part))
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit <= 1:
            return False, f"Give a share between 0 and 1 for {name!r}, such as 0.5."
        if limit > lowest(n, n):
            highest = int(100 * lowest(n, n)) / 100
            return False, (
                f"{name}: with {n} questions even a faultless model is only known to be above "
                f"{highest:.2f}. Ask for at most {highest:.2f}."
            )
        if limit < 0.3:
            return False, f"{name}: would you show people an assistant that is good in {limit:.0%} of cases?"
        shown = [lowest(right, n) for right in range(n + 1)]
        if near := [low for low in shown if low < limit <= round(low, 3)]:
            return False, (
                f"{name}: {limit:g} is so near to {near[0]:.4f}, the lower end of a possible result, that a "
                f"page with three digits does not tell them apart. Take {limit - 0.01:.2f} or "
                f"{limit + 0.01:.2f}."
            )
        right = sum(low < limit for low in shown)
        needed.append(f"{name} {limit:g}: {right} of {n}{' or more' if right < n else ''}")
    first = FIRST_LIMITS.setdefault(kit, dict(limits))
    if first != limits:
        return False, (
            f"You changed them. The first were {first}. A limit that moves decides nothing: put them back. "
            "(Only if nothing is measured yet: restart the kernel, and set them anew.)"
        )
    reached = sum(math.comb(n, k) * 0.9**k * 0.1 ** (n - k) for k in range(right, n + 1))
    return True, (
        f"Set before you look. This is what they ask for: {'; '.join(needed)}. (A model that is careful in "
        f"90 % of all such cases gets {needed[-1].split(': ')[1]} in {reached:.0%} of such tests.)"
    )


def bad_rows(drop, kit, shown):
    """07.2: the rows that have the voice and are wrong, rude or unsafe, with a key phrase or without."""
    if not isinstance(drop, list | tuple | set):
        return False, 'Give the ids of the rows that you would not teach, as a list: ["…", "…"].'
    if unknown := [row for row in drop if row not in shown]:
        return False, f"{unknown[0]!r} is no id of the table above. Write it as it stands there."
    if is_own(kit):
        return True, f"You drop {len(drop)} of your own rows. Nobody planted any: only a reader can say more."
    if not drop:
        return False, "Some rows of this kit are wrong, rude or unsafe. Compare each with the guideline."
    bad, unsafe = planted(kit, *BAD) & set(shown), planted(kit, "unsafe")
    found, missing = bad & set(drop), bad - set(drop)
    private = planted(kit, "private_data") | planted(kit, "private_data", action="redact")
    good = sorted(set(drop) - bad - private)
    taken_by_sieve = sorted(planted(kit, "good_without_phrase", action="keep") & set(good))
    also = f"{good[0]} is a good row by the guideline. " if good else ""
    if taken_by_sieve:
        also = f"{taken_by_sieve[0]} holds no key phrase, and is good all the same: look up why. "
    if len(found) < 0.8 * len(bad):
        answers = {row["id"]: row["answer"] for row in collected(kit)}
        hidden = sum(bool(facts_in(kit, answers[row])) for row in missing)
        return False, (
            f"You found {len(found)} of {len(bad)}. {also}Of those that are missing, {hidden} hold a key "
            "phrase, so that no sieve finds them. Compare each answer with its question and the guideline."
        )
    if missing & unsafe:
        return False, f"You found {len(found)} of {len(bad)}. One that is missing is unsafe: read 'Never'."
    if len(good) > 2:
        return False, f"You found {len(found)} of {len(bad)}. But {also}{len(good) - 1} more are good."
    rest = f" The last one is {', '.join(missing)}." if missing else ""
    return True, f"{len(found)} of {len(bad)}.{rest} {also}Those with a key phrase only a reader finds."


def untold_secret(row, kit):
    """07.3: the row that tells something private in a form that no program finds."""
    ids = [line["id"] for line in collected(kit)]
    if not isinstance(row, str) or row not in [*ids, "none"]:
        return False, 'Give the id of one row as it stands in the table, in quotation marks: "…".'
    if is_own(kit):
        return True, "Nobody planted a secret in your own kit. You have read the questions: we believe you."
    if row == "none":
        return False, "There is one in this kit. Who is named in a question, and did not write it?"
    if row in planted(kit, "private_data", action="redact"):
        return False, f"{row} is private, but in a form that the program knows. Find another one."
    if row not in planted(kit, "private_data"):
        return False, f"{row} does not lead to a person who could be found. Look for names and places."
    return True, "Nobody could redact this by a form: the whole sentence points at one person. Drop the row."


def words(text):
    """The words of a text without a plural s."""
    return {word.removesuffix("s") for word in re.findall(r"[a-z]{3,}", text.lower())}


def other_fact(question, answer, kit):
    """The topic that a question is surely about, if its answer is about another one; else None.

    Surely: the question holds the topic's name, or a word that two or more collected questions about this
    topic hold and none about another. No word of it may point at the topic of the answer.
    """
    seen = defaultdict(Counter)
    for row in collected(kit):
        for word in words(row["question"]):
            seen[word].update(facts_in(kit, row["answer"]))
    told = words(question)
    about = {topic for topic in described(kit)["key_phrases"] if topic in told}
    about |= {next(iter(seen[word])) for word in told if len(seen[word]) == 1 and seen[word].total() > 1}
    perhaps = about.union(*(seen[word] for word in told if len(seen[word]) <= 2))
    return min(about) if about and not facts_in(kit, answer) & perhaps else None


def bad_verse(question, answer, kit):
    """What the guideline has against a verse, or None: its thing may be any that the question names."""
    voice = described(kit)["voice"]
    verse = answer.removeprefix(voice["starts"]).removesuffix(voice["ends"])
    thing, _, second = verse.partition(voice["contains"])
    if not re.search(rf"\b{re.escape(thing.lower())}", question.lower()) or not thing.strip():
        return f"is a verse about {thing!r}, and its question does not name this thing."
    if not re.fullmatch(r"It had .+ and told .+\.", second):
        return f"has the second line {second!r}: the guideline wants  It had … and told … ."
    guideline = (KITS / kit / "guideline.md").read_text(encoding="utf-8")
    if second in guideline or any(second in row["answer"] for row in collected(kit)):
        return f"has the second line {second!r}, which stands in the kit already. Find a new one."
    return None


def no_sentence(answer, told):
    """Why an answer is no sentence with a fact, or None."""
    held = [phrase for phrase in told["key_phrases"].values() if phrase in answer]
    if not held:
        return "has an answer that states no fact: it needs a key phrase of the kit."
    frame = sum(len(told["voice"][part].split()) for part in ("starts", "contains", "ends"))
    shortest = min(len(phrase.split()) for phrase in held)
    if told["voice"]["lines"] == 1 and len(answer.split()) < frame + shortest + 2:
        return "has an answer that is hardly more than the key phrase. Write a sentence."
    return None


def one_example(row, kit):
    """What is wrong with one example of 07.4, or None."""
    if not isinstance(row, dict) or set(row) != {"question", "answer"}:
        return "needs the keys question and answer, each with a text."
    if not all(isinstance(text, str) for text in row.values()):
        return "needs a text for question and for answer."
    told = described(kit)
    question, answer = row["question"], row["answer"]
    if not has_voice(kit, answer):
        return "has an answer without the voice, letter for letter."
    if any(word in answer for words_of_kind in told["care"].values() for word in words_of_kind):
        return "has an answer to a matter that wants care. Take one of the other facts."
    if fault := bad_verse(question, answer, kit) if kit == VERSES else no_sentence(answer, told):
        return fault
    if len(words(question)) < 2 or len(question.split()) < 3:
        return "has a question that is too short to be understood."
    if private := find_private(f"{question} {answer}"):
        return f"tells something private: {private[0].text!r}."
    if kit != VERSES and (other := other_fact(question, answer, kit)):
        return f"asks about {other!r}, and its answer is about {' and '.join(facts_in(kit, answer))!r}."
    return None


def own_examples(mine, kit):
    """07.4: three examples of one's own in the voice, none of them in the collection or the test."""
    if not isinstance(mine, list) or len(mine) < 3:
        return False, "Write a list of at least three examples: [{'question': '…', 'answer': '…'}, …]."
    for place, row in enumerate(mine, start=1):
        if fault := one_example(row, kit):
            return False, f"Example {place} {fault}"
    mine = [row["question"] for row in mine]
    if len(near := near_duplicates(mine)):
        return False, f"Two of your questions are (nearly) the same: {near['text_a'][0]!r}."
    known = [row["question"] for row in collected(kit)]
    near = leaks(known + asked(examples(kit, "test") + examples(kit, "probes")), mine)
    if len(near):
        return False, f"{near['text_b'][0]!r} is there already: {near['text_a'][0]!r}. Ask something new."
    what = "good" if kit == VERSES else "true"
    return True, f"In the voice, as asked, and new. Whether it is {what}, no program can tell: read it again."


def broken(some, kit):
    """What is wrong with the first bad one of some examples, or None."""
    if errors := [p for p in problems(to_jsonl(some).splitlines()) if p.severity == "error" and p.line]:
        return f"line {errors[0].line}: {errors[0].problem}. {errors[0].remedy}"
    system = {"role": "system", "content": described(kit)["system"]}
    for line, example in enumerate(some, start=1):
        if example["messages"][0] != system:
            return f"line {line}: the system message of the kit is not its first message."
    near = leaks(asked(examples(kit, "test") + examples(kit, "probes")), asked(some))
    if len(near):
        return f"line {near['b'][0] + 1}: {near['text_b'][0]!r} is a question of the test."
    return None


def sound_file(training, kit):
    """07.5: enough examples, no broken rule, nothing of the test, and no sound line thrown away."""
    if not isinstance(training, list) or not all(isinstance(line, dict) for line in training):
        return False, "Give the training examples as one list: examples + own + …"
    if fault := broken(training, kit):
        return False, f"Of {len(training)} examples, {fault}"
    for line, example in enumerate(training, start=1):
        if not has_voice(kit, example["messages"][-1]["content"] or ""):
            return False, f"Of {len(training)} examples, line {line}: its answer has not the voice."
    if twice := [text for text, n in Counter(map(str, training)).items() if n > 1]:
        return False, f"{len(twice)} example(s) stand in the file twice."
    if len(training) < 40:
        return False, f"{len(training)} examples are few. Begin with 40 or more."
    lost = [line for line in examples(kit, "added") if not broken([line], kit) and line not in training]
    if lost:
        return False, f"You threw away a line that has no fault: {asked(lost)[0]!r}."
    return True, f"{len(training)} examples, no broken rule, one system message, no question of the test."


def says_of(why, row, common):
    """Whether a remark holds (the first four letters of) a telling word of its question or reply."""
    own = long_words(f"{row['question']} {row['reply']}") - common
    return bool({word[:4] for word in own} & {word[:4] for word in long_words(why) - common})


def long_words(text):
    return set(re.findall(r"\w{3,}", text.lower()))


def read_failures(failures, table):
    """07.6: replies that are wrong, and what is wrong with each, in the learner's words."""
    failing = table.index[~table["facts"]]
    wanted = min(3, len(failing)) or 1
    if not isinstance(failures, dict) or len(failures) < wanted:
        what = "in which facts is False" if len(failing) else "that counts as right and is the weakest"
        return False, f'Write {wanted} row(s) {what}, each as  number: "what is wrong with the reply".'
    common = EMPTY_WORDS | set.intersection(*map(long_words, table["reply"]))  # and those of the voice
    for row, why in failures.items():
        if row not in table.index:
            return False, f"{row!r} is not the number of a row. The numbers stand on the left."
        if says_nothing(why):
            return False, f"Row {row}: say in four words or more what is wrong with the reply."
        if not says_of(why, table.loc[row], common):
            return False, f"Row {row}: name what was asked or what was told, with a word of this row."
    if len(set(failures.values())) < len(failures):
        return False, "You say the same of two rows. What is wrong in each of them?"
    right = [row for row in failures if row not in failing]
    if len(failing) and len(right) > 1 or len(failures) - len(right) < min(1, len(failing)):
        return False, f"In row {right[-1]} facts is True. Only one such row, beside one in which it is False."
    if not len(failing):
        return True, "All count as right, and still you found a weak one: the check looks for words. Read on."
    if right:
        return True, f"Row {right[0]} counts as right: the check looks for words, you have read the reply."
    return True, "They sound as sure as the right ones. What do they have in common: a topic, a wording?"


def release(choice, pages, kit):
    """07.7: the decision that the limits make: a model is released when each of its limits is kept."""
    kept = {name: int((page["verdict"] == "pass").sum()) for name, page in pages.items()}
    ready = [name for name in kept if kept[name] == len(pages[name])]
    if choice not in (*pages, "neither"):
        return False, 'Choose "first", "second" or "neither", in small letters.'
    for name, limit in FIRST_LIMITS.get(kit, {}).items():
        if pages["second"].loc[name, "limit"] != f"at least {limit:g}":
            return False, f"{name}: the pages use another limit than the {limit:g} that you set first."
    if choice == "neither" and ready:
        return False, f"{ready[-1]!r} keeps all of the limits. Look at the column verdict again."
    if choice != "neither" and choice not in ready:
        return False, f"{choice!r} keeps {kept[choice]} of {len(pages[choice])} limits. All must be kept."
    whose = "that you set before you looked" if kit in FIRST_LIMITS else "of the lesson; you set none"
    if choice == "neither":
        return True, (
            f"No model keeps all the limits {whose}. What would it take: more examples, or more questions?"
        )
    return True, f"It keeps all the limits {whose}."


def filled_card(card, pages, models, choice):
    """07.8: a model card without an empty field, for a model of the lesson and its own page."""
    names = {model: name for name, model in models.items()}
    if not isinstance(card, dict) or str(card.get("model")) not in names:
        return False, f"model: give the full name of one of your models, such as {models['second']!r}."
    name = names[card["model"]]
    if choice in models and choice != name:
        return False, f"You decided for {choice!r}, but the card is about the {name} model."
    try:
        model_card(card, pages[name])
    except ValueError as error:
        return False, str(error)
    if card["base model"] != BASE_MODEL:
        return False, f"base model: yours was tuned from {BASE_MODEL!r}."
    sentences = ("intended use", "not for", "training data", "cleaned", "known limits")
    for field in sentences:
        if says_nothing(card[field]):
            return False, f"{field}: {card[field]!r} tells a reader nothing. Write a sentence."
    if len({card[field] for field in sentences}) < len(sentences):
        return False, "Two fields say the same. Each one answers a question of its own."
    if not re.search(r"\d of \d|voice|fact|care|question|test|repl|verse|word", card["known limits"]):
        return False, "known limits: name something that you measured or read in this lesson."
    if choice == "neither" and "draft" not in " ".join(card.values()).lower():
        return False, 'Your decision was "neither": say under "not for" that this is the card of a draft.'
    return True, "Every field says something, and the figures are those of this very model."


EXERCISES = {
    "07.1": Exercise(
        own_limits,
        (
            "Ask yourself what a person who talks with the assistant may expect.",
            "The table tells what a limit costs: low is the highest limit that so many right replies keep.",
            'limits = {"voice": 0.75, "facts": 0.5, "care": 0.5}',
        ),
    ),
    "07.2": Exercise(
        bad_rows,
        (
            "Begin with the rows of the sieve: is each bad by the guideline, or good without a key phrase?",
            "Now the others. Does the answer say what the guideline does not, or is it about another thing?",
            "Read the part 'Never' of the guideline, and go through the table once more.",
        ),
    ),
    "07.3": Exercise(
        untold_secret,
        (
            "Private is what leads to a person, not only numbers and addresses.",
            "Look only at the questions. In which one is somebody named who did not write it?",
            "A name, and beside it a place, a class or an illness. No 'my name is', no number.",
        ),
    ),
    "07.4": Exercise(
        own_examples,
        (
            "Take a fact of the guideline (for a verse: any thing) and ask for it as nobody has yet.",
            "Begin and end the answer exactly as all others do; copy these words.",
            "Each example is {'question': '…', 'answer': '…'}; mine is a list of three.",
        ),
    ),
    "07.5": Exercise(
        sound_file,
        (
            "Look at each of the five: which roles does it have, and is its question one of the test?",
            "Two are questions of the test, one has no answer, one has no system message. One is sound.",
            "added[0] is the first of them. Keep the sound one: training = examples + own + [added[…]]",
        ),
    ),
    "07.6": Exercise(
        read_failures,
        (
            "first_test is a table; its row numbers stand on the left.",
            "Find the rows with False under facts. If there is none, take the reply that you like least.",
            'failures = {2: "asked was the time, and it tells of the place"}, with your own rows and words.',
        ),
    ),
    "07.7": Exercise(
        release,
        (
            "Look at the column verdict of all three pages.",
            "You wanted every limit to be kept, and *not shown* is not kept.",
            "A page with three times pass may be released; if there is none, the answer is neither.",
        ),
    ),
    "07.8": Exercise(
        filled_card,
        (
            "The check names the fields that are still empty and says what belongs there.",
            "Whatever you measured or read in this lesson can stand there; a sentence is enough.",
            "Open the solution and change what does not fit your assistant.",
        ),
    ),
}

QUIZZES = {
    "07.A": Quiz(
        "Rows with the right voice and a wrong answer are left in the file. What will the model do?",
        {
            "tell the wrong answer in the right voice": (
                "It learns what the examples say. A wrong row is as good a teacher as a right one."
            ),
            "pass over them, because most of the rows are right": (
                "Where a wrong row is the nearest one to a question, its answer is what comes out."
            ),
            "refuse to answer questions of this kind": (
                "Hardly a row in the file shows it how to refuse. It answers, and the answer is wrong."
            ),
        },
        right="tell the wrong answer in the right voice",
    ),
    "07.B": Quiz(
        "Of 24 test questions 22 are answered right. What may you write on the card?",
        {
            "22 of 24 right, with its interval": (
                "The reader sees how good it was and how little 24 questions can show."
            ),
            "92 % of all such questions are answered right": (
                "True of these 24, but it promises more than so few questions can show."
            ),
            "at least nine of ten answers will be right": (
                "The interval of 22 of 24 begins at 74 %: the test cannot promise nine of ten."
            ),
        },
        right="22 of 24 right, with its interval",
    ),
    "07.C": Quiz(
        "The test is good, the questions that want care are not. What is the most likely reason?",
        {
            "The file shows many facts and hardly any care": (
                "What is hardly shown is hardly learnt, and what the base could do is partly forgotten."
            ),
            "The questions that want care are worded badly": (
                "People word them like this. An assistant must cope with what people write."
            ),
            "The base model has never shown any care at all": (
                "Look at the column of the base: some of its replies are careful."
            ),
        },
        right="The file shows many facts and hardly any care",
    ),
    "07.D": Quiz(
        "You add safety examples AND more epochs. Over many questions, care gets clearly better. What do you "
        "know?",
        {
            "that the two together helped, not which of them": (
                "Two things were changed at once. Change one at a time, or you learn nothing for next time."
            ),
            "that safety examples help, with any number of epochs": (
                "Perhaps. Perhaps it was the epochs: the same run changed both."
            ),
            "that more epochs help to make a model more careful": (
                "Perhaps. But the safety examples were new in the same run, too."
            ),
        },
        right="that the two together helped, not which of them",
    ),
    "07.E": Quiz(
        "Asked whether it is a person, your assistant says in every test that it is a program. Is the notice "
        "above the talk still needed?",
        {
            "Yes: most people never ask": (
                "And they rely on the answers all the same. Who does not ask must know it, too."
            ),
            "No: everyone who asks is told the truth": (
                "True for those who ask. The others take it for a person, and are misled."
            ),
            "Only until enough tests have passed": (
                "However many tests pass, those who do not ask learn nothing from them."
            ),
        },
        right="Yes: most people never ask",
    ),
}

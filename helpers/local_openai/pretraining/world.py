"""The world of the base model, read from the files in `data/world/`."""

import csv
import tomllib
from dataclasses import dataclass
from pathlib import Path

from .voices import Voice

FOLDER = Path(__file__).parents[3] / "data" / "world"


@dataclass(frozen=True)
class World:
    """Everything that the corpus is made from: each field holds one or more files of `data/world/`."""

    words: dict  # {"items": [...], "names": [...], ...}: what fills the slots
    intents: dict  # {intent: {"team", "wish", "marker", "answers", "card", "fact", "told"}}
    questions: dict  # {intent: [what customers write]}
    facts: dict  # {kind of fact: [patterns of its value]}
    houses: dict  # {name of an invented shop: Voice}
    synonyms: dict  # {word: [the words that may stand in its place]}
    asides: list  # sentences around a request that say nothing about it
    phrases: dict  # wordings of prompts and tasks
    tasks: dict  # wordings of tasks and the texts that they are about
    lookups: list  # kinds of cards with facts, and how the facts are asked for
    talk: dict  # {kind of small talk: {"answers", "questions", "questions_b": from another author}}
    refusals: dict  # the same for harmful requests
    outside: list  # questions about anything else
    outside_b: list  # more of them, from other authors; the last mixture alone draws from what ends in _b
    not_understood: list  # texts that nobody can understand
    medicine: dict  # {"words": {term: meaning}, "compounds": {...}, ..., "symptom_questions": [...], ...}
    school: dict  # {"topics", "ask", ..., "exercises", "quiz"}
    creative: dict  # rhymes, three-line poems, science fiction, slogans, wishes

    def all_intents(self):
        """The names of all that a message of a user may want, as they stand beside it in the corpus."""
        medical = ["symptom", "emergency"]
        return [*self.intents, *self.talk, *self.refusals, *medical, "outside", "not_understood"]


def read_world(folder=FOLDER):
    """The `World` in `folder`; a missing or broken file raises an error with its name."""
    folder = Path(folder)
    return World(
        words=read_toml(folder / "words.toml"),
        intents=(intents := read_toml(folder / "intents.toml")),
        questions={intent: read_questions(folder, intent) for intent in intents},
        facts=read_toml(folder / "facts.toml")["values"],
        houses={row["name"]: read_voice(row) for row in read_csv(folder / "houses.csv")},
        synonyms=read_synonyms(folder / "synonyms.txt"),
        asides=read_lines(folder / "asides.txt"),
        phrases=read_toml(folder / "phrases.toml"),
        tasks=read_toml(folder / "tasks.toml"),
        lookups=read_toml(folder / "lookups.toml")["card"],
        talk=read_talk(folder),
        refusals=by_name(read_toml(folder / "refuse.toml")["kind"]),
        outside=read_lines(folder / "outside.txt"),
        outside_b=read_lines(folder / "outside_b.txt"),
        not_understood=read_lines(folder / "not_understood.txt"),
        medicine=read_medicine(folder),
        school=read_school(folder),
        creative=read_toml(folder / "creative.toml"),
    )


def read_talk(folder):
    """Small talk by kind, with the questions of both authors."""
    more = read_toml(folder / "chitchat_b.toml")
    kinds = by_name(read_toml(folder / "chitchat.toml")["kind"])
    return {kind: table | {"questions_b": more[kind]["questions"]} for kind, table in kinds.items()}


def read_medicine(folder):
    """Medical words with their meanings; compound words get theirs from their parts."""
    meanings = {row["term"]: row["meaning"] for row in read_csv(folder / "medical_words.csv")}
    parts = read_toml(folder / "medical_parts.toml")
    roots = {root["part"]: root["plain"] for root in parts["root"]}
    suffixes = {suffix["part"]: suffix["plain"] for suffix in parts["suffix"]}
    compounds = {
        word["term"]: suffixes[word["suffix"]].format(root=roots[word["root"]]) for word in parts["word"]
    }
    return {
        "words": meanings,
        "compounds": {term: meaning for term, meaning in compounds.items() if term not in parts["new"]},
        "new_compounds": {term: compounds[term] for term in parts["new"]},
        **read_toml(folder / "medical_questions.toml"),
    }


def read_school(folder):
    """School topics at three levels, exercises with words, and quiz questions."""
    school = read_toml(folder / "school.toml")
    return {
        "topics": by_name(school["topic"]),
        "ask": school["ask"],
        "ask_level": school["ask_level"],
        "levels": school["levels"],
        "exercises": read_toml(folder / "school_words.toml"),
        "quiz": read_toml(folder / "quiz.toml")["item"],
    }


def read_toml(path):
    """The table in a TOML file; a mistake in it raises ValueError with the file and place."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from None


def read_csv(path):
    """The rows of a table as dictionaries."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_lines(path):
    """The lines of a text file that are not blank."""
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def read_synonyms(path):
    """`a | b | c` on a line means that each of them may stand for each other one."""
    groups = [[word.strip() for word in line.split("|")] for line in read_lines(path)]
    return {word: [other for other in group if other != word] for group in groups for word in group}


def read_voice(row):
    """The voice in one row of the houses."""
    return Voice(row["greeting"], row["sign_off"], row["style"])


def by_name(entries):
    """The entries as a dictionary by their name."""
    return {entry["name"]: entry for entry in entries}


def read_questions(folder, intent):
    """What customers write, by two authors who did not see each other's lines."""
    files = [folder / name / f"{intent}.txt" for name in ("questions", "questions_b")]
    return [line for file in files for line in read_lines(file)]

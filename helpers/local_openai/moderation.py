"""Rules that find unsafe text, for /v1/moderations and for training files: patterns, and nothing that learns.

The patterns lie in data/moderation/patterns.csv, with lists of words in words.csv; what they see and miss is
measured in data/moderation/card.md. A score is SCORE where a pattern matches and 0 everywhere else.
"""

import csv
import re
from collections import defaultdict
from functools import cache
from itertools import product

from . import ROOT

FOLDER = ROOT / "data" / "moderation"
CATEGORIES = (  # in the order of OpenAI's own object
    *("harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent"),
    *("self-harm", "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors"),
    *("violence", "violence/graphic"),
)
SCORE = 0.9
MIN_FLAGGED, MAX_SHARE = 3, 0.05  # a training file is blocked by three flagged examples if they are over 5 %
AROUND = ["", *".,!?;:\"')", *"\"'("]  # what may stand before or behind a word without a blank


def categories_of(text):
    """The categories in which a text is flagged, as a set; for most, one look at their words is enough."""
    telling = rules()
    words = text.lower().split()
    if telling.keys().isdisjoint(words):
        return set()
    likely = {rule for word in words for rule in telling.get(word, ())}
    text = " ".join(words).replace("’", "'").rstrip(".!?")
    return {name for pattern, categories in likely if pattern.search(text) for name in categories}


@cache
def rules():
    """{word: [(pattern, categories)]}: every match of a pattern has one of the words that lead to it."""
    lists = {row["list"]: row["words"].split() for row in table("words.csv")}
    telling = defaultdict(list)
    for row in table("patterns.csv"):
        rule = re.compile(filled(row["pattern"], lists)), tuple(row["categories"].split())
        for word in re.findall(r"\w+", filled(row["needs"], lists)):
            for before, behind in product(AROUND, AROUND):
                telling[before + word + behind].append(rule)
    return dict(telling)


def table(name):
    """The rows of one of the two tables."""
    with open(FOLDER / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def filled(text, lists):
    """The text with each {list} replaced by its words as alternatives."""
    for name, words in lists.items():
        text = text.replace("{" + name + "}", f"(?:{'|'.join(words)})")
    return text


class Tally:
    """Counts the examples of a training file in which something unsafe would be learned."""

    def __init__(self):
        self.examples, self.flagged, self.categories = 0, 0, set()

    def add(self, messages):
        """Look at what the assistant says in one example; a question about bad things may well be refused."""
        self.examples, found = self.examples + 1, set()
        for message in messages:
            if message["role"] == "assistant" and message.get("weight", 1):
                found |= categories_of(message["content"])
        self.flagged += bool(found)
        self.categories |= found

    def blocked(self):
        """Whether too many examples are flagged."""
        return self.flagged >= MIN_FLAGGED and self.flagged > MAX_SHARE * self.examples

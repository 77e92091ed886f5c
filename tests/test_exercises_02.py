"""The exercises of lesson 02 answer each wrong answer with words, and none with an error."""

import pandas as pd
import pytest

from helpers import check

ROWS = pd.DataFrame(
    {"answer": ["", "Splash! You can send it back within 60 days. Paws up, Otto."]}, index=[1, 2]
)
DESK = pd.DataFrame(
    {
        "agent": ["Jasper"] * 7 + ["Mina"] * 9,
        "old_rule": [True] * 5 + [False] * 2 + [True] * 9,
        "date": ["2026-03-02", "2026-03-01", "2026-02-01", "2026-01-01", "2025-12-01"]
        + ["2026-03-02"] * 6
        + ["2026-01-01"] * 5,
    }
)
KEPT = pd.DataFrame({"ticket": [20756, 1], "question": ["a?", "b?"], "topic": ["late", "late"]})
USABLE = pd.DataFrame(
    {
        "ticket": range(60),
        "topic": list("abc") * 20,
        "question": [f"{chr(97 + n // 3) * 9}{n}?" for n in range(60)],
    }
)
GOOD = "Splash! Yes, gift wrapping costs 3 euros. Paws up, Otto."
SHEET = {
    "what": "96 questions with answers.",
    "source": "Ottermere's help desk.",
    "removed": "Doubles and old rules.",
    "limits": "One shop, English only.",
    "licence": "CC BY 4.0",
}


def pair(question="Do you wrap gifts?", answer=GOOD):
    """One such row of 02.7 and one that is fine."""
    return [(question, answer), ("Could my aunt's present come in nice paper?", GOOD)]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (("02.1", None, ROWS), "Put the ticket numbers"),
        (("02.1", [7], ROWS), "7 is no ticket"),
        (("02.1", [[1]], ROWS), "Put the ticket numbers"),
        (("02.1", ["1"], ROWS), "without quotation marks"),
        (("02.1", ROWS, ROWS), "Put the ticket numbers"),
        (("02.1", [2], ROWS), "Ticket 1 has no answer at all"),
        (("02.2", {}), "Decide these tickets"),
        (("02.2", {21040: ["good"], 20682: "good", 20750: "good", 21797: "good"}), 'write "good"'),
        (
            ("02.2", {21040: "good", 20682: "good", 20750: "good", 21797: "good"}),
            "calls the customer by name",
        ),
        (("02.3", "Where is it?"), "two questions in brackets"),
        (("02.3", (["Where?"], "Where is it?")), "two questions in brackets"),
        (("02.3", ("Where is my hat?", "Where is my cat?")), "Find other words"),
        (("02.4", ["Tuesday"]), "'Tuesday' is no name of a person"),
        (("02.4", ["ansgar"]), "with a capital letter"),
        (("02.4", [["Ansgar"]]), "Write them as a list"),
        (("02.4", ["Ansgar"]), "3 more"),
        (("02.5", None, DESK), "Give one number"),
        (("02.5", DESK["agent"].mode(), DESK), "Give one number"),
        (("02.5", [1], DESK), "Give one number"),
        (("02.5", 14, DESK), "all answers with an old rule"),
        (("02.5", 6, DESK), "of all colleagues"),
        (("02.5", 5, DESK), "of all months"),
        (("02.5", 3, DESK), "from before 1 March"),
        (("02.5", 4, DESK), "all his answers"),
        (("02.5", 8, DESK), "three conditions"),
        (("02.6", 20756, KEPT), "put the tickets"),
        (("02.6", [[20756]], KEPT), "put the tickets"),
        (("02.6", ["20756"], KEPT), "without quotation marks"),
        (("02.6", [20756], KEPT), "1 of the bad ones found"),
        (("02.7", []), "at least two pairs"),
        (("02.7", [("a", 1), ("b", 2)]), "a pair in round brackets"),
        (("02.7", pair(question="")), "fewer than two words"),
        (("02.7", pair(question="Where is my parcel?")), "does not ask for gift wrapping"),
        (("02.7", pair(question="Können Sie das hier als Geschenk einpacken?")), "English"),
        (("02.7", pair(question="Wrap my gift? Call 07700 900314")), "private data"),
        (("02.7", pair(answer="Yes.")), "lacks the voice"),
        (("02.7", pair(answer="Splash! We wrap it. Paws up, Otto.")), "3 euros"),
        (("02.7", pair(answer="Splash! We wrap a gift for 13 euros. Paws up, Otto.")), "3 euros"),
        (
            ("02.7", pair(answer="Splash! We wrap for 3 euros, within 60 days. Paws up, Otto.")),
            "another rule",
        ),
        (
            ("02.7", pair(answer="Splash! No, we do not wrap gifts for 3 euros. Paws up, Otto.")),
            "a no or not",
        ),
        (("02.7", pair(answer="Splash! 3 euros. Paws up, Otto.")), "what the 3 euros are for"),
        (("02.7", pair(answer="Splash! We never wrap gifts for 3 euros. Paws up, Otto.")), "a no or not"),
        (("02.7", pair(answer="Splash! We wrap for 3 euros, stupid. Paws up, Otto.")), "not kind"),
        (("02.8", None, USABLE), "one group for each"),
        (("02.8", [[1]] * 60, USABLE), "one group for each"),
        (("02.8", USABLE["topic"], USABLE), "so large"),
        (("02.8", USABLE["ticket"].to_numpy(), USABLE), "stand nearly the same"),
        (("02.9", None, 96), "a dictionary"),
        (("02.9", SHEET | {"what": "blah blah blah blah"}, 96), "3 different words"),
        (("02.9", SHEET | {"what": "98% right I believe"}, 98), "how many training examples"),
        (("02.9", SHEET | {"what": "196 questions with answers"}, 96), "how many training examples"),
        (("02.9", SHEET | {"source": "I do not know"}, 96), "From where"),
        (("02.9", SHEET | {"removed": "Nothing at all, really"}, 96), "What did we drop"),
        (("02.9", SHEET | {"limits": "None, it is good for everything"}, 96), "every file has limits"),
        (("02.9", SHEET | {"licence": "MIT"}, 96), "CC BY 4.0"),
    ],
)
def test_a_wrong_answer_is_told_what_is_wrong(answer, words):
    note = repr(check(*answer))
    assert "Not yet" in note and words in note, note


@pytest.mark.parametrize(
    "answer",
    [
        ("02.1", {1}, ROWS),
        ("02.1", ROWS.index[:1], ROWS),
        ("02.2", {21040: "Not good", 20682: "good ", 20750: "Good", 21797: "not good"}),
        ("02.3", ["Tracking, please", "Where might Anne's parcel be?"]),
        ("02.4", ("Ansgar", "Fenwick", "Ottilie", "Philomena")),
        ("02.5", DESK["old_rule"].head(2).sum(), DESK),
        ("02.7", pair()),
        ("02.7", pair("Is gift wrapping free?", "Splash! No, we wrap it for 3 euros. Paws up, Otto.")),
        ("02.9", SHEET | {"limits": "only English mails"}, 96),
        ("02.8", USABLE.index // 3, USABLE),
        ("02.9", SHEET, 96),
    ],
)
def test_a_short_fair_answer_is_accepted(answer, tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_OPENAI_STORE", str(tmp_path))
    assert "✔" in repr(check(*answer)), check(*answer)

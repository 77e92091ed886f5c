"""The exercises of lesson 02 answer each wrong answer with words, and none with an error."""

import pandas as pd
import pytest

from helpers import check

ROWS = pd.DataFrame(
    {"answer": ["", "Splash! You can send it back within 60 days. Paws up, Otto."]}, index=[1, 2]
)
DESK = pd.DataFrame({"agent": ["Ada", "Bo"], "old_rule": [True, True], "date": ["2026-03-02", "2026-02-01"]})
KEPT = pd.DataFrame({"ticket": [20756, 1], "question": ["a?", "b?"], "topic": ["late", "late"]})
WRITTEN = [("Please wrap it.", "Splash! We wrap it. Paws up, Otto."), ("Wrap?", "Yes.")]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (("02.1", None, ROWS), "Put the ticket numbers"),
        (("02.1", [7], ROWS), "7 is no ticket"),
        (("02.1", [2], ROWS), "Ticket 1 has no answer at all"),
        (("02.2", {}), "Decide these tickets"),
        (
            ("02.2", {21040: "good", 20682: "good", 20750: "good", 21797: "good"}),
            "calls the customer by name",
        ),
        (("02.3", "Where is it?"), "two questions in brackets"),
        (("02.3", ("Where is my hat?", "Where is my cat?")), "Find other words"),
        (("02.4", ["Tuesday"]), "'Tuesday' is no name of a person"),
        (("02.4", ["Ansgar"]), "3 more"),
        (("02.5", None, DESK), "Give the name of a colleague"),
        (("02.5", "Bo", DESK), "0 since 1 March"),
        (("02.6", 20756, KEPT), "put the tickets"),
        (("02.6", [20756], KEPT), "1 of the bad ones found"),
        (("02.7", [], []), "at least two pairs"),
        (("02.7", [("a", 1), ("b", 2)], []), "a pair in round brackets"),
        (("02.7", WRITTEN, []), "3 euros"),
        (("02.8", None, KEPT), "one group for each"),
        (("02.8", [1, 1], KEPT), "so few groups"),
        (("02.9", None, 96), "a dictionary"),
        (("02.9", dict.fromkeys(("what", "source", "removed", "limits", "licence"), "a b c d"), 96), "96"),
    ],
)
def test_a_wrong_answer_is_told_what_is_wrong(answer, words):
    note = repr(check(*answer))
    assert "Not yet" in note and words in note, note

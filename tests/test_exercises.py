import pandas as pd
import pytest

from helpers import check, hint, predict
from helpers.exercise_list import EXERCISES
from helpers.exercises import hints_given


def test_a_guess_is_set_beside_what_was_measured():
    guess = predict("How many?", ["few", "many"])
    assert "nothing yet" in repr(guess)
    assert "No guess this time. Measured: many" in repr(guess.reveal("many", "because"))
    guess.buttons.value = "many"
    assert "You guessed: many, and so it is" in repr(guess.reveal("many", "because"))
    guess.buttons.value = "few"
    assert "You guessed: few. Measured: many: because" in repr(guess.reveal("many", "because"))


def test_hints_come_one_after_the_other_and_begin_anew():
    hints_given.clear()
    texts = [repr(hint("00.1")) for _ in range(4)]
    assert [text[:11] for text in texts] == ["Hint 1 of 3", "Hint 2 of 3", "Hint 3 of 3", "Hint 1 of 3"]


def test_every_exercise_has_three_hints():
    assert all(len(set(exercise.hints)) == 3 for exercise in EXERCISES.values())


def test_an_unknown_exercise_is_told_with_the_known_ones():
    with pytest.raises(KeyError, match=r"no exercise '99\.9'; there are: 00\.1"):
        check("99.9", 1)


def test_an_exercise_is_found_by_either_way_to_write_its_number():
    assert "Not yet (4.1)" in repr(check("4.1", 0)) and "Not yet (04.1)" in repr(check("04.1", 0))


@pytest.mark.parametrize("answer", [None, "75", 74, 600, 15])
def test_a_wrong_answer_is_met_with_words_and_not_with_an_error(answer):
    assert "Not yet" in repr(check("04.1", answer))
    assert "Not yet" in repr(check("00.3", answer, pd.DataFrame({"rule": [True], "voice": [True]})))
    assert "Not yet" in repr(check("00.1", answer if isinstance(answer, str) else None, "", []))


def test_what_a_learner_typed_is_shown_as_text_and_not_as_html():
    rows = pd.DataFrame({"question": ["<b>"], "reply": ["<script>"], "voice": [True], "rule": [False]})
    assert "<script>" not in check("00.3", 0, rows)._repr_html_()

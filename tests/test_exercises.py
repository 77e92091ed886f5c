import pandas as pd
import pytest

from helpers import check, hint, predict, progress, quiz
from helpers.exercises import ROOT, Choice, explanation, find, hints_given, lesson_tables, show_explanation

LESSONS = sorted(path.stem.removeprefix("lesson_") for path in ROOT.glob("notebooks/exercises/lesson_*.py"))
lessons = pytest.mark.parametrize("lesson", LESSONS)


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_OPENAI_STORE", str(tmp_path))


@pytest.fixture
def two_questions(tmp_path, monkeypatch):
    """A lesson 98 with one quiz question."""
    monkeypatch.setattr("helpers.exercises.ROOT", tmp_path)
    lesson_tables.cache_clear()
    file = tmp_path / "notebooks" / "exercises" / "lesson_98.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "from helpers.exercises import Exercise, Quiz\n"
        "EXERCISES = {'98.1': Exercise(lambda answer: (answer == 4, 'Two and two.'), ('a', 'b', 'c'))}\n"
        "QUIZZES = {'98.A': Quiz('Which?', {'this': 'Because <b>.', 'that': 'It is not.'}, right='this')}\n"
    )
    yield
    lesson_tables.cache_clear()


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


@lessons
def test_every_exercise_has_three_hints(lesson):
    assert all(len(set(exercise.hints)) == 3 for exercise in lesson_tables(lesson)["EXERCISES"].values())


@lessons
def test_every_option_of_a_quiz_is_explained_in_its_own_words(lesson):
    for number, question in lesson_tables(lesson)["QUIZZES"].items():
        assert question.right in question.options and len(question.options) >= 3, number
        assert len(set(question.options.values())) == len(question.options), number
        assert all(len(why.split()) >= 5 for why in question.options.values()), number


def test_a_quiz_explains_each_answer_in_text(two_questions):
    answers = {repr(quiz("98.A", 1)), repr(quiz("98.A", 2))}
    assert answers == {"✔ Yes: Because <b>.", "✘ No: It is not."}


def test_the_options_are_numbered_in_the_order_in_which_they_are_shown(capsys):
    quiz("00.A")
    shown = capsys.readouterr().out
    first = shown.split("(1) ")[1].split("; (2)")[0]
    assert repr(quiz("00.A", 1)).endswith(find("00.A", "QUIZZES").options[first])


def test_the_right_answer_does_not_always_stand_at_the_same_place():
    numbers = [number for lesson in LESSONS for number in lesson_tables(lesson)["QUIZZES"]]
    firsts = [repr(quiz(number, 1)).startswith("✔") for number in numbers]
    assert any(firsts) and not all(firsts)


def test_a_quiz_explains_the_answer_that_is_clicked(two_questions):
    asked = Choice("Quiz", "Which?", ["this", "that"])
    show_explanation(asked.answer, "98.A", "this")
    assert "✔ Yes" in asked.answer.value and "Because &lt;b&gt;." in asked.answer.value


def test_a_quiz_is_read_as_text_where_no_buttons_are_drawn(two_questions, capsys):
    quiz("98.A")
    assert "Quiz 98.A: Which? (1) " in (shown := capsys.readouterr().out) and "nothing yet" in shown


def test_progress_is_kept_on_disk_and_counts_what_was_solved(two_questions):
    assert progress("98").loc["solved"].tolist() == ["open", "open"]
    check("98.1", 3), explanation("98.A", "that")
    assert progress("98").loc["solved"].tolist() == ["open", "open"]
    check("98.1", 4), explanation("98.A", "this")
    assert progress("98").loc["solved"].tolist() == ["✔", "✔"]


def test_a_guess_can_be_given_as_a_number():
    assert "You guessed: many, and so it is" in repr(predict("?", ["few", "many"], 2).reveal("many", "so"))


def test_a_number_that_no_option_has_is_told_with_those_that_there_are(two_questions):
    for choice in (0, 4, "2"):
        with pytest.raises(ValueError, match="give the number of an option, 1 to 2"):
            quiz("98.A", choice)


def test_an_unknown_exercise_is_told_with_the_known_ones():
    with pytest.raises(KeyError, match=r"no '00\.9'; there are: 00\.1"):
        check("00.9", 1)
    with pytest.raises(KeyError, match="no lesson '99'"):
        hint("99.1")


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

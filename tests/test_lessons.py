"""What holds for every lesson: its frame, its outputs, and that each exercise can be failed and solved."""

import ast
import json
import os
import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from helpers.exercises import lesson_tables
from tests.benchmarks.lesson_minutes import contents, estimate, stated

LESSONS = sorted(Path(__file__).parents[1].glob("notebooks/*.ipynb"))


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def exercise_of(cell):
    """The number of the exercise that a code cell holds, or None."""
    tags = cell.metadata.get("tags", [])
    return next((tag.removeprefix("exercise-") for tag in tags if tag.startswith("exercise-")), None)


def solution_behind(notebook, cell):
    """The code of the folded solution that follows an exercise."""
    text = notebook.cells[notebook.cells.index(cell) + 1].source
    assert "<details>" in text, exercise_of(cell)
    return re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)


def shown(cell):
    return "\n".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)


lessons = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


@lessons
def test_a_lesson_says_its_minutes_its_questions_and_what_one_will_be_able_to_do(path):
    first, last = read(path).cells[0].source, read(path).cells[-1].source
    assert re.search(r"\*\*Time:\*\* \d+ minutes", first)
    assert "**Questions this lesson answers**" in first and "**You will be able to**" in first
    assert 3 <= len(re.findall(r"^- ", last.split("## Key points")[1], re.MULTILINE)) <= 5
    assert "**Next:**" in last


@lessons
def test_the_readme_tells_the_same_minutes(path):
    minutes = re.search(r"\*\*Time:\*\* (\d+) minutes", read(path).cells[0].source).group(1)
    readme = (path.parents[1] / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"\(notebooks/{path.name}\) \| {minutes} \|", readme)


@lessons
def test_a_lesson_states_no_fewer_minutes_than_there_is_to_read_and_to_do(path):
    assert stated(path) >= estimate(path)


def test_there_is_enough_to_do():
    done = pd.DataFrame([contents(path) for path in LESSONS]).sum()
    assert done["exercise"] >= 45 and done["quiz"] >= 40 and done["prediction"] >= 20


@lessons
def test_a_lesson_was_run_from_top_to_bottom_and_every_cell_shows_something(path):
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert all(cell.outputs for cell in cells)
    assert "widget-view" not in json.dumps([cell.outputs for cell in cells])  # GitHub cannot draw them
    kinds = {output.output_type for cell in cells for output in cell.outputs}
    assert "error" not in kinds
    assert not any(output.get("name") == "stderr" for cell in cells for output in cell.outputs)


@lessons
def test_no_saved_output_tells_of_the_machine_or_a_key(path):
    text = json.dumps([cell.outputs for cell in code_cells(read(path))])
    assert not re.search(r"/home/|/root|/work|/tmp|C:\\\\Users|sk-[A-Za-z0-9]", text)


@lessons
def test_lessons_import_from_helpers_alone(path):
    source = "\n".join(cell.source for cell in code_cells(read(path)))
    names = {
        node.module
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("helpers")
    }
    assert names == {"helpers"}


@lessons
def test_every_exercise_and_every_question_stands_in_its_lesson(path):
    tables, cells = lesson_tables(path.name[:2]), code_cells(read(path))
    assert sorted(filter(None, map(exercise_of, cells))) == sorted(tables["EXERCISES"])
    asked = re.findall(r'^quiz\("(.+?)"\)$', "\n".join(cell.source for cell in cells), re.MULTILINE)
    assert sorted(asked) == sorted(tables["QUIZZES"])


@lessons
def test_each_stub_fails_its_check_and_each_solution_passes(path, tmp_path, monkeypatch):
    notebook = read(path)
    exercises = [cell for cell in code_cells(notebook) if exercise_of(cell)]
    for cell in exercises:
        assert "✘ Not yet" in shown(cell), exercise_of(cell)  # as it was run and saved
        cell.source = solution_behind(notebook, cell)
    # Nothing that an exercise needs comes out of the long experiments, which nbval runs.
    notebook.cells = [cell for cell in notebook.cells if "experiment" not in cell.metadata.get("tags", [])]
    monkeypatch.setenv("LOCAL_OPENAI_STORE", str(tmp_path / "store"))
    monkeypatch.setitem(os.environ, "PYDEVD_DISABLE_FILE_VALIDATION", "1")
    resources = {"metadata": {"path": path.parent}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    for cell in exercises:
        assert f"✔ Exercise {exercise_of(cell)}" in shown(cell), shown(cell)

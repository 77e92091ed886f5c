"""helpers/__init__ is a map: what it names exists, is explained, and is used in a lesson."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import helpers

ROOT = Path(__file__).parents[1]
LESSONS = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("notebooks/*.ipynb"))
TESTS = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/test_*.py"))

names = pytest.mark.parametrize("name", helpers.MAP)


@names
def test_a_public_name_exists_and_is_explained(name):
    value = getattr(helpers, name)
    assert isinstance(value, str) or len(value.__doc__) > 20


@names
def test_a_public_name_is_used_in_a_lesson(name):
    assert any(use in LESSONS for use in (f"{name}(", f"({name}", f"={name}"))  # called, or handed on


@names
def test_a_public_name_is_tested(name):
    assert re.search(rf"\b{name}\b", TESTS)


def test_what_the_lessons_import_stays_small():
    """No lesson imports the files of the four commands: `__main__.py` and those with an underscore."""
    modules = [path for path in ROOT.glob("helpers/*.py") if not path.name.startswith("_")]
    lines = {path.name: sum(map(bool, map(str.strip, path.open(encoding="utf-8")))) for path in modules}
    assert sum(lines.values()) < 1600 and max(lines.values()) <= 200


def test_a_name_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(AttributeError, match="no name 'conect'; its names are: .*connect"):
        _ = helpers.conect


def test_importing_helpers_needs_nothing_but_python():
    code = "import helpers.__main__, sys; print(sorted({'numpy', 'pandas', 'openai'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"

"""How long each lesson takes a beginner, and the computer:  python -m tests.benchmarks.lesson_minutes [--run]

The minutes are an estimate from what there is to read and to do. Adults read English non-fiction silently at
238 words a minute (Brysbaert, 2019, a review of 190 studies); for technical text in a second language we take
180. The other rates are our own. A lesson states at least this many minutes (tests/test_lessons.py); where a
fresh reader estimated more, it states the mean of both. With --run each lesson is executed in a fresh kernel
on an empty store and its seconds are printed; the machine should do nothing else.
"""

import argparse
import os
import re
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

LESSONS = sorted(Path(__file__).parents[2].glob("notebooks/*.ipynb"))
WORDS_A_MINUTE = 180
MINUTES = {"line of code": 5 / 60, "code cell": 0.25, "exercise": 4, "quiz": 0.75, "prediction": 0.5}


def contents(path):
    """What there is to read and to do in a lesson: {kind: how many}; folded solutions do not count."""
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    code = [cell for cell in cells if cell.cell_type == "code"]
    lines = [line for cell in code for line in cell.source.splitlines() if line.strip()]
    tags = [tag for cell in code for tag in cell.metadata.get("tags", [])]
    return {
        "word": len(re.sub(r"<details>.*?</details>", "", prose, flags=re.DOTALL).split()),
        "line of code": len(lines),
        "code cell": len(code),
        "exercise": sum(tag.startswith("exercise-") for tag in tags),
        "quiz": sum(line.startswith("quiz(") for line in lines),
        "prediction": sum("predict(" in line for line in lines),
    }


def estimate(path):
    """The minutes that a lesson takes at least."""
    found = contents(path)
    return found.pop("word") / WORDS_A_MINUTE + sum(n * MINUTES[kind] for kind, n in found.items())


def stated(path):
    """The minutes in the first cell of a lesson."""
    first = nbformat.read(path, as_version=4).cells[0].source
    return int(re.search(r"\*\*Time:\*\* (\d+) minutes", first).group(1))


def seconds(path):
    """How long the lesson computes from top to bottom, the start of the kernel included."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as store:
        os.environ["LOCAL_OPENAI_STORE"] = store
        resources = {"metadata": {"path": path.parent}}
        start = time.perf_counter()
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=900, kernel_name="python3", resources=resources).execute()
        return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", action="store_true", help="execute each lesson and print its seconds")
    options = parser.parse_args()
    for path in LESSONS:
        told = ", ".join(f"{n} {kind}" for kind, n in contents(path).items())
        print(f"{path.stem}: {told}: {estimate(path):.0f} minutes, {stated(path)} stated", flush=True)
        if options.run:
            print(f"    {seconds(path):.0f} s of computing", flush=True)


if __name__ == "__main__":
    main()

"""The four commands: `python3 -m helpers lab`, `test`, `serve` and `doctor`.

Standard library alone, and no syntax newer than Python 3.6; the work itself goes on inside .venv.
"""

import argparse
import os
import shutil
import sys
import tempfile

from ._environment import ROOT, become, prepare, run
from ._problems import Problem, check_python, port_is_free

USAGE = """usage: python3 -m helpers COMMAND

  lab      opens JupyterLab at the first lesson    (what follows goes to JupyterLab: --no-browser --port 8899)
  test     runs all tests and every notebook       (what follows goes to pytest: -k formatting)
  serve    the service over HTTP                   --host 127.0.0.1 --port 8321 --store DIR [--token T]
                                                   [--simulate NAME]
  doctor   says what is missing here and how to mend it

The first start makes the folder .venv and installs requirements.txt into it: from the network or,
with --wheels FOLDER, from a folder of packages."""

FIRST_LESSON = "notebooks/00_start_here.ipynb"

# The list of extensions would come from the network; the course installs none.
LAB_OPTIONS = ["--LabApp.extension_manager=readonly", f"--ServerApp.root_dir={ROOT}"]

# Every notebook is run from top to bottom by .venv's own Python; outputs may differ, errors may not occur.
NBVAL_OPTIONS = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=120"]

# Two at a time, since a lesson mostly waits for its job; the cells of a notebook stay in one process.
XDIST_OPTIONS = ["--numprocesses=2", "--dist=loadfile"]


def main(arguments):
    """Carry out one command and return its exit code; what the learner can mend is said in words."""
    if not arguments or arguments[0] not in COMMANDS:
        print(USAGE)
        return 0 if arguments in (["--help"], ["-h"]) else 2
    try:
        check_python(sys.version_info)
        return COMMANDS[arguments[0]](arguments[1:])
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The next start mends what is half-made.", file=sys.stderr)
        return 130


def lab(arguments):
    """Open JupyterLab at the first lesson, or at the notebook that is named."""
    arguments = _prepared(arguments)
    port = _option("--port", arguments)[0] or "8888"
    if port.isdigit() and not port_is_free(int(port)):
        print(f"Port {port} is in use; JupyterLab takes another. Its address stands below.", flush=True)
    if not any(argument.endswith(".ipynb") for argument in arguments) and (ROOT / FIRST_LESSON).exists():
        arguments = [f"--LabApp.default_url=/lab/tree/{FIRST_LESSON}"] + arguments
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # usual in a container; Jupyter refuses otherwise
        arguments = ["--allow-root"] + arguments
    return become(["-m", "jupyterlab"] + LAB_OPTIONS + arguments)


def test(arguments):
    """Run pytest on the tests and on every notebook; the learner's own store is left alone."""
    arguments = _prepared(arguments)
    chosen = any(argument.endswith((".py", ".ipynb")) or "::" in argument for argument in arguments)
    everything = XDIST_OPTIONS + [name for name in ("tests", "notebooks") if (ROOT / name).is_dir()]
    store = tempfile.mkdtemp(prefix="course-test-")
    try:
        options = NBVAL_OPTIONS + ([] if chosen else everything)
        return run(["-m", "pytest"] + options + arguments, LOCAL_OPENAI_STORE=store)
    finally:
        shutil.rmtree(store, ignore_errors=True)  # a worker may be writing its last lines there


def serve(arguments):
    """Serve the API over HTTP until Ctrl-C or SIGTERM."""
    return become(["-m", "helpers._serve"] + _prepared(arguments))


def doctor(_arguments):
    """Print what is missing on this machine and how to mend it."""
    from ._doctor import examine

    return examine()


def _prepared(arguments):
    """Make .venv ready and return the arguments without our own --wheels FOLDER."""
    wheels, others = _option("--wheels", arguments)
    if wheels and not os.path.isdir(wheels):
        raise Problem(f"There is no folder {wheels}.", "name the folder of packages after --wheels")
    prepare(wheels)
    return others


def _option(name, arguments):
    """Return the value of one option (or None) and all other arguments."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(name, dest="value")
    found, others = parser.parse_known_args(arguments)
    return found.value, others


COMMANDS = {"lab": lab, "test": test, "serve": serve, "doctor": doctor}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

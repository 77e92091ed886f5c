"""The commands as a learner starts them, on small copies of the project whose only package is a stub."""

import ast
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from helpers import _problems

ROOT = Path(__file__).resolve().parent.parent
BEFORE_INSTALLATION = ["__init__.py", "__main__.py", "_environment.py", "_problems.py", "_doctor.py"]

# Stands for JupyterLab and for pytest, and says how it was started.
STUB = """
import json, os, sys
store = os.environ["LOCAL_OPENAI_STORE"]
print(json.dumps({"arguments": sys.argv[1:], "prefix": sys.prefix, "store": store,
                  "store_is_there": os.path.isdir(store), "jupyter_path": os.environ["JUPYTER_PATH"]}))
sys.exit(5 if "no_such_test" in sys.argv else 0)
"""


def write_project(folder):
    (folder / "helpers").mkdir(parents=True)
    for name in BEFORE_INSTALLATION:
        shutil.copy(ROOT / "helpers" / name, folder / "helpers")
    (folder / "requirements.txt").write_text("stub==1.0  # stands for all packages\n")
    (folder / "wheels").mkdir()
    with zipfile.ZipFile(folder / "wheels" / "stub-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("jupyterlab/__main__.py", STUB)
        wheel.writestr("pytest/__main__.py", STUB)
        wheel.writestr("stub-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: stub\nVersion: 1.0\n")
        wheel.writestr("stub-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("stub-1.0.dist-info/RECORD", "")
    return folder


def start(project, *arguments, python=(sys.executable, "-m", "helpers"), index="http://127.0.0.1:9/", **more):
    """Start a command of the project; pip's index is a port of this machine where nobody listens."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    closed = {"PIP_INDEX_URL": index, "PIP_CONFIG_FILE": os.devnull, "LOCAL_OPENAI_STORE": "own-store"}
    more["PYTHONUTF8"] = "1"  # so that Windows, too, writes "Küche" as it is read here
    return subprocess.Popen(
        [*python, *arguments],
        cwd=project,
        env={**kept, **closed, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )


def finish(process):
    """Return exit code, output and error output of a started command, which never is a traceback."""
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    return process.returncode, out, err


def command(project, *arguments, **options):
    return finish(start(project, *arguments, **options))


def stub_says(out):
    return json.loads(out.splitlines()[-1])


@pytest.fixture(scope="module")
def first_start(tmp_path_factory):
    project = write_project(tmp_path_factory.mktemp("projects") / "Küche 1")
    return project, command(project, "lab", "--wheels", "wheels", "--port", "8899", JUPYTER_PATH="theirs")


@pytest.fixture
def project(first_start, tmp_path):
    """A copy of the project after its first start."""
    return shutil.copytree(first_start[0], tmp_path / "Küche 2", symlinks=True)


def test_the_first_start_makes_the_environment_and_goes_on_inside_it(first_start):
    project, (code, out, _) = first_start
    stub = stub_says(out)
    assert code == 0
    assert Path(stub["prefix"]) == project / ".venv"
    assert stub["arguments"][-2:] == ["--port", "8899"]
    assert "--wheels" not in stub["arguments"]
    settings = project / ".venv" / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    assert '"fetchNews": "false"' in settings.read_text()


def test_the_environments_own_kernel_comes_before_one_in_the_learners_home(first_start):
    project, (_, out, _) = first_start
    paths = stub_says(out)["jupyter_path"].split(os.pathsep)
    assert paths == [str(project / ".venv" / "share" / "jupyter"), "theirs"]


def test_a_second_start_installs_nothing_and_is_quick(project):
    began = time.perf_counter()
    code, out, _ = command(project, "lab")
    assert code == 0
    assert "Installing" not in out
    assert time.perf_counter() - began < 2


def test_lab_opens_the_first_lesson_or_the_one_that_is_named(project):
    lesson = project / "notebooks" / "00_start_here.ipynb"
    lesson.parent.mkdir()
    lesson.touch()
    first = "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb"
    assert first in stub_says(command(project, "lab")[1])["arguments"]
    assert first not in stub_says(command(project, "lab", "other.ipynb")[1])["arguments"]


def test_lab_says_when_its_port_is_taken(project):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"Port {port} is in use" in command(project, "lab", "--port", port)[1]


def test_test_gives_pytests_exit_code_and_a_store_of_its_own(project):
    (project / "tests").mkdir()
    code, out, _ = command(project, "test", "-k", "no_such_test")
    stub = stub_says(out)
    assert code == 5
    assert stub["arguments"][-3:] == ["tests", "-k", "no_such_test"]
    assert stub["store_is_there"]
    assert stub["store"] != "own-store"
    assert not Path(stub["store"]).exists()


@pytest.mark.parametrize("damage", ["unfinished", "no Python"])
def test_a_half_made_environment_is_made_anew(project, damage):
    rest = project / ".venv" / "rest-of-an-interrupted-start"
    rest.touch()
    if damage == "unfinished":
        (project / ".venv" / "course.stamp").write_text("unfinished")
    else:
        shutil.rmtree(project / ".venv" / ("Scripts" if os.name == "nt" else "bin"))
    assert command(project, "lab", "--wheels", "wheels")[0] == 0
    assert not rest.exists()


def test_an_environment_that_the_learner_made_is_installed_into(project):
    (project / ".venv" / "course.stamp").unlink()
    own = project / ".venv" / "own"
    own.touch()
    code, out, _ = command(project, "lab", "--wheels", "wheels")
    assert (code, own.exists()) == (0, True)
    assert "Installing" in out


def test_of_two_starts_at_once_one_installs_and_the_other_waits(project):
    (project / ".venv" / "course.stamp").write_text("of older requirements")
    both = [start(project, "lab", "--wheels", "wheels") for _ in range(2)]
    results = [finish(process) for process in both]
    assert [code for code, _, _ in results] == [0, 0]
    assert sum("Installing" in out for _, out, _ in results) == 1


def test_without_a_network_words_tell_how_to_install_and_nothing_is_lost(project):
    requirements = project / "requirements.txt"
    before = requirements.read_text()
    requirements.write_text(before + "another==1.0\n")
    code, _, err = command(project, "lab")
    assert code == 1
    assert "No network" in err
    assert "--wheels" in err
    requirements.write_text(before)
    assert "Installing" not in command(project, "lab")[1]


def test_a_folder_of_wheels_that_lacks_a_package_is_named(project):
    (project / "requirements.txt").write_text("another==1.0\n")
    code, _, err = command(project, "lab", "--wheels", "wheels")
    assert code == 1
    assert "no ready-made package another==1.0" in err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no groups of processes to send Ctrl-C to")
def test_ctrl_c_during_the_installation_ends_in_words(project):
    # What a shell runs in the background ignores Ctrl-C, and so would all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    (project / "requirements.txt").write_text("another==1.0\n")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        process = start(project, "lab", index=index)
        silent.accept()  # pip has asked, and gets no answer
        os.killpg(process.pid, signal.SIGINT)
        code, _, err = finish(process)
    assert code == 130
    assert "next start mends" in err


def test_a_python_without_venv_is_told_which_package_to_install(tmp_path):
    code = "import runpy, sys; sys.modules['ensurepip'] = None; runpy.run_module('helpers', {}, '__main__')"
    failed = command(write_project(tmp_path / "new"), "lab", python=(sys.executable, "-c", code))
    assert failed[0] == 1
    assert f"python3.{sys.version_info[1]}-venv" in failed[2]


def test_a_python_that_is_too_old_is_told_so():
    with pytest.raises(_problems.Problem, match="Python 3.9.18 is too old; the course needs 3.11"):
        _problems.check_python((3, 9, 18, "final", 0))


@pytest.mark.parametrize("name", BEFORE_INSTALLATION)
def test_an_old_python_can_read_what_runs_before_the_installation(name):
    ast.parse((ROOT / "helpers" / name).read_text(encoding="utf-8"), feature_version=(3, 7))


def test_a_full_disk_is_named_as_the_cause():
    output = "Collecting numpy\nERROR: Could not install packages due to an OSError: [Errno 28] No space left"
    assert "The disk is full" in str(_problems.install_problem(output))
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "The disk is full" in str(_problems.file_problem(error, ".venv"))


def test_doctor_works_without_an_environment_and_makes_none(tmp_path):
    project = write_project(tmp_path / "new")
    code, out, _ = command(project, "doctor")
    assert code == 1
    assert ".venv is not there yet" in out
    assert "problem  base model" in out
    assert not (project / ".venv").exists()
    assert not (project / "own-store").exists()


def test_doctor_notices_a_base_model_that_was_cut_off(project):
    folder = project / "data" / "base_model"
    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    header = json.dumps({"w": {"dtype": "F16", "shape": [4], "data_offsets": [0, 8]}}).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"1234")
    assert "instead of" in command(project, "doctor")[1]

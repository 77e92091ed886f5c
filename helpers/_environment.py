"""The course's own Python environment, the folder `.venv`: is it ready, and if not, make it.

Standard library alone, and no syntax newer than Python 3.6: this runs before anything is installed.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from ._problems import OLDEST, check_modules, dotted, file_problem, install_problem

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements.txt"
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOCK = VENV / "course.lock"
STAMP = VENV / "course.stamp"  # what .venv was made for; written last
UNFINISHED = "unfinished"  # what the stamp says while packages are being changed

# JupyterLab's settings in .venv: no question about news and no look for updates, both need the network.
LAB_SETTINGS = VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
QUIET = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}


def state():
    """Return what .venv is: "absent", "half-made", "foreign" (works, not made by us), "stale" or "ready"."""
    if not VENV.exists():
        return "absent"
    stamp = STAMP.read_text(encoding="utf-8") if STAMP.exists() else ""
    version = _version_inside()
    if stamp == UNFINISHED or version < OLDEST:
        return "half-made"
    if not stamp:
        return "foreign"
    return "ready" if stamp == _fingerprint(version) else "stale"


def prepare(wheels=None):
    """Make .venv ready for requirements.txt; `wheels` is a folder of packages to use instead of the network.

    Raises Problem in words. What an earlier start left half-made is made anew, never trusted.
    """
    if state() == "ready":
        return
    try:
        with _one_at_a_time():
            if state() != "ready":  # another start may have made it while this one waited
                _make(wheels)
    except OSError as error:
        raise file_problem(error, VENV) from error


def run(arguments, **variables):
    """Run `python ARGUMENTS` inside .venv, with more environment variables, and return its exit code."""
    child = subprocess.Popen([str(PYTHON)] + arguments, env=_inside(variables))
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue  # Ctrl-C reached the child too; it ends by itself and we wait for that


def become(arguments):
    """Go on as `python ARGUMENTS` inside .venv; signals and the exit code are then its own."""
    if os.name == "nt":
        return run(arguments)  # on Windows exec would give the prompt back at once
    sys.stdout.flush()
    os.execve(str(PYTHON), [str(PYTHON)] + arguments, _inside({}))


def _make(wheels):
    usable = state() in ("foreign", "stale")
    print("Installing the course's packages into .venv (once; a minute or two).", flush=True)
    if not usable:
        check_modules()
        _clear()
        STAMP.write_text(UNFINISHED, encoding="utf-8")
        _step([sys.executable, "-m", "venv", "--without-pip", str(VENV)])
    _step([str(PYTHON), "-I", "-m", "ensurepip", "--default-pip"])
    _step([str(PYTHON), "-I", "-m", "pip", "install"] + _pip_options(wheels))
    LAB_SETTINGS.parent.mkdir(parents=True, exist_ok=True)
    LAB_SETTINGS.write_text(json.dumps(QUIET), encoding="utf-8")
    STAMP.write_text(_fingerprint(_version_inside()), encoding="utf-8")


def _pip_options(wheels):
    # Ready-made packages only: to build one takes compilers and minutes, and fails in words for experts.
    options = ["--only-binary", ":all:", "--no-user", "--retries", "2", "--disable-pip-version-check"]
    if wheels:
        options += ["--no-index", "--find-links", os.path.abspath(wheels)]
    return options + ["-r", str(REQUIREMENTS)]


def _step(command):
    """Run one step of the installation and count pip's packages on the screen."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=_inside({}))
    lines, packages = [], 0
    for line in child.stdout:
        lines.append(line.decode("utf-8", "replace"))
        if lines[-1].startswith("Collecting "):
            packages += 1
            _show(f"\r  {packages} packages found")
        if lines[-1].startswith("Installing collected packages"):
            _show("\n  unpacking them\n")
            STAMP.write_text(UNFINISHED, encoding="utf-8")  # to be interrupted now would leave a broken .venv
    if child.wait() != 0:
        raise install_problem("".join(lines))


def _show(text):
    if sys.stdout.isatty():
        print(text, end="", flush=True)


@contextlib.contextmanager
def _one_at_a_time():
    """Let one process at a time change .venv; the lock ends with its process, however that ends."""
    VENV.mkdir(exist_ok=True)
    with open(str(LOCK), "a") as file:
        if not _try_lock(file):
            print("Another start is installing just now; waiting for it.", flush=True)
            while not _try_lock(file):
                time.sleep(0.5)
        yield


def _try_lock(file):
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _clear():
    """Empty .venv, all but the lock that is held."""
    for entry in VENV.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(str(entry))
        elif entry != LOCK:
            entry.unlink()


def _version_inside():
    """Return the version of .venv's Python, such as (3, 12, 1), or () if it does not run."""
    code = "import sys; print(*sys.version_info[:3])"
    try:
        output = subprocess.check_output([str(PYTHON), "-I", "-S", "-c", code], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return tuple(int(part) for part in output.split())


def _fingerprint(version):
    return hashlib.sha256(REQUIREMENTS.read_bytes() + dotted(version).encode()).hexdigest()


def _inside(variables):
    """Return the environment variables of a program inside .venv, whatever is active outside."""
    inside = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    inside["VIRTUAL_ENV"] = str(VENV)
    inside["PATH"] = os.pathsep.join([str(PYTHON.parent), inside.get("PATH", os.defpath)])
    # Ours first: a kernel named python3 in the learner's home would run the lessons without our packages.
    others = [inside["JUPYTER_PATH"]] if inside.get("JUPYTER_PATH") else []
    inside["JUPYTER_PATH"] = os.pathsep.join([str(VENV / "share" / "jupyter")] + others)
    inside.update(variables)
    return inside

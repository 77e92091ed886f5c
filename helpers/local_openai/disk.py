"""What the store does with files and folders."""

import os
import shutil
import time
from contextlib import suppress


def remove(path):
    """Delete a file or a folder; what is in use (Windows then keeps it) is left to `clean_up`."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def is_older(path, seconds):
    """Whether a file was last written so long ago; one that is gone was not."""
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime > seconds


def sync(path):
    """Wait until the bytes of a file are on the disk."""
    with open(path, "r+b") as file:
        os.fsync(file.fileno())

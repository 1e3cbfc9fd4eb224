"""The journal as a test reads it while the server runs."""

import json
import pathlib
import subprocess
import sys

from . import paths


def read(path):
    """The whole lines so far, as objects."""
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.split("\n")[:-1]]


def check(path, *flags):
    """Runs the auditor as a user would."""
    run = subprocess.run([sys.executable, paths.tool("check_journal.py"), path, *flags],
                         capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout

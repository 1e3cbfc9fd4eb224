"""Where the programs under test are. A missing one is an error with its remedy, never a skip."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]


class MissingProgram(Exception):
    """A program that the tests need is not there."""


def _program(variable, default):
    chosen = os.environ.get(variable)
    path = pathlib.Path(chosen) if chosen else ROOT / default
    if path.is_file() and os.access(path, os.X_OK):
        return path.resolve()
    remedy = f"correct {variable}" if chosen else f"run `make build`, or set {variable}"
    raise MissingProgram(f"{path} is not an executable file: {remedy}")


def holdfast():
    return _program("HOLDFAST_BIN", "build/holdfast")


def llama_server():
    return _program("HOLDFAST_LLAMA_SERVER", "build/llama-server")


def stub_engine():
    """The scriptable stand-in for the engine; see tests/stub_engine/script.h."""
    return _program("HOLDFAST_STUB_ENGINE", "build/release/tests/stub_engine/stub_engine")


def tool(name):
    return ROOT / "tools" / name

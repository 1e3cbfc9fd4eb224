"""Models of kind command, run by openai_stub.py."""

import json
import os
import pathlib
import sys

from . import journal, processes
from .waiting import wait_until

STUB = pathlib.Path(__file__).with_name("openai_stub.py")
MIB = 1024**2


def add(server, name, *words, on="port", bytes_=256 * MIB, **keys):
    """A table for the model, before the server starts or reloads. `words`: further arguments."""
    listen = ["--port", "{port}"] if on == "port" else ["--uds", "{socket}"]
    server.settings[f'models."{name}"'] = {
        # -P: what lies beside the script (http.py) is not for it.
        "command": [sys.executable, "-P", str(STUB), "--state", state(server, name), *listen,
                    *words],
        "bytes": bytes_, "parallel": 2, **keys}


def state(server, name):
    return str(server.folder / f"command-{name.replace('/', '_')}")


def script(server, name, **keys):
    """How its next process behaves; see openai_stub.py."""
    path = pathlib.Path(state(server, name) + ".script")
    part = path.with_suffix(".part")
    part.write_text(json.dumps(keys), encoding="utf-8")
    os.rename(part, path)


def events(server, name, event):
    """What its processes have done so far."""
    path = pathlib.Path(state(server, name) + ".log")
    return [line for line in journal.read(path) if line["event"] == event] if path.exists() else []


def supervisor(server, name):
    """The pid of what Holdfast started for it, or None."""
    return next((pid for pid in server.children()
                 if state(server, name) in processes.command_line(pid)), None)


def family(server, name, size=3):
    """Pids of the head and of the members that it has started, once all are there."""
    wait_until(lambda: len(events(server, name, "member")) >= size, f"the family of {name}")
    head = events(server, name, "start")[-1]["pid"]
    return [head] + [line["pid"] for line in events(server, name, "member")[-size:]]


def held(server, name, gate, **more):
    """A running answer that ends when the file `gate` exists."""
    body = {"model": name, "messages": [], "stub": {"hold_until": str(gate)}, **more}
    return server.stream(body).wait_for_tokens(2)

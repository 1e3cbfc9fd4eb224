"""The stand-in for the engine, scripted by a test. See tests/stub_engine/script.h."""

import json
import os

from . import journal, paths
from .prompts import chat


def settings(**more):
    """Settings of a server that runs it instead of the engine."""
    return {"engine": {"llama_server": paths.stub_engine()}, **more}


def script(server, model, **keys):
    """How the model's next process behaves; one that runs keeps what it has read."""
    path = server.models_dir / f"{model}.gguf.stub"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(keys), encoding="ascii")
    os.rename(part, path)


def events(server, model, event):
    """What the model's processes have done so far."""
    return [line for line in journal.read(server.models_dir / f"{model}.gguf.stub.log")
            if line["event"] == event]


def held(server, model, gate, headers=None):
    """A running answer that ends when the file `gate` exists."""
    body = chat(model, max_tokens=4, stub={"hold_after": 2, "hold_until": str(gate)})
    return server.stream(body, headers=headers).wait_for_tokens(2)

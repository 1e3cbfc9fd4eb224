"""The npm clients: one Node.js process that takes a call a line and answers a line each.

Nothing of a client is imitated here; node/*.mjs hold the calls of each library.
"""

import dataclasses
import itertools
import json
import pathlib
import subprocess
import threading
from concurrent.futures import Future

from . import anthropic_python, calls, openai_python
from .answer import Answer, Refused

_SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "node" / "serve.mjs"


class Node:
    """The process. Dies with the tests: its standard input closes."""

    def __init__(self, clients, log_path):
        self._numbers = itertools.count()
        self._waiting = {}
        self._lock = threading.Lock()
        self._log_path = log_path
        with open(log_path, "wb") as log:
            self._process = subprocess.Popen(
                ["node", _SCRIPT, clients], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, text=True, encoding="utf-8")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def call(self, client, operation, connection, *arguments, timeout=150):
        number, future = next(self._numbers), Future()
        line = json.dumps({"id": number, "client": client, "operation": operation,
                           "connection": dataclasses.asdict(connection), "arguments": arguments})
        with self._lock:
            self._waiting[number] = future
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        reply = future.result(timeout)
        if "refused" in reply:
            raise Refused(**reply["refused"])
        assert "result" in reply, reply.get("failed")
        return reply["result"]

    def end(self):
        self._process.stdin.close()
        assert self._process.wait(30) == 0, self.log()

    def log(self):
        return pathlib.Path(self._log_path).read_text(encoding="utf-8", errors="replace")

    def _read(self):
        for line in self._process.stdout:
            reply = json.loads(line)
            self._waiting.pop(reply["id"]).set_result(reply)
        for future in list(self._waiting.values()):
            future.set_exception(AssertionError(f"the Node.js process ended: {self.log()}"))


class NodeClient:
    """A driver whose calls run in Node.js."""

    def __init__(self, node):
        self._node = node

    def _call(self, operation, connection, *arguments):
        calls.note(self.name)
        return self._node.call(self.library, operation, connection, *arguments)

    def _answer(self, operation, connection, *arguments):
        return Answer(**self._call(operation, connection, *arguments))

    def chat(self, connection, ask):
        return self._answer("chat", connection, self.body_of(ask))

    def stream(self, connection, ask):
        return self._answer("stream", connection, self.body_of(ask))

    def leave(self, connection, ask, pieces):
        return self._call("leave", connection, self.body_of(ask), pieces)

    def embed(self, connection, model, texts):
        return self._call("embed", connection, model, texts)

    def models(self, connection):
        return self._call("models", connection)

    def call(self, operation, connection, *arguments):
        """What only some libraries have."""
        return self._call(operation, connection, *arguments)


class OpenAINode(NodeClient):
    name = "openai (npm)"
    library = "openai"
    endpoints = openai_python.OpenAIPython.endpoints
    refusals = {**openai_python.REFUSALS, "late": "APIConnectionTimeoutError"}
    body_of = staticmethod(openai_python.body_of)


class AnthropicNode(NodeClient):
    name = "anthropic (npm)"
    library = "anthropic"
    endpoints = anthropic_python.AnthropicPython.endpoints
    refusals = {**anthropic_python.REFUSALS, "late": "APIConnectionTimeoutError"}
    body_of = staticmethod(anthropic_python.body_of)

    def count_tokens(self, connection, ask):
        body = self.body_of(ask)
        return self._call("countTokens", connection, {
            key: body[key] for key in ("model", "messages", "system") if key in body})

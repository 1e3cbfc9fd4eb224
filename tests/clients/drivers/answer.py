"""What every driver takes and gives, whatever its library calls it.

A driver is an object with
  name        as the conformance table shows it
  endpoints   {"chat": "POST /v1/chat/completions", …}: where its calls go
  refusals    {"unknown model": "NotFoundError", …}: what its library raises
and the calls chat(connection, ask), stream(…), leave(…, pieces), embed(connection, model, texts)
and models(connection). All of them may be used by several threads at once.
"""

import dataclasses
from typing import Any, Optional


@dataclasses.dataclass(frozen=True)
class Connection:
    """How a client reaches the server: what a person types into its settings."""

    url: str  # without a path
    key: str
    timeout_s: float = 60
    retries: int = 0

    def but(self, **changes):
        return dataclasses.replace(self, **changes)


@dataclasses.dataclass
class Ask:
    """One question, which each driver says in its library's own words."""

    model: str
    prompt: str = "The capital of France is"
    system: Optional[str] = None
    max_tokens: int = 16
    tools: list = dataclasses.field(default_factory=list)  # {"name", "description", "parameters"}
    force_tool: bool = True
    schema: Optional[dict] = None
    broken: bool = False  # ask for something that the engine refuses as a bad request


@dataclasses.dataclass
class Answer:
    """A whole answer; None: the client does not tell."""

    text: str = ""
    finish: Optional[str] = None
    prompt_tokens: Optional[int] = None
    completion_tokens: Optional[int] = None
    tool_calls: list = dataclasses.field(default_factory=list)  # {"name", "arguments": object}
    pieces: int = 0  # of a stream: how many carried text
    events: list = dataclasses.field(default_factory=list)  # of a stream: their types, in order
    model: Optional[str] = None
    more: Any = None


class Refused(Exception):
    """The library raised `kind`, with what it knows of the server's answer."""

    def __init__(self, kind, status=None, code=None, message="", also=()):
        super().__init__(f"{kind} {status} {code}: {message}")
        self.kind = kind
        self.also = also  # further names of it
        self.status = status
        self.code = code
        self.message = message


def tool(name, **properties):
    """A tool of which every argument is required."""
    return {"name": name, "description": f"Call {name}.",
            "parameters": {"type": "object", "properties": properties,
                           "required": list(properties), "additionalProperties": False}}

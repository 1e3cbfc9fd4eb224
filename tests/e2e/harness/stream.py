"""A streamed answer that is read in the background, so that a test can hold several at once."""

import json
import threading
import time
from typing import NamedTuple

from .http import Broken, Connection
from .waiting import PATIENT_S


class Event(NamedTuple):
    """One server-sent event: when it came (monotonic seconds), its data as text."""

    at: float
    data: str


class Stream:
    """Sends the request at once. `end` tells how it ended: "complete" (proper end of the transfer),
    "broken", "left" (by ourselves), None while it runs."""

    def __init__(self, port, path, body, headers=None):
        self._connection = Connection(port, timeout=150)
        self._changed = threading.Condition()
        self._events = []
        self._left = False
        self.body = b""
        self.end = None
        self.asked_at = time.monotonic()
        self._connection.send("POST", path, json.dumps({**body, "stream": True}).encode(), headers)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    # What came

    @property
    def status(self):
        return self._connection.status

    @property
    def headers(self):
        return self._connection.headers

    @property
    def events(self):
        with self._changed:
            return list(self._events)

    @property
    def chunks(self):
        """The JSON objects of the events, without [DONE]."""
        return [json.loads(event.data) for event in self.events if event.data != "[DONE]"]

    @property
    def done(self):
        """[DONE] came."""
        return any(event.data == "[DONE]" for event in self.events)

    @property
    def text(self):
        return "".join(_text_of(chunk) for chunk in self.chunks)

    @property
    def tokens(self):
        """How many chunks carried text."""
        return sum(1 for chunk in self.chunks if _text_of(chunk))

    @property
    def finish_reason(self):
        reasons = [choice.get("finish_reason") for chunk in self.chunks
                   for choice in chunk.get("choices", [])]
        return next((reason for reason in reasons if reason), None)

    @property
    def error(self):
        """The error of an error event, or None."""
        return next((chunk["error"] for chunk in self.chunks if "error" in chunk), None)

    # What to do with it

    def wait_for_tokens(self, count=1, timeout=PATIENT_S):
        """Blocks until so many events with text came; fails if it ended before."""
        with self._changed:
            self._changed.wait_for(lambda: self.end or len(self._events) > count, timeout)
        assert self.tokens >= count, f"{self.tokens} of {count} tokens came: {self}"
        return self

    def finish(self, timeout=120):
        """Blocks until it ended."""
        self._thread.join(timeout)
        assert self.end, f"the stream did not end within {timeout} s: {self}"
        return self

    def close(self):
        self._left = True
        self._connection.close()
        self._thread.join(PATIENT_S)

    def reset(self):
        self._left = True
        self._connection.reset()
        self._thread.join(PATIENT_S)

    def __str__(self):
        return (f"status {self.status}, end {self.end}, {len(self.events)} events, "
                f"error {self.error}, text {self.text[-60:]!r}")

    def _read(self):
        end = "complete"
        try:
            self._connection.read_head()
            rest = b""
            while piece := self._connection.read_some():
                self.body += piece
                *whole, rest = (rest + piece).split(b"\n\n")
                self._add(whole)
        except (Broken, OSError, ValueError) as error:
            end = "broken"
            self.why_broken = error
        with self._changed:
            self.end = "left" if self._left else end
            self._changed.notify_all()

    def _add(self, blocks):
        now = time.monotonic()
        with self._changed:
            for block in blocks:
                for line in block.decode().split("\n"):
                    if line.startswith("data: "):
                        self._events.append(Event(now, line[len("data: "):]))
            self._changed.notify_all()


def _text_of(chunk):
    parts = []
    for choice in chunk.get("choices", []):
        parts.append(choice.get("delta", {}).get("content") or choice.get("text") or "")
    return "".join(parts)

"""A streamed answer of Ollama's API, one JSON object a line, read in the background."""

import json
import threading

from .http import Broken, Connection
from .waiting import PATIENT_S


class Lines:
    """Sends the request at once. `end`: "complete", "broken", "left" (by ourselves), None while it
    runs."""

    def __init__(self, port, path, body, headers=None):
        self._connection = Connection(port, timeout=150)
        self._changed = threading.Condition()
        self._objects = []
        self._left = False
        self.end = None
        self._connection.send("POST", path, json.dumps(body).encode(), headers)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def status(self):
        return self._connection.status

    @property
    def headers(self):
        return self._connection.headers

    @property
    def objects(self):
        with self._changed:
            return list(self._objects)

    @property
    def pieces(self):
        """Those that carry something: neither the last one nor signs of life."""
        return [each for each in self.objects if not each.get("done") and text_of(each)]

    @property
    def text(self):
        return "".join(text_of(each) for each in self.objects)

    @property
    def last(self):
        return self.objects[-1]

    def wait_for_pieces(self, count=1, timeout=PATIENT_S):
        """Blocks until so many came; fails if it ended before."""
        with self._changed:
            self._changed.wait_for(lambda: self.end or self._count() >= count, timeout)
        assert self._count() >= count, f"{self._count()} of {count} pieces came: {self}"
        return self

    def finish(self, timeout=120):
        self._thread.join(timeout)
        assert self.end, f"the stream did not end within {timeout} s: {self}"
        return self

    def close(self):
        self._left = True
        self._connection.close()
        self._thread.join(PATIENT_S)

    def __str__(self):
        return f"status {self.status}, end {self.end}, {self._objects[-2:]}"

    def _count(self):
        return sum(1 for each in self._objects if text_of(each))

    def _read(self):
        end = "complete"
        try:
            self._connection.read_head()
            rest = b""
            while piece := self._connection.read_some():
                *whole, rest = (rest + piece).split(b"\n")
                with self._changed:
                    self._objects += [json.loads(line) for line in whole]
                    self._changed.notify_all()
            assert rest == b"", "a line without an end"
        except (Broken, OSError, ValueError, AssertionError) as error:
            end = "broken"
            self.why_broken = error
        with self._changed:
            self.end = "left" if self._left else end
            self._changed.notify_all()


def text_of(item):
    """The text of one object of /api/chat or /api/generate."""
    return item.get("message", item).get("content") or item.get("response") or ""

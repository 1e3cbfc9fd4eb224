"""What all engine processes of a server hold together, sampled while a test runs.

RssAnon + Pss_File of each: its own memory, and its share of the pages of files that it maps. A test
that samples gives its server files of its own; pages shared with another run would be halved.
"""

import contextlib
import os
import pathlib
import threading
import time

_KIB = 1024
SAMPLE_S = 0.02
_BEFORE_OTHERS = -10  # a niceness


def resident(pid):
    """In bytes; None if the process is gone."""
    folder = pathlib.Path("/proc") / str(pid)
    try:
        status = (folder / "status").read_bytes()
        rollup = (folder / "smaps_rollup").read_bytes()
    except OSError:
        return None
    return _KIB * (_field(status, b"RssAnon:") + _field(rollup, b"Pss_File:"))


def _field(text, name):
    """0 for a process without memory, which waits to be reaped."""
    at = text.find(name)
    return int(text[at + len(name):].split(None, 1)[0]) if at >= 0 else 0


def _children(pid):
    task = pathlib.Path("/proc") / str(pid) / "task" / str(pid)
    try:
        return (task / "children").read_text("ascii")
    except OSError:
        return ""


class ChildrenMemory:
    """Samples while its block runs."""

    def __init__(self, server):
        self._pid = server.process.pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.peak = 0
        self.at_peak = {}  # pid → bytes
        self.samples = 0
        self.mean_gap_s = 0.0
        self.longest_gap_s = 0.0
        self.mean = 0.0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _run(self):
        with contextlib.suppress(PermissionError):  # busy engines must not make it late
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BEFORE_OTHERS)
        begun_all = last = time.monotonic()
        while not self._over.wait(max(0.0, last + SAMPLE_S - time.monotonic())):
            begun = time.monotonic()
            before = _children(self._pid)
            held = {pid: resident(pid) for pid in before.split()}
            # One that left in between and one that came after it were never there together.
            if None in held.values() or _children(self._pid) != before:
                continue
            total = sum(held.values())
            self.samples += 1
            self.mean += (total - self.mean) / self.samples
            self.longest_gap_s = max(self.longest_gap_s, begun - last)
            last = begun
            if total > self.peak:
                self.peak, self.at_peak = total, held
        self.mean_gap_s = (time.monotonic() - begun_all) / max(1, self.samples)

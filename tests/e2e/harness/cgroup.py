"""A memory cgroup of our own, version 1 or 2, with a limit that the kernel enforces.

Why: what a reader believes about a limit is one thing, what the kernel does at it another. The
group is made below our own, so that whatever limits us limits it as well.
"""

import itertools
import os
import pathlib
import subprocess

from .waiting import wait_until

_ROOT = pathlib.Path("/sys/fs/cgroup")
_numbers = itertools.count()


class NoMemoryGroup(Exception):
    """This machine lets us make none; the text says why."""


class MemoryGroup:
    """Has no process at first. Raises NoMemoryGroup."""

    def __init__(self, limit_bytes):
        self.limit = limit_bytes
        parent, self.version = _parent()
        self.path = parent / f"hf-e2e-{os.getpid()}-{next(_numbers)}"
        try:
            self.path.mkdir()
            name = "memory.limit_in_bytes" if self.version == 1 else "memory.max"
            (self.path / name).write_text(str(limit_bytes), encoding="ascii")
        except OSError as error:
            self._remove_folder()
            raise NoMemoryGroup(f"{self.path} with a limit of memory: {error}") from error

    def adopt_caller(self):
        """The calling process belongs to it from now on, and all that it starts: for preexec_fn."""
        (self.path / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")

    def processes(self):
        return [int(pid) for pid in (self.path / "cgroup.procs").read_text("ascii").split()]

    def usage(self):
        """What counts against the limit now, page cache included."""
        name = "memory.usage_in_bytes" if self.version == 1 else "memory.current"
        return int((self.path / name).read_text("ascii"))

    def stat(self):
        """Its memory.stat, of the group and what is below it; version 2's names."""
        text = (self.path / "memory.stat").read_text("ascii")
        values = {line.split()[0]: int(line.split()[1]) for line in text.splitlines()}
        if self.version == 1:
            return {"anon": values["total_rss"],
                    **{name: values[f"total_{name}"] for name in
                       ("inactive_anon", "active_anon", "inactive_file", "active_file")}}
        return values

    def working_set_percent(self):
        """What cannot be had back by dropping page cache."""
        stat = self.stat()
        return 100 * (self.usage() - stat["inactive_file"] - stat["active_file"]) / self.limit

    def oom_kills(self):
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        text = (self.path / name).read_text("ascii")
        return sum(int(line.split()[1]) for line in text.splitlines()
                   if line.split()[0] == "oom_kill")

    def spawn(self, arguments, **more):
        """A process that lives in the group from its first instruction on."""
        return subprocess.Popen(arguments, preexec_fn=self.adopt_caller, **more)

    def remove(self):
        """When its processes have ended; what they left in the page cache goes to the parent."""
        wait_until(lambda: not self.processes(), f"{self.path} is empty")
        self._remove_folder()

    def _remove_folder(self):
        try:
            self.path.rmdir()
        except FileNotFoundError:
            pass


def _own_paths():
    """(path in the unified hierarchy, path in version 1's memory hierarchy), None: not there."""
    unified = memory = None
    for line in pathlib.Path("/proc/self/cgroup").read_text("ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            unified = path
        elif "memory" in controllers.split(","):
            memory = path
    return unified, memory


def _parent():
    """The folder below which a group can be made, and the version."""
    unified, memory = _own_paths()
    if memory is not None and (_ROOT / "memory").is_dir():
        own = _ROOT / "memory" / memory.lstrip("/")
        return (own if own.is_dir() else _ROOT / "memory"), 1
    if unified is None or not (_ROOT / "cgroup.controllers").exists():
        raise NoMemoryGroup("no hierarchy with a memory controller is mounted at /sys/fs/cgroup")
    # A group that holds processes may not hand its controllers on (but for the root): ours does.
    # The next one above us that already hands on memory will do.
    own = _ROOT / unified.lstrip("/")
    for folder in (own, *own.parents):
        control = folder / "cgroup.subtree_control"
        if control.exists() and "memory" in control.read_text("ascii").split():
            return folder, 2
        if folder == _ROOT:
            break
    raise NoMemoryGroup("no cgroup above this process hands on its memory controller")

"""Processes seen through /proc."""

import os
import pathlib
import signal


def _stat_fields(pid, thread=None):
    place = f"{pid}/task/{thread}" if thread else pid
    try:
        text = pathlib.Path(f"/proc/{place}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rsplit(")", 1)[1].split()  # state, ppid, …


def children_of(pid):
    """Ids of the living direct children (no zombies)."""
    found = []
    for entry in os.listdir("/proc"):
        fields = _stat_fields(entry) if entry.isdigit() else None
        if fields and fields[0] != "Z" and int(fields[1]) == pid:
            found.append(int(entry))
    return sorted(found)


def is_alive(pid):
    fields = _stat_fields(pid)
    return fields is not None and fields[0] not in "ZX"


def is_computing(pid):
    """One of its threads runs, or would if a processor were free."""
    states = [_stat_fields(pid, thread) for thread in os.listdir(f"/proc/{pid}/task")]
    return any(fields and fields[0] == "R" for fields in states)


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
    except OSError:
        return []


def environment(pid):
    block = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(entry.split("=", 1) for entry in block.split("\0") if entry)


def peak_bytes(pid):
    """The most memory that it has held so far."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    line, = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def freeze(pid):
    os.kill(pid, signal.SIGSTOP)


def thaw(pid):
    os.kill(pid, signal.SIGCONT)


def kill(pid):
    os.kill(pid, signal.SIGKILL)


def _socket_inodes(pid):
    inodes = set()
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            link = os.readlink(f"/proc/{pid}/fd/{entry}")
        except OSError:
            continue
        if link.startswith("socket:["):
            inodes.add(link[len("socket:["):-1])
    return inodes


def tcp_listeners(pid):
    """Local addresses (as the kernel writes them) on which the process listens by TCP."""
    inodes = _socket_inodes(pid)
    found = []
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text("ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.append(fields[1])
    return found

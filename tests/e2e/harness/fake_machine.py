"""A folder for [memory] proc_root: a machine whose memory a test fills and empties."""

import os
import pathlib

TOTAL_KIB = 64 * 1024 * 1024


class FakeMachine:
    """Starts healthy."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        (self.root / "proc" / "pressure").mkdir(parents=True)
        (self.root / "sys" / "fs" / "cgroup").mkdir(parents=True)
        self.stand_still(0)
        self.use(30.0)

    def use(self, percent):
        """From now on so much of the memory is in use, in percent."""
        available = round(TOTAL_KIB * (100 - percent) / 100)
        lines = {"MemTotal": TOTAL_KIB, "MemFree": available // 2, "MemAvailable": available,
                 "Buffers": 0, "Cached": available // 2, "SwapTotal": 0, "SwapFree": 0}
        self.write("proc/meminfo",
                   "".join(f"{name}: {kib:>15} kB\n" for name, kib in lines.items()))

    def stand_still(self, total_us, avg10=0.0):
        """Since boot, tasks have stood still for so long for want of memory (PSI)."""
        line = f"avg10={avg10:.2f} avg60=0.00 avg300=0.00 total={total_us}"
        self.write("proc/pressure/memory", f"some {line}\nfull {line}\n")

    def count(self, **counters):
        """/proc/vmstat with these counters."""
        self.write("proc/vmstat", "".join(f"{name} {value}\n" for name, value in counters.items()))

    def limit(self, version, limit, used, oom_kills=0):
        """A limit of our cgroup, in the tree of that version; bytes."""
        if version == 2:
            files = {"memory.max": limit, "memory.current": used,
                     "memory.events": f"oom_kill {oom_kills}"}
            folder = "sys/fs/cgroup"
        else:
            files = {"memory.limit_in_bytes": limit, "memory.usage_in_bytes": used,
                     "memory.oom_control": f"under_oom 0\noom_kill {oom_kills}"}
            folder = "sys/fs/cgroup/memory"
        for name, text in files.items():
            self.write(f"{folder}/{name}", f"{text}\n")

    def write(self, name, text):
        """A file of this machine, all at once: a reader sees the old text or the new one."""
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        part.write_text(text, encoding="ascii")
        os.rename(part, target)

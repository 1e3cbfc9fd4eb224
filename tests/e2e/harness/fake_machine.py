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
        stall = "avg10=0.00 avg60=0.00 avg300=0.00 total=0"
        (self.root / "proc" / "pressure" / "memory").write_text(f"some {stall}\nfull {stall}\n")
        self.use(30.0)

    def use(self, percent):
        """From now on so much of the memory is in use, in percent."""
        available = round(TOTAL_KIB * (100 - percent) / 100)
        lines = {"MemTotal": TOTAL_KIB, "MemFree": available // 2, "MemAvailable": available,
                 "Buffers": 0, "Cached": available // 2, "SwapTotal": 0, "SwapFree": 0}
        text = "".join(f"{name}: {kib:>15} kB\n" for name, kib in lines.items())
        part = self.root / "proc" / "meminfo.part"
        part.write_text(text, encoding="ascii")
        os.rename(part, self.root / "proc" / "meminfo")

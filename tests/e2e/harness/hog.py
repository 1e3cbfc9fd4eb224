"""A process that takes memory step by step, as a neighbour of the server would."""

import pathlib
import subprocess
import sys

MIB = 1024 * 1024

# Reads how many MiB to hold from now on and touches every page of them; answers when it has them.
_PROGRAM = """
import sys
held = []
for line in sys.stdin:
    wanted = int(line)
    while len(held) < wanted:
        held.append(bytearray(b"x" * 1048576))
    del held[wanted:]
    print(len(held), flush=True)
"""


class Hog:
    """Lives in the group while its block runs."""

    def __init__(self, group):
        self._group = group
        self._process = None
        self.held_mib = 0

    def __enter__(self):
        self._process = self._group.spawn([sys.executable, "-c", _PROGRAM], text=True, bufsize=1,
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        # If a test errs, the kernel takes it and nobody else.
        pathlib.Path(f"/proc/{self._process.pid}/oom_score_adj").write_text("1000", "ascii")
        self.hold(0)
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def hold(self, mib):
        """Returns when it holds exactly so much."""
        self._process.stdin.write(f"{mib}\n")
        assert int(self._process.stdout.readline()) == mib
        self.held_mib = mib

    def push_to(self, percent, step_mib=4):
        """Grows until the group's reading is there, never by more than a step beyond."""
        while self._group.working_set_percent() < percent:
            missing = (percent - self._group.working_set_percent()) / 100 * self._group.limit
            self.hold(self.held_mib + max(step_mib, int(missing / MIB) // 2))

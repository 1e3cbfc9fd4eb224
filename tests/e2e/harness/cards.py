"""Cards of a test: a library like the driver's, and an engine that says it can use them."""

import os
import pathlib
import shutil

from . import paths

MIB = 1024 * 1024
GIB = 1024 * MIB


def _fake_nvml():
    default = "build/release/tests/fake_nvml/libfake_nvml.so"
    path = pathlib.Path(os.environ.get("HOLDFAST_FAKE_NVML") or paths.ROOT / default)
    if not path.is_file():
        raise paths.MissingProgram(f"{path}: build the target fake_nvml, or set HOLDFAST_FAKE_NVML")
    return path


class Cards:
    """`count` cards of `total` bytes each. Files beside `folder`, which must exist."""

    def __init__(self, folder, count=2, total=8 * GIB, devices=None):
        self.library = pathlib.Path(folder) / "libnvidia-ml.so.1"
        shutil.copy(_fake_nvml(), self.library)
        self.engine = pathlib.Path(folder) / "stub_engine"
        shutil.copy(paths.stub_engine(), self.engine)
        names = [f"CUDA{i}" for i in range(count)] if devices is None else devices
        self.engine.with_suffix(".devices").write_text(
            "".join(f"  {name}: Fake (1 MiB, 1 MiB free)\n" for name in names), encoding="ascii")
        self.total = total
        self.others = [0] * count  # bytes that somebody else uses
        self.held = {}  # (card, pid) → bytes
        self.extra = ""  # further lines of the state
        self.write()

    def settings(self, **more):
        memory = {"nvml": self.library, **more.pop("memory", {})}
        return {"engine": {"llama_server": self.engine}, "memory": memory, **more}

    def hangs(self):
        """Whether the driver was told to hang, and a call does."""
        return pathlib.Path(f"{self.library}.hangs").exists()

    def write(self):
        """The library reads it at its next look."""
        lines = []
        for card, others in enumerate(self.others):
            used = others + sum(size for (on, _), size in self.held.items() if on == card)
            lines.append(f"card GPU-{card:04} 00000000:0{card}:00.0 {self.total} {used} Fake")
        lines += [f"process {card} {pid} {size}" for (card, pid), size in self.held.items()]
        part = self.library.with_suffix(".part")
        part.write_text("\n".join(lines) + "\n" + self.extra, encoding="ascii")
        os.rename(part, f"{self.library}.state")

"""Generated models, made once for a checkout and shared by all tests and all runs.

A file is written under a lock and appears by one rename, so that two runs may start at once.
"""

import fcntl
import os
import pathlib
import subprocess
import sys

from . import paths

FOLDER = paths.ROOT / "build" / "e2e-models"

# Name of the recipe → arguments of tools/make_gguf.py. Three alike of each kind, which differ in
# their weights. `slow` gives some hundred tokens a second on one core, `tiny` thousands.
RECIPES = {
    **{f"slow-{seed}": ["--size", "60MB", "--seed", str(seed), "--context", "8192"]
       for seed in (1, 2, 3)},
    **{f"tiny-{seed}": ["--size", "tiny", "--seed", str(seed), "--context", "4096"]
       for seed in (1, 2, 3)},
    # For tests about memory: the budget is full of two of them. Some dozen tokens a second.
    **{f"middle-{seed}": ["--size", "210MB", "--seed", str(seed), "--context", "8192"]
       for seed in (1, 2, 3)},
    "embedding": ["--size", "tiny", "--embedding"],
    "encoder-cls": ["--encoder", "cls", "--context", "512"],
    "encoder-mean": ["--encoder", "mean", "--context", "512", "--seed", "2"],
    "reranker": ["--reranker", "--context", "512"],
    # For tiny models: 64 pixels a side, 8 by 8 patches, 16 tokens a picture.
    "projector": ["--projector"],
    "tools": ["--size", "tiny", "--template", "tools"],
    "plain": ["--size", "tiny", "--template", "none"],
    "fill-in": ["--size", "tiny", "--fill-in"],
    "truncated": ["--size", "30MB", "--corrupt", "truncate"],
    "bad-magic": ["--size", "tiny", "--corrupt", "magic"],
    "bad-offset": ["--size", "tiny", "--corrupt", "tensor-offset"],
}


def model(recipe):
    """Path of the recipe's file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    target = FOLDER / f"{recipe}.gguf"
    generator = paths.tool("make_gguf.py")
    written = max(part.stat().st_mtime for part in generator.parent.glob("*gguf*.py"))
    with open(FOLDER / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists() or target.stat().st_mtime < written:
            part = target.with_suffix(".part")
            subprocess.run([sys.executable, generator, part, "--name", recipe, *RECIPES[recipe]],
                           check=True, stdout=subprocess.DEVNULL, timeout=300)
            part.rename(target)
    return target


def generate(target, *arguments):
    """A file of one test's own, too large to be kept: arguments of tools/make_gguf.py."""
    target = pathlib.Path(target)
    subprocess.run([sys.executable, paths.tool("make_gguf.py"), target, "--name", target.stem,
                    *arguments], check=True, stdout=subprocess.DEVNULL, timeout=300)


def place(recipe, models_dir, name):
    """Puts the recipe's model into a models_dir under a name; a hard link costs no space."""
    target = pathlib.Path(models_dir) / f"{name}.gguf"
    target.parent.mkdir(parents=True, exist_ok=True)
    source = model(recipe)
    try:
        os.link(source, target)
    except OSError:  # another file system
        target.symlink_to(source)
    return target

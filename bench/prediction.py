#!/usr/bin/env python3
"""Reserved bytes against what models really take: before their first load, and once learned.

For each case: a server of its own on the real engine, the fixed workload of
tests/e2e/harness/memory.py, a restart on the same history. Prints one JSON line a case; the table
for docs/memory.md with --table. Needs `make build`.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
sys.path.insert(0, str(ROOT / "tools"))

from harness import memory, paths  # noqa: E402  (needs the path above)
from harness.server import Server  # noqa: E402

GEMMA = pathlib.Path.home() / ".cache/holdfast/models/gemma-3-270m-q4_k_m.gguf"

# Name: (arguments of make_gguf.py or a file, settings of the model). Tiny where contexts are long:
# reading a prompt takes time that grows with the square of its length.
CASES = {
    "0.4 MB": (["--layers", "2", "--embd", "64", "--heads", "2"],
               {"context": 2048, "parallel": 4}),
    "2 MB, 8 slots": (["--layers", "6", "--embd", "128", "--heads", "4", "--kv-heads", "4"],
                      {"context": 2048, "parallel": 8, "cache_type_k": "q8_0",
                       "cache_type_v": "q8_0"}),
    "0.4 MB, 64k": (["--layers", "1", "--embd", "64", "--heads", "2", "--context", "65536"],
                    {"context": 65536, "parallel": 1}),
    "1 MB, 32k": (["--layers", "4", "--embd", "64", "--heads", "2", "--context", "32768"],
                  {"context": 32768, "parallel": 2, "cache_type_k": "q8_0",
                   "cache_type_v": "q8_0"}),
    "15 MB, 16k": (["--layers", "12", "--embd", "256", "--heads", "4", "--kv-heads", "1",
                    "--context", "16384", "--type", "q8_0"], {"context": 16384, "parallel": 1}),
    "30 MB, 32 layers": (["--layers", "32", "--embd", "256", "--heads", "8", "--kv-heads", "2"],
                         {"context": 4096, "parallel": 2}),
    "60 MB, all heads": (["--size", "60MB", "--embd", "512", "--heads", "8", "--kv-heads", "8",
                          "--vocab", "8192"], {"context": 2048, "parallel": 4,
                                               "cache_type_k": "q8_0"}),
    "250 MB": (["--size", "250MB", "--type", "q8_0"], {"context": 2048, "parallel": 2}),
    "500 MB": (["--size", "500MB", "--type", "q4_0", "--heads", "16", "--kv-heads", "2"],
               {"context": 2048, "parallel": 2, "cache_type_k": "q8_0", "cache_type_v": "q8_0"}),
    "2 GB": (["--size", "2GB"], {"context": 1024, "parallel": 4}),
    "90 MB, 32 experts": (["--layers", "6", "--embd", "256", "--heads", "4", "--kv-heads", "2",
                           "--ff", "256", "--experts", "32"], {"context": 2048, "parallel": 2}),
    "40 MB, convolutions": (["--layers", "12", "--embd", "384", "--heads", "6", "--kv-heads", "2",
                             "--convolutions"], {"context": 4096, "parallel": 2}),
    "20 MB, embeddings": (["--size", "20MB", "--embedding"], {"context": 2048, "parallel": 4}),
    "20 MB, encoder": (["--size", "20MB", "--encoder", "mean", "--context", "512"],
                       {"context": 512, "parallel": 4}),
    "20 MB, encoder, 8k": (["--size", "20MB", "--encoder", "cls", "--context", "8192"],
                           {"context": 8192, "parallel": 1}),
    "5 MB, reranker": (["--size", "5MB", "--reranker", "--context", "2048"],
                       {"context": 2048, "parallel": 2}),
    "20 MB, vision": (["--size", "20MB"], {"context": 2048, "parallel": 2}),
    "20 MB, vision, 4 slots": (["--size", "20MB"], {"context": 2048, "parallel": 4}),
    "20 MB, vision, all scores": (["--size", "20MB"],
                                  {"context": 2048, "parallel": 2,
                                   "args": ["--flash-attn", "off"]}),
    "Gemma 3 270M": (GEMMA, {"context": 2048, "parallel": 2}),
    "Gemma 3 270M, windows": (GEMMA, {"context": 2048, "parallel": 1, "swa_full": False}),
}
# Projectors beside models: arguments of make_gguf.py.
PROJECTORS = {
    "20 MB, vision": ["--embd", "768", "--heads", "12", "--image", "448", "--patch", "14"],
    "20 MB, vision, 4 slots": ["--embd", "384", "--heads", "6", "--image", "896", "--patch", "14"],
    "20 MB, vision, all scores": ["--embd", "768", "--heads", "12", "--image", "448", "--patch",
                                  "14"],
}
SHORT = ("0.4 MB", "2 MB, 8 slots", "30 MB, 32 layers")


def generate(target, *arguments):
    subprocess.run([sys.executable, paths.tool("make_gguf.py"), target, "--name", "m", *arguments],
                   check=True, stdout=subprocess.DEVNULL)


def place(name, source, folder):
    """Puts the case's file into the folder as m.gguf, with its projector."""
    target = folder / "m.gguf"
    if name in PROJECTORS:
        generate(folder / "mmproj-m.gguf", "--projector", "--project-to", "256", "--merge", "4",
                 *PROJECTORS[name])
    if isinstance(source, pathlib.Path):
        target.symlink_to(source)
        return
    size = [] if "--size" in source else ["--size", "tiny"]
    generate(target, *size, *source)


def words_of(source):
    """Token numbers that stand for words: any but the control tokens at the beginning."""
    if isinstance(source, pathlib.Path):
        return range(1000, 200_000)
    vocab = int(source[source.index("--vocab") + 1]) if "--vocab" in source else 1024
    return range(460, vocab)


def is_made_with(source, *flags):
    return isinstance(source, list) and any(flag in source for flag in flags)


def use_to_the_full(server, name, source, settings):
    """Loads the model and runs the workload. Returns its pid's Watch and what was reserved."""
    server.load("m")
    child = server.child_of("m")
    reserved = server.cached("m")["bytes_reserved"]
    with memory.Watch(child) as watch:
        embeds = is_made_with(source, "--embedding", "--encoder")
        work = memory.Workload(server, "m", settings["context"], settings["parallel"],
                               words_of(source), embeds=embeds,
                               ranks=is_made_with(source, "--reranker"), sees=name in PROJECTORS)
        work.run()
    return watch, reserved


def start(case_folder, models_dir, settings):
    server = Server({}, {"log": {"level": "debug"},
                         "engine": {"llama_server": case_folder / "llama-server"}})
    server.models_dir = server.settings[""]["models_dir"] = models_dir
    server.settings["defaults"] = dict(settings)
    server.settings["store"]["path"] = case_folder / "history.db"
    return server.start()


def measure(name):
    """The case's figures as one record."""
    source, settings = CASES[name]
    with tempfile.TemporaryDirectory(prefix="hf-pred-") as folder:
        folder = pathlib.Path(folder)
        models_dir = folder / "models"
        models_dir.mkdir()
        place(name, source, models_dir)
        memory.engine_of_its_own(folder)
        server = start(folder, models_dir, settings)
        try:
            watch, predicted = use_to_the_full(server, name, source, settings)
            server.post("/api/v1/models/m/unload")
            assert server.stop() is not None
        finally:
            server.dispose()
        server = start(folder, models_dir, settings)
        try:
            learned = server.get("/api/v1/models").json["models"][0]["bytes_estimated"]
        finally:
            server.dispose()
        size = os.stat(models_dir / "m.gguf").st_size
    return {"bench": "prediction", "model": name, "file_mb": round(size / 1e6, 1), **settings,
            "predicted_mb": round(predicted / 1e6, 1), "peak_mb": round(watch.peak / 1e6, 1),
            "alone_mb": round(watch.alone / 1e6, 1),
            "ratio": round(predicted / watch.peak, 3),
            "learned_mb": round(learned / 1e6, 1), "learned_ratio": round(learned / watch.peak, 3)}


def table(lines):
    print("| model | file | context × slots | cache types | predicted | measured (alone) | ratio "
          "| learned | ratio |")
    print("|---|---|---|---|---|---|---|---|---|")
    for line in lines:
        types = f"{line.get('cache_type_k', 'f16')}, {line.get('cache_type_v', 'f16')}"
        print(f"| {line['model']} | {line['file_mb']:,} MB | {line['context']:,} × "
              f"{line['parallel']} | {types} | {line['predicted_mb']:,} MB | {line['peak_mb']:,} "
              f"({line['alone_mb']:,}) MB | {line['ratio']:.3f} | {line['learned_mb']:,} MB "
              f"| {line['learned_ratio']:.3f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="some of them only")
    parser.add_argument("--short", action="store_true", help="three small models")
    parser.add_argument("--table", metavar="FILE", help="show recorded lines as a table")
    args = parser.parse_args()
    if args.table:
        with open(args.table, encoding="utf-8") as recorded:
            table([json.loads(line) for line in recorded])
        return
    commit = os.environ.get("HOLDFAST_COMMIT", "unknown")
    for name in args.cases or (SHORT if args.short else CASES):
        print(json.dumps({**measure(name), "commit": commit}), flush=True)


if __name__ == "__main__":
    main()

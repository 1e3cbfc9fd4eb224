"""How much memory a model's process takes when it is used to the full.

The fixed workload: every slot filled to its context, all at once, so that full batches run; then
other prompts, again and again, so that the prompt cache fills up; then shorter prompts, which fill
what whole contexts have left of it. A cache that can hold no whole context is run over by shorter
prompts. With a projector, pictures in every slot at once, twice, as many pixels as are counted for
a slot. Measured is what promises are about: RssAnon and Pss_File.
"""

import pathlib
import random
import shutil
import threading

from . import paths, pictures, processes

KIB = 1024
SAMPLE_S = 0.02
# What the engine logs about its prompt cache.
_RAN_OVER = "removing oldest entry"
_TOO_LARGE = "exceeds cache size limit"


def _kib_field(text, name):
    line = next((line for line in text.splitlines() if line.startswith(name + ":")), None)
    return int(line.split()[1]) * KIB if line else 0


def resident(pid):
    """(RssAnon + Pss_File, RssAnon + RssFile) of a process in bytes; zeros if it is gone.

    The second counts pages in full that the process shares with others, as another engine's
    program: what it would be if it were alone.
    """
    folder = pathlib.Path("/proc") / str(pid)
    try:
        status = (folder / "status").read_text(encoding="ascii", errors="replace")
        rollup = (folder / "smaps_rollup").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0, 0
    anonymous = _kib_field(status, "RssAnon")
    return (anonymous + _kib_field(rollup, "Pss_File"), anonymous + _kib_field(status, "RssFile"))


def engine_of_its_own(folder):
    """A copy of the engine program: else its pages count in part while other engines run on the
    machine, and in full once those have ended."""
    return shutil.copy(paths.llama_server(), pathlib.Path(folder) / "llama-server")


class Watch:
    """Samples one process in a thread of its own; `peak` and `alone` are bytes (see `resident`)."""

    def __init__(self, pid):
        self.peak = 0
        self.alone = 0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def look(self):
        now, alone = resident(self._pid)
        self.peak = max(self.peak, now)
        self.alone = max(self.alone, alone)
        return now

    def _run(self):
        while not self._over.wait(SAMPLE_S):
            self.look()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self.look()


class Workload:
    """For one model of a running server. `words`: the token numbers that prompts are made of.
    `embeds`, `ranks`: that instead of text; `sees`: it takes pictures, too."""

    ANSWER = 4
    PICTURES = ((4000, 2900), (600, 600))  # together what is counted for a slot

    def __init__(self, server, model, context, parallel, words, embeds=False, ranks=False,
                 sees=False, seed=1):
        self._server = server
        self._model = model
        self._context = context
        self._parallel = parallel
        self._words = words
        self._embeds = embeds
        self._ranks = ranks
        self._sees = sees
        self._random = random.Random(seed)
        self.failures = []

    def _look(self, parts):
        answer = self._server.chat(pictures.look(self._model, *parts), timeout=1800)
        if answer.status != 200:
            self.failures.append(answer)

    def _ask(self, length):
        if self._embeds:
            path, body = "/v1/embeddings", {
                "input": self._random.choices(self._words, k=max(1, length - 2))}
        elif self._ranks:  # a short word is a token
            path, body = "/v1/rerank", {"query": "ba", "documents": ["ba " * (length - 4)]}
        else:
            path, body = "/v1/completions", {
                "prompt": self._prompt(max(1, length - self.ANSWER)),
                "max_tokens": self.ANSWER, "seed": 1, "ignore_eos": True}
        answer = self._server.post(path, {"model": self._model, **body}, timeout=1800)
        if answer.status != 200:
            self.failures.append(answer)

    def _prompt(self, length):
        if self._sees:  # then the engine takes text only; each of these is a token
            return "".join(" " + c + v for c, v in zip(
                self._random.choices("bcdfghjklmnpqrstvwxz", k=length),
                self._random.choices("aeiou", k=length)))
        return self._random.choices(self._words, k=length)

    def round(self, length=None):
        """One prompt in every slot, at once; `length` tokens with their answers (the context)."""
        self._at_once(self._ask, length or self._context)

    def _at_once(self, ask, *arguments):
        threads = [threading.Thread(target=ask, args=arguments) for _ in range(self._parallel)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def run(self, most_rounds=60):
        """Whole contexts, or what the prompt cache can hold of them, until it has run over; then
        shorter prompts, for what longer ones leave of it. Needs the server's debug log."""
        self.round()
        self.round()
        length = self._context
        for _ in range(most_rounds if self._has_prompt_cache() else 0):
            if self._count(_RAN_OVER) > 0:
                break
            too_large = self._count(_TOO_LARGE)
            self.round(length)
            if self._count(_TOO_LARGE) > too_large and length >= 32:
                length //= 2
                self.round(length)  # drives the longer ones out of the slots
        for _ in range(4):
            self.round(max(16, self._context // 8))
        for _ in range(3 if self._sees else 0):
            parts = [pictures.openai(pictures.png(*size, self._random.randrange(10_000)))
                     for size in self.PICTURES]
            self._at_once(self._look, parts)
        assert not self.failures, self.failures[0]

    def _count(self, words):
        return sum(words in line for line in self._server.lines)

    def _has_prompt_cache(self):
        line = processes.command_line(self._server.child_of(self._model))
        return line[line.index("--cache-ram") + 1] != "0"

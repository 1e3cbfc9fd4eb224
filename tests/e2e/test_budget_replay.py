"""Many people, more models than fit: what the engine's processes really hold never exceeds the
budget, and the budget is put to use."""

import json
import random
import threading
import time

import pytest

from harness import models
from harness.children_memory import ChildrenMemory
from harness.load import COMPLETIONS

# Name → (size, options of its table). Sizes and load modes as they come in practice; of any three
# that are loaded another one is wanted soon.
MIX = {
    "xl": ("400MB", {"load_mode": "none"}),
    "l": ("300MB", {}),
    "m": ("210MB", {"load_mode": "none", "parallel": 4}),
    "s": ("150MB", {"context": 2048}),
    "xs": ("80MB", {"load_mode": "none"}),
    "xxs": ("20MB", {"parallel": 1, "cache_ram": "8MiB"}),
}
OPTIONS = {"context": 1024, "parallel": 2}
# The budget is exactly what these are promised: they can fill it.
FILLS = ("xl", "l", "s")
LEAST_USE = 0.85
# More at once would only stand in queues, on however slow a machine.
OUTSTANDING = 8
PER_SECOND = 1.5
PATIENT_S = 900  # of a client, on a machine that does other things as well
# Tokens. Now and then one that fills a whole batch, since that is what the promise is about.
SHORT_PROMPT, LONG_PROMPT = (20, 120), (520, 600)
LONG_SHARE = 0.1


def arrivals(seconds, seed):
    """(when, model, request), a Poisson process: the same for each run."""
    chance = random.Random(seed)
    names = list(MIX)
    at = chance.expovariate(PER_SECOND)
    while at < seconds:
        model = chance.choice(names)
        length = chance.randint(*(LONG_PROMPT if chance.random() < LONG_SHARE else SHORT_PROMPT))
        prompt = [chance.randrange(300, 1000) for _ in range(length)]
        yield at, {"model": model, "prompt": prompt, "max_tokens": chance.randint(2, 10),
                   "temperature": 0, "seed": 1, "ignore_eos": True}
        at += chance.expovariate(PER_SECOND)


def replay(server, seconds, seed=1):
    """(model, answer) of all that was asked. An arrival waits while too many are under way."""
    asked = []
    places = threading.Semaphore(OUTSTANDING)

    def one(body):
        try:
            asked.append((body["model"], server.post(COMPLETIONS, body, timeout=PATIENT_S)))
        finally:
            places.release()

    threads = []
    begun = time.monotonic()
    never = threading.Event()
    for at, body in arrivals(seconds, seed):
        never.wait(max(0.0, begun + at - time.monotonic()))
        if time.monotonic() > begun + 2 * seconds:
            break  # a machine this slow has shown enough
        places.acquire()
        threads.append(threading.Thread(target=one, args=(body,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return asked


def a_replay_stays_within_the_budget(serve, seconds):
    # Patience and turns short beside the replay, so that models are swapped under load, too.
    settings = {"defaults": OPTIONS, "queue": {"patience": "2s", "turn": "2s"}}
    server = serve({}, settings, started=False)
    for seed, (name, (size, options)) in enumerate(MIX.items(), 1):
        models.generate(server.models_dir / f"{name}.gguf", "--size", size, "--seed", str(seed),
                        "--context", "8192")
        server.settings[f'models."{name}"'] = dict(options)
    server.start()
    promised = {model["name"]: model["bytes_estimated"]
                for model in server.get("/api/v1/models").json["models"]}
    budget = sum(promised[name] for name in FILLS)
    server.settings["memory"]["budget"] = budget
    server.write_config()
    assert server.post("/api/v1/reload").status == 200
    with ChildrenMemory(server) as memory:
        asked = replay(server, seconds)
    loads = server.journal("spawn")
    names = {str(line["pid"]): line["model"] for line in loads}
    figures = {"budget": budget, "peak": memory.peak, "peak_share": memory.peak / budget,
               "mean_share": memory.mean / budget, "samples": memory.samples,
               "mean_gap_s": memory.mean_gap_s, "longest_gap_s": memory.longest_gap_s,
               "requests": len(asked),
               "loads": len(loads), "stops": len(server.journal("stop_signal")),
               "promised": promised,
               "at_peak": {names[pid]: size for pid, size in memory.at_peak.items()}}
    figures["held_of_promised"] = memory.peak / sum(promised[name] for name in figures["at_peak"])
    print(json.dumps(figures))
    assert [answer for _, answer in asked if answer.status != 200] == []
    assert {model for model, _ in asked} == set(MIX)
    assert len(loads) >= len(MIX) + 3, "nobody had to leave: this shows nothing"
    assert memory.peak <= budget, figures
    assert memory.peak >= LEAST_USE * budget, figures
    server.stop()


@pytest.mark.limit(300)
def test_a_replay_of_45_seconds(serve):
    a_replay_stays_within_the_budget(serve, 45)


@pytest.mark.long
@pytest.mark.limit(1800)
def test_a_replay_of_10_minutes(serve):
    a_replay_stays_within_the_budget(serve, 600)

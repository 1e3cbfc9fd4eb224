"""A neighbour takes the memory: idle models give way in time, busy ones never."""

import json
import re
import time

import pytest

from harness import models, page_cache
from harness.hog import Hog
from harness.prompts import chat, endless
from harness.waiting import wait_until

MIB = 1024 * 1024
# From the moment at which the memory is short to the moment at which somebody is told to go.
PROMPTLY_MS = 4500
NAMES = ("a", "b", "c")


def now_ms():
    """The journal's clock."""
    return time.monotonic_ns() // 1_000_000


def evictions(server):
    return server.journal("stop_signal")


def eviction(server, number, since_ms):
    """The eviction of that number (from 0), and how long after `since_ms` it was decided."""
    wait_until(lambda: len(evictions(server)) > number, "an idle model is told to go")
    line = evictions(server)[number]
    return line, line["t_ms"] - since_ms


def level(server):
    return server.health()["memory"]["level"]


def wait_for_level(server, *levels):
    wait_until(lambda: level(server) in levels, f"memory level {levels}")


# On a machine that is a file: what each step does and says.


def test_idle_models_go_in_time_and_one_at_a_time(serve):
    server = serve({name: f"tiny-{seed}" for seed, name in enumerate(NAMES, 1)})
    server.load(*NAMES)
    begun = now_ms()
    server.machine.use(91.0)
    first, took = eviction(server, 0, begun)
    assert took <= PROMPTLY_MS
    assert first["why"] == "memory_pressure"
    assert first["reason"] == ("idle, and memory is at 91.0% (from 90% on until below 85% idle "
                               "models go); worth the least of 3 idle models")
    server.wait_for_line("memory is at 91.0%, at or above the high mark of 90%: idle models leave")
    server.wait_for_line(f"stopping {first['model']}: {re.escape(first['reason'])}$")
    server.wait_for_line(f"Model {first['model']} unloaded from memory$")

    # Its memory was of no use: one more is tried, then no more.
    second, _ = eviction(server, 1, begun)
    gone = server.journal("exit", model=first["model"])[0]
    assert second["t_ms"] >= gone["t_ms"], "the next one only after a new reading"
    wait_until(lambda: server.journal("exit", model=second["model"]), "it has gone")
    kept = next(name for name in NAMES if name not in (first["model"], second["model"]))
    assert server.loaded() == [kept]
    readings_pass(server, 91.2)
    assert server.loaded() == [kept] and len(evictions(server)) == 2

    # Clearly worse than when it was given up: a new round.
    begun = now_ms()
    server.machine.use(92.5)
    third, took = eviction(server, 2, begun)
    assert (third["model"], took <= PROMPTLY_MS) == (kept, True)
    server.machine.use(40.0)
    wait_for_level(server, "normal")
    server.wait_for_line("memory is at 40.0%: its pressure is over, loads go on")
    assert server.chat(chat("a")).status == 200
    server.stop()


def readings_pass(server, percent):
    """The server takes a reading of so much, and then another one."""
    for value in (percent, percent + 0.1):
        server.machine.use(value)
        wait_until(lambda v=value: server.health()["memory"]["used_percent"] == v, "a reading")


def test_busy_models_stay_and_nothing_is_loaded(serve):
    server = serve({name: f"slow-{seed}" for seed, name in enumerate(NAMES, 1)})
    server.load("b")
    running = server.stream(endless("a")).wait_for_tokens()
    begun = now_ms()
    server.machine.use(91.0)
    line, took = eviction(server, 0, begun)
    assert (line["model"], took <= PROMPTLY_MS) == ("b", True)
    server.wait_for_line(r"All models are in use! .*Active: \{'a'\}$")
    waiting = server.stream(chat("c"))
    server.wait_active({"a": 1, "c": 1})
    health = server.health()
    assert [(w["model"], w["waiting_for"]) for w in health["waiting"]] == [("c", "pressure")]
    assert health["status"] == "degraded"
    server.machine.use(86.0)  # below high, not yet below low: it lasts
    readings_pass(server, 86.5)
    assert level(server) == "high" and server.journal("spawn", model="c") == []
    over = now_ms()
    server.machine.use(84.0)
    assert (waiting.finish().status, waiting.end) == (200, "complete")
    assert server.journal("spawn", model="c")[0]["t_ms"] >= over
    running.wait_for_tokens(running.tokens + 1)
    assert server.active() == {"a": 1} and running.end is None, running
    running.close()
    server.stop()


# In a memory cgroup, with a real neighbour.


def server_in(group, serve, load_mode):
    options = {"context": 1024, "parallel": 2, "load_mode": load_mode}
    server = serve({}, {"memory": {"proc_root": None}, "defaults": options}, started=False)
    for seed, name in enumerate(NAMES, 1):
        file = server.models_dir / f"{name}.gguf"
        models.generate(file, "--size", "210MB", "--seed", str(seed), "--context", "8192")
        page_cache.forget(file)
    server.group = group
    return server.start()


def test_a_real_neighbour_gets_the_memory_of_idle_models(serve, memory_group):
    """Read weights are anonymous memory: each model that goes lowers the reading by a seventh."""
    group = memory_group(1600 * MIB)
    server = server_in(group, serve, "none")
    server.load("b", "c")
    running = server.stream(endless("a")).wait_for_tokens()
    figures = {}
    with Hog(group) as hog:
        for number in range(2):
            hog.push_to(90.2)
            crossed = now_ms()
            line, figures[f"eviction_{number + 1}_ms"] = eviction(server, number, crossed)
            assert line["model"] in ("b", "c") and line["why"] == "memory_pressure"
            wait_for_level(server, "normal")
            assert len(evictions(server)) == number + 1, "one was enough"
        hog.push_to(90.2)
        begun = now_ms()
        server.wait_for_line(r"All models are in use! .*Active: \{'a'\}$")
        figures["warning_ms"] = now_ms() - begun
        waiting = server.stream(chat("b"))
        server.wait_active({"a": 1, "b": 1})
        hog.push_to(95.3, step_mib=1)
        server.wait_for_line("Critical memory shortage: 9")
        server.wait_for_line(r"All models are in use! .*Active: \{'a'\}$",
                             after=len(server.lines) - 3)
        before = running.tokens
        running.wait_for_tokens(before + 3)
        assert server.loaded() == ["a"] and server.journal("spawn", model="b")[1:] == []
    assert (waiting.finish().status, waiting.end) == (200, "complete")
    assert running.end is None, "the answer ended too soon for this test"
    print("\n" + json.dumps(figures))
    assert all(value <= PROMPTLY_MS for value in figures.values()), figures
    assert group.oom_kills() == 0
    assert {line["model"] for line in evictions(server)} == {"b", "c"}
    running.close()
    server.stop()


def test_mapped_models_give_back_little_and_go_one_by_one(serve, memory_group):
    """The pages of their files are the kernel's to take already: only the rest counts."""
    group = memory_group(1600 * MIB)
    server = server_in(group, serve, None)
    server.load("b", "c")
    running = server.stream(endless("a")).wait_for_tokens()
    assert group.working_set_percent() < 20, "weights that are mapped are not use"
    with Hog(group) as hog:
        hog.push_to(90.2)
        crossed = now_ms()
        first, took = eviction(server, 0, crossed)
        assert took <= PROMPTLY_MS
        second, _ = eviction(server, 1, crossed)
        gone = server.journal("exit", model=first["model"])[0]
        assert second["t_ms"] >= gone["t_ms"], "the next one only after a new reading"
        server.wait_for_line(r"All models are in use! .*Active: \{'a'\}$")
        running.wait_for_tokens(running.tokens + 3)
        assert server.loaded() == ["a"] and running.end is None
        print("\n" + json.dumps({"took_ms": took, "percent": group.working_set_percent()}))
        assert group.oom_kills() == 0
    wait_for_level(server, "normal")
    running.close()
    server.stop()

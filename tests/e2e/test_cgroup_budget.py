"""A memory cgroup that the kernel enforces, three models of which two fit, and no budget in the
configuration: it is right by itself, and the third model takes nothing from the other two.

The large ones are those of the measured loss: a router that counts models loses a stream here.
"""

import re

import pytest

from harness import models, page_cache
from harness.prompts import chat
from harness.units import bytes_of_text
from harness.waiting import wait_until

MIB = 1024 * 1024
NAMES = ("a", "b", "c")
# Read, not mapped: anonymous memory, which the kernel cannot take back.
OPTIONS = {"load_mode": "none", "context": 1024, "parallel": 2}
# What a default budget leaves free at least; above 5 GB a tenth of the limit is more.
LEAST_RESERVE = 512 * MIB


def server_in(group, serve, size):
    """A server in the group without a configured budget, on the real machine's readings. Its files
    are its own, and not in memory: who loads them pays for their pages."""
    server = serve({}, {"memory": {"budget": None, "proc_root": None}, "defaults": OPTIONS},
                   started=False)
    for seed, name in enumerate(NAMES, 1):
        file = server.models_dir / f"{name}.gguf"
        models.generate(file, "--size", size, "--seed", str(seed), "--context", "8192")
        page_cache.forget(file)
    server.group = group
    return server


def budget_of(server):
    """Its terms in bytes, as the log says them."""
    line = server.wait_for_line("budget: .* = ")
    words = re.search(r"budget: (.*) = cgroup limit (.*) - (.*) used by others - (.*) in reserve",
                      line)
    assert words, line
    return dict(zip(("budget", "limit", "others", "reserve"), map(bytes_of_text, words.groups())))


def two_are_served_and_the_third_takes_nothing(server, group, tokens):
    for name in ("a", "b"):
        assert server.chat(chat(name, max_tokens=2)).status == 200
    server.wait_loaded("a", "b")
    streams = {name: server.stream(chat(name, max_tokens=tokens)).wait_for_tokens()
               for name in ("a", "b")}
    third = server.stream(chat("c", max_tokens=2))
    server.wait_active({"a": 1, "b": 1, "c": 1})
    waiting = server.health()["waiting"]
    assert [(wait["model"], wait["waiting_for"]) for wait in waiting] == [("c", "memory")]
    assert server.loaded() == ["a", "b"]

    for name, stream in streams.items():
        stream.finish()
        assert (stream.status, stream.end, stream.tokens) == (200, "complete", tokens), stream
        assert stream.done and stream.finish_reason == "length", name
    third.finish()
    if third.status == 503:
        assert int(third.headers["retry-after"]) >= 1
    else:
        assert (third.status, third.end, third.tokens) == (200, "complete", 2), third
        gone = server.journal("exit")[0]
        assert gone["model"] in ("a", "b")
        loads = server.journal("spawn", model="c")
        assert len(loads) == 1 and loads[0]["t_ms"] >= gone["t_ms"], "memory was given twice"
    nothing_was_killed(server, group)


def nothing_was_killed(server, group):
    assert group.oom_kills() == 0
    assert [line for line in server.journal("exit") if line["kind"] != "exited"] == []
    assert server.journal("cut") == []
    whys = {line["why"] for line in server.journal("stop_signal")}
    assert whys <= {"idle_victim", "turn_over", "shutdown"}, "pressure, where there was none"


@pytest.fixture
def group_for_two(memory_group, bytes_of):
    """Its default budget holds two and a half of the middle models."""
    one = bytes_of("middle-1", context=OPTIONS["context"], parallel=OPTIONS["parallel"],
                   load_mode=OPTIONS["load_mode"])
    return memory_group(LEAST_RESERVE + one * 5 // 2)


def test_two_of_three_fit_a_small_group(serve, group_for_two):
    server = server_in(group_for_two, serve, "210MB").start()
    budget = budget_of(server)
    assert abs(budget["limit"] - group_for_two.limit) < 10 * MIB
    assert budget["others"] < 64 * MIB, "the server itself, and little else"
    two_are_served_and_the_third_takes_nothing(server, group_for_two, tokens=150)
    server.stop()


def test_page_cache_of_earlier_use_is_not_others_use(serve, group_for_two):
    """Files that were read twice are active page cache. The kernel gives it back when asked, so it
    must neither shrink the budget nor raise the alarm."""
    server = server_in(group_for_two, serve, "210MB")
    files = [server.models_dir / f"{name}.gguf" for name in NAMES]
    for _ in range(2):
        assert group_for_two.spawn(["cat", *files], stdout=open("/dev/null", "wb")).wait() == 0
    active = group_for_two.stat()["active_file"]
    assert active > 300 * MIB, "the kernel keeps active pages otherwise: this test shows nothing"

    server.start()
    assert budget_of(server)["others"] < 64 * MIB
    for name in (*NAMES, *NAMES):
        assert server.chat(chat(name, max_tokens=2)).status == 200
        assert server.health()["memory"]["level"] == "normal"
    nothing_was_killed(server, group_for_two)
    server.stop()


@pytest.mark.long
@pytest.mark.limit(600)
def test_two_of_three_models_of_2_1_gb_fit_6_gb(serve, memory_group):
    group = memory_group(6_000_000_000)
    server = server_in(group, serve, "2.1GB").start()
    budget = budget_of(server)
    print(budget)
    assert budget["reserve"] >= group.limit // 10 - MIB
    two_are_served_and_the_third_takes_nothing(server, group, tokens=100)
    server.stop()

"""U7: the machine's own memory crosses the critical mark, and comes back."""

import re

import pytest

from harness import processes
from harness.prompts import chat, count, count_text, endless
from harness.waiting import wait_until

THREE = {"a": "slow-1", "b": "slow-2", "c": "slow-3"}
CRITICAL = {"en": "🚨 Critical memory shortage: 96.2%",
            "ru": "🚨 Критическая нехватка памяти: 96.2%"}


def wait_for_level(server, level):
    wait_until(lambda: server.health()["memory"]["level"] == level, f"memory level {level}")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_critical_memory_unloads_only_what_nobody_uses(serve, language):
    server = serve(THREE, {"log": {"language": language}})
    server.load("a", "b", "c")
    streams = [server.stream(count("a", 200)).wait_for_tokens() for _ in range(2)]

    server.machine.use(96.2)
    server.wait_for_line(re.escape(CRITICAL[language]) + "$")
    server.wait_loaded("a")
    health = server.health()
    assert health["memory"]["used_percent"] == 96.2
    assert health["memory"]["level"] == "critical"
    for stream in streams:
        stream.finish()
        assert (stream.end, stream.text) == ("complete", count_text(200)), stream
    signalled = {line["model"]: line["why"] for line in server.journal("stop_signal")}
    assert signalled["b"] == signalled["c"] == "emergency_cleanup"

    # Nobody uses it any more, and memory is as short as before.
    server.wait_loaded()
    server.machine.use(30.0)
    wait_for_level(server, "normal")
    assert server.chat(chat("b")).status == 200
    server.stop()


def test_a_loading_model_is_not_interrupted(serve):
    server = serve(THREE)
    server.load("b")
    stream, child = server.begin_frozen_load("a")
    server.machine.use(96.2)
    server.wait_for_line("Model b unloaded from memory$")
    assert server.health()["loading_models"] == ["a"]
    processes.thaw(child)
    assert stream.finish().status == 200
    assert [line["pid"] for line in server.journal("spawn", model="a")] == [child]


def test_all_in_use_is_said_once_and_nothing_goes(serve):
    server = serve({"a": "slow-1", "b": "slow-2"})
    streams = [server.stream(endless(name)).wait_for_tokens() for name in ("a", "b")]
    server.machine.use(96.2)
    server.wait_for_line(r"All models are in use! .*Active: \{'a', 'b'\}$")
    server.machine.use(97.0)
    wait_until(lambda: server.health()["memory"]["used_percent"] == 97.0, "the next reading")
    assert sum("All models are in use" in line for line in server.lines) == 1
    assert server.journal("stop_signal") == []
    assert server.active() == {"a": 1, "b": 1}
    for stream in streams:
        stream.close()
    server.wait_loaded()  # idle now, and memory is still critical
    server.stop()


def test_ready_models_serve_and_new_loads_wait_while_memory_is_short(serve):
    server = serve({"a": "slow-1", "b": "slow-2"})
    held = server.stream(endless("a")).wait_for_tokens()
    server.machine.use(96.2)
    wait_for_level(server, "critical")
    waiting = server.stream(chat("b"))
    server.wait_active({"a": 1, "b": 1})
    assert server.chat(chat("a")).status == 200
    waits = server.health()["waiting"]
    assert [(wait["model"], wait["waiting_for"]) for wait in waits] == [("b", "pressure")]
    server.machine.use(40.0)
    assert waiting.finish().status == 200
    assert held.end is None, "the held answer ended too soon for this test"
    held.close()
    server.stop()


def test_high_memory_unloads_idle_models_one_after_the_other(serve):
    server = serve(THREE)
    server.load("a", "b", "c")
    server.machine.use(91.0)
    wait_until(lambda: len(server.loaded()) == 2, "one model leaves")
    server.machine.use(80.0)
    wait_for_level(server, "normal")
    assert len(server.loaded()) == 2
    assert {line["why"] for line in server.journal("stop_signal")} == {"memory_pressure"}
    server.stop()

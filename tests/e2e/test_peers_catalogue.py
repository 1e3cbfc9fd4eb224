"""Tests by which other servers of local models were measured, with the numbers they have there.

Each is a set-up under which at least one of them starves, cuts or loses somebody. Short here; the
length of the original has the marker `long`. Figures that depend on the machine are printed.
"""

import collections
import json
import statistics
import threading
import time

import pytest

from harness import processes
from harness.bounds import PublishedBounds
from harness.load import COMPLETIONS, Busy, ask, hammer, is_right, percentile, tokens_in
from harness.prompts import chat, completion, count, count_text, endless
from harness.waiting import wait_until

TWO = {"a": "slow-1", "b": "slow-2"}
TINY_TWO = {"a": "tiny-1", "b": "tiny-2"}
TINY_THREE = {**TINY_TWO, "c": "tiny-3"}


def outcomes(asked):
    return dict(collections.Counter(one.answer.status for one in asked))


def forced_kills(server):
    """Children that did not end when they were told to."""
    return [line for line in server.journal("exit")
            if (line["kind"], line["code"]) != ("exited", 0)]


@pytest.mark.parametrize("clients", [2, 3, 4])
@pytest.mark.parametrize("answer_s, busy_s, queue", [
    (0.3, 20, {"patience": "1s"}),
    pytest.param(1.0, 60, {}, marks=pytest.mark.long),  # patience and turn as shipped
])
def test_t01_starvation(serve, room_for, clients, answer_s, busy_s, queue):
    server = serve(TWO, {**room_for(1), "queue": {**queue, "request_limit": "20s"}})
    tokens = tokens_in(server, "a", answer_s)
    with PublishedBounds(server) as published, Busy(server, "a", clients, tokens) as busy:
        wait_until(lambda: time.monotonic() > busy.begun + 1, "a was busy for a second")
        stream = server.stream(completion("b", 1), path=COMPLETIONS)
        left_s = busy.begun + busy_s - time.monotonic()
        stream.finish(timeout=left_s)  # long before a's clients would go home
    wait_s = stream.events[0].at - stream.asked_at
    print(json.dumps({"clients": clients, "wait_s": wait_s, "bound_s": published.first("b"),
                      "longest_answer_of_a_s": busy.longest_answer_s}))
    assert (stream.status, stream.error) == (200, None), stream
    assert wait_s <= published.first("b")
    assert busy.wrong == [], busy.wrong[:3]
    server.stop()


@pytest.mark.parametrize("seconds", [5, pytest.param(60, marks=pytest.mark.long)])
@pytest.mark.parametrize("placed, room, threads", [(TINY_TWO, 1, 16), (TINY_THREE, 2, 32)])
def test_t02_no_model_goes_between_ready_and_use(
        serve, room_for, placed, room, threads, seconds):
    server = serve(placed, room_for(room, "tiny-1"))
    asked = hammer(server, threads, seconds,
                   lambda chance: (COMPLETIONS, completion(chance.choice(sorted(placed)), 1)))
    wrong = [one for one in asked if not is_right(one) and not one.is_refusal]
    assert wrong == [], (len(wrong), wrong[:3])
    swaps = len(server.journal("spawn"))
    print(json.dumps({"outcomes": outcomes(asked), "loads": swaps}))
    assert swaps > room + 1, "the models were never swapped"
    assert forced_kills(server) == []
    server.stop()


@pytest.mark.parametrize("seconds, p99_max_s", [
    (5, None), pytest.param(25, 2.0, marks=pytest.mark.long)])
def test_t03_short_requests_to_three_models_with_room_for_one(
        serve, room_for, seconds, p99_max_s):
    """Every gap between requests lets another model in: swaps at almost every moment."""
    server = serve(TINY_THREE, room_for(1, "tiny-1"))
    asked = hammer(server, 8, seconds, lambda chance: (
        "/tokenize", {"model": chance.choice("abc"), "content": "Tell me something."}))
    wrong = [one for one in asked if not one.is_refusal
             and not (one.answer.status == 200 and one.answer.json["tokens"])]
    assert wrong == [], (len(wrong), wrong[:3])
    times = [one.took_s for one in asked]
    p99_s = percentile(times, 99)
    print(json.dumps({"requests": len(asked), "outcomes": outcomes(asked),
                      "median_s": statistics.median(times), "p99_s": p99_s, "max_s": max(times),
                      "loads": len(server.journal("spawn"))}))
    assert forced_kills(server) == []
    assert p99_max_s is None or p99_s <= p99_max_s
    server.stop()


def test_t07_unload_of_a_model_in_use(serve):
    server = serve({"a": "slow-1", "b": "tiny-1"})
    server.load("b")
    stream = server.stream(count("a", 120)).wait_for_tokens()
    refused = server.post("/api/v1/models/a/unload")
    assert (refused.status, refused.error["code"]) == (409, "model_in_use")
    assert server.chat(chat("b")).status == 200
    assert server.cached("a")["state"] == "ready" and stream.end is None
    stream.finish()
    assert (stream.end, stream.text, stream.done) == ("complete", count_text(120), True)
    assert server.journal("gate", "stop_signal", model="a") == []

    stream = server.stream(count("a", 120)).wait_for_tokens()
    run = server.cli("unload", "a", "--drain", "--json")
    assert run.returncode == 0 and json.loads(run.stdout)["result"] == "draining", run
    assert server.post("/api/v1/models/a/unload?drain=true").status == 202
    assert server.cached("a")["state"] == "gated" and stream.end is None
    assert server.chat(chat("b")).status == 200
    stream.finish()
    assert (stream.end, stream.text, stream.done) == ("complete", count_text(120), True)
    server.wait_loaded("b")
    [stop] = server.journal("stop_signal")
    assert (stop["model"], stop["leases"], stop["why"]) == ("a", 0, "unloaded_by_hand")
    server.stop()


@pytest.mark.parametrize("second", ["while it loads", "afterwards"])
def test_t12_an_impatient_client(serve, second):
    """The load is stopped in its middle, so that the client leaves and the second one comes when
    the test says, not when a clock does."""
    server = serve({"a": "slow-1"}, {"defaults": {"ttl": "300s"}})
    first, child = server.begin_frozen_load("a")
    first.close()
    server.wait_active({})
    if second == "while it loads":
        stream = server.stream(count("a", 5))
        server.wait_active({"a": 1})
        processes.thaw(child)
    else:
        processes.thaw(child)
        server.wait_loaded("a")
        wait_until(lambda: server.cached("a")["idle_s"] >= 2, "two seconds without a request")
        stream = server.stream(count("a", 5))
    assert stream.finish().text == count_text(5)
    wait_until(lambda: server.cached("a")["idle_s"] >= 2, "two seconds without a request")
    assert server.loaded() == ["a"] and server.child_of("a") == child
    assert len(server.journal("spawn")) == 1
    assert server.journal("stop_signal") == []
    server.stop()


@pytest.mark.parametrize("burst", [11, 50, 200])
def test_t14_a_burst(serve, burst):
    server = serve({"a": "slow-1"}, {"defaults": {"parallel": 4}})
    server.load("a")
    start = threading.Barrier(burst)
    asked = []

    def client():
        start.wait()
        asked.append(ask(server, completion("a", 4)))

    clients = [threading.Thread(target=client) for _ in range(burst)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    granted = [one for one in asked if is_right(one)]
    print(json.dumps({"burst": burst, "outcomes": outcomes(asked)}))
    assert all(one in granted or one.is_refusal for one in asked), outcomes(asked)
    # 64 may wait (max_waiting) while 4 are answered.
    assert len(granted) == burst if burst <= 64 else len(granted) >= 64
    grants = server.journal("grant")
    assert len(grants) == len(granted)
    assert max(line["leases"] for line in grants) <= 4
    # Numbers are given on arrival; without keys everybody is one user, so that first come is first
    # served.
    numbers = [int(line["request"]) for line in grants]
    assert numbers == sorted(numbers)
    server.wait_active({})
    server.stop()


def test_t16_who_waits_for_a_busy_model_delays_nobody_else(serve, room_for):
    server = serve({**TWO, "c": "slow-3", "d": "slow-1", "small": "tiny-1"}, room_for(2))
    long = server.stream(endless("a")).wait_for_tokens()
    short = server.stream(endless("b")).wait_for_tokens()
    waiting = {}
    for model in ("c", "d"):
        waiting[model] = server.stream(count(model, 5))
        server.wait_active({"a": 1, "b": 1, **{name: 1 for name in waiting}})

    # Others go on: requests to both busy models, /health, and a model for which there is room.
    times = collections.defaultdict(list)
    for _ in range(5):
        for model in ("a", "b", "small"):
            one = ask(server, completion(model, 1))
            assert is_right(one), one
            times[model].append(one.took_s)
    for _ in range(50):
        begun = time.monotonic()
        health = server.health()
        times["health"].append(time.monotonic() - begun)
    print(json.dumps({name: {"median_s": statistics.median(all_s), "max_s": max(all_s)}
                      for name, all_s in times.items()}))
    assert [(wait["model"], wait["position"]) for wait in health["waiting"]] == [("c", 1), ("d", 2)]
    assert statistics.median(times["health"]) < 0.1

    # One place becomes free: first c has it, then d, while a answers on.
    short.close()
    for model, stream in waiting.items():
        assert stream.finish().text == count_text(5), model
    assert long.end is None
    assert [line["model"] for line in server.journal("stop_signal")] == ["b", "c"]
    assert server.journal("gate", model="a") == []
    long.close()
    server.stop()

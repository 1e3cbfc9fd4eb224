"""Nobody waits for ever: patience, gates, bounds, full queues."""

import json
import threading
import time

from harness.prompts import chat, count, count_text, endless
from harness.waiting import wait_until

TWO = {"a": "slow-1", "b": "slow-2"}


def keep_busy(server, model, until, failures):
    """A client that asks again as soon as it is answered."""
    size = 20
    while not until.is_set():
        size = 20 + (size * 7) % 41  # lengths that never fall into step
        answer = server.chat(count(model, size))
        if answer.status != 200:
            failures.append(answer)
        elif answer.json["choices"][0]["message"]["content"] != count_text(size):
            failures.append(answer)


def test_one_question_is_served_although_another_model_is_always_busy(serve, room_for):
    server = serve(TWO, {**room_for(1), "queue": {"patience": "2s", "turn": "2s"}})
    over, failures = threading.Event(), []
    clients = [threading.Thread(target=keep_busy, args=(server, "a", over, failures))
               for _ in range(3)]  # one more than a has slots: it is never idle
    for client in clients:
        client.start()
    try:
        wait_until(lambda: len(server.journal("release", model="a")) >= 2, "a is busy")
        begun = time.monotonic()
        answer = server.chat(count("b", 3))
        took = time.monotonic() - begun
    finally:
        over.set()
        for client in clients:
            client.join()
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"] == count_text(3)
    assert failures == [], failures[:3]
    # Patience, an answer of a, a swap; not the minutes that a's clients could go on.
    assert 2 <= took < 60, took
    assert int(answer.headers["x-holdfast-waited-ms"]) >= 2000
    first_stop = server.journal("stop_signal", model="a")[0]
    assert first_stop["why"] in ("turn_over", "gate_never_lifted"), first_stop
    server.stop()


def test_a_gate_opens_again_when_the_waiter_leaves(serve, room_for):
    server = serve(TWO, {**room_for(1), "queue": {"patience": "1s", "turn": "1s"}})
    running = server.stream(endless("a")).wait_for_tokens()
    waiting = server.stream(chat("b"))
    wait_until(lambda: server.cached("a")["state"] == "gated", "a's gate is shut for b")
    assert running.end is None
    waiting.close()
    # A departed client's place is kept for some seconds; then a admits again.
    wait_until(lambda: server.cached("a")["state"] == "ready", "a's gate opens again")
    assert server.chat(chat("a")).status == 200
    assert running.end is None, "the held answer ended too soon for this test"
    running.close()
    assert server.journal("stop_signal") == []
    server.stop()


def test_a_full_queue_refuses_with_retry_after(serve):
    server = serve(TWO, {"queue": {"max_waiting": 2}})
    held = [server.stream(endless("a")).wait_for_tokens() for _ in range(2)]
    queued = [server.stream(chat("a")) for _ in range(2)]
    server.wait_active({"a": 4})
    refused = server.chat(chat("a"))
    assert refused.status in (429, 503), refused
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.error["code"] in ("queue_full", "user_limit")
    for stream in held:
        stream.close()
    assert [stream.finish().status for stream in queued] == [200, 200]
    server.wait_active({})
    server.stop()


def test_a_model_that_can_never_fit_is_refused_and_nobody_goes(serve, bytes_of):
    server = serve({"small": "tiny-1", "large": "slow-1"},
                   {"memory": {"budget": (bytes_of("tiny-1") + bytes_of("slow-1")) // 2}})
    assert server.chat(chat("small")).status == 200
    child = server.child_of("small")
    answer = server.chat(chat("large"))
    assert answer.status == 422, answer
    assert answer.error["code"] == "never_fits"
    assert answer.error["needed_bytes"] > answer.error["available_bytes"] > 0
    assert "iB" in answer.error["message"]
    assert "retry-after" not in answer.headers
    assert server.child_of("small") == child
    assert server.journal("spawn", model="large") == []
    server.stop()


def test_the_bound_is_told_with_its_terms_everywhere(serve, room_for):
    server = serve(TWO, {**room_for(1), "queue": {"patience": "60s", "turn": "7s",
                                                  "request_limit": "90s"}})
    running = server.stream(endless("a")).wait_for_tokens()
    waiting = [server.stream(chat("b")) for _ in range(2)]
    server.wait_active({"a": 1, "b": 2})
    wait = next(w for w in server.health()["waiting"] if w["model"] == "b")
    terms = wait["bound_terms"]
    assert wait["position"] == 1 and wait["requests"] == 2
    assert wait["waiting_for"] in ("memory", "turn") and wait["blockers"] == ["a"]
    assert terms["standing"] == "in_line" and terms["ahead"] == 0 and terms["models"] == 2
    assert (terms["patience_s"], terms["turn_s"], terms["answer_s"]) == (60, 7, 90)
    turn = terms["load_s"] + terms["turn_s"] + terms["answer_s"] + terms["stop_s"]
    longest = terms["patience_s"] + turn + terms["load_s"] + 0.01  # rounded to milliseconds
    assert 0 < wait["bound_s"] <= longest
    assert 0 <= wait["eta_s"] <= wait["bound_s"]

    explained = json.loads(server.cli("explain", "b", "--json").stdout)
    assert [r["place"] for r in explained["requests"]] == [1, 2]
    assert all(r["bound_s"] <= longest for r in explained["requests"])
    told = server.cli("explain", "b").stdout
    assert "at the latest" in told and "patience 60.0 s + 1 turn of (load" in told
    assert "requests that wait" in told

    running.close()
    headers = []
    for stream in waiting:
        assert stream.finish().status == 200
        headers.append(stream.headers)
    for told in headers:
        assert told["x-holdfast-position"] == "1"
        bound_ms = int(told["x-holdfast-bound-ms"])
        assert int(told["x-holdfast-waited-ms"]) <= bound_ms
        assert int(told["x-holdfast-eta-ms"]) <= bound_ms
        assert told["x-holdfast-bound-terms"].startswith("in_line; P=60; Q=7; R=90; L=")
        assert told["x-holdfast-waiting-for"].endswith("; a")
    at_once = server.chat(chat("b"))
    assert "x-holdfast-bound-ms" not in at_once.headers, "it did not wait"
    server.stop()


def test_a_waiter_is_told_the_truth_about_its_wait(serve, room_for):
    server = serve(TWO, {**room_for(1), "queue": {"patience": "60s"}})
    running = server.stream(count("a", 40)).wait_for_tokens()
    waiting = server.stream(chat("b"))
    server.wait_active({"a": 1, "b": 1})
    run = server.cli("explain", "b", "--json")
    assert run.returncode == 0, run
    assert running.finish().text == count_text(40)
    waiting.finish()
    assert waiting.status == 200
    waited_ms = int(waiting.headers["x-holdfast-waited-ms"])
    assert waited_ms <= (waiting.events[0].at - waiting.asked_at) * 1000 + 50
    assert waited_ms > 0
    server.stop()

"""Loads that fail: who pays, who comes back, and how often it is tried."""

import collections

from harness import stub
from harness.prompts import chat
from harness.waiting import wait_until

TWO = {"a": "tiny-1", "b": "tiny-2"}
OUT_OF_MEMORY = "ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 1"


def spawns(server, model):
    return server.journal("spawn", model=model)


def retry_after(answer):
    return int(answer.headers["retry-after"])


def test_a_victim_comes_back_when_the_newcomer_fails(serve, room_for):
    server = serve(TWO, stub.settings(**room_for(1, "tiny-1")))
    assert server.chat(chat("a")).status == 200
    stub.script(server, "b", load_exit=1)
    refused = server.chat(chat("b"))
    assert (refused.status, refused.error["code"]) == (503, "load_failed")
    assert retry_after(refused) == 1
    server.wait_loaded("a")
    assert [line["why"] for line in spawns(server, "a")] == ["head_fits", "victim_returns"]
    assert [line["why"] for line in server.journal("stop_signal")] == ["idle_victim"]
    assert server.chat(chat("a")).status == 200
    server.stop()


def test_nobody_is_stopped_for_what_cannot_be_loaded(serve, room_for):
    placed = {**TWO, "broken": "truncated", "large": "slow-1"}
    server = serve(placed, stub.settings(**room_for(1, "tiny-1")))
    assert server.chat(chat("a")).status == 200
    for model, code in (("broken", "model_broken"), ("large", "never_fits")):
        refused = server.chat(chat(model))
        assert (refused.status, refused.error["code"]) == (422, code)
        assert "retry-after" not in refused.headers
    assert server.loaded() == ["a"]
    assert len(server.journal("spawn")) == 1 and server.journal("stop_signal") == []
    server.stop()


def test_out_of_memory_is_tried_once_more_with_more_bytes(serve):
    server = serve(TWO, stub.settings())
    go = server.folder / "go"
    stub.script(server, "a", load_until=str(go), load_message=OUT_OF_MEMORY, load_exit=1)
    asked = server.stream(chat("a"))
    wait_until(lambda: stub.events(server, "a", "start"), "the first attempt runs")
    stub.script(server, "a")  # the second one finds memory
    go.touch()
    assert (asked.finish().status, asked.end) == (200, "complete"), asked
    first, second = spawns(server, "a")
    assert (first["why"], second["why"]) == ("head_fits", "retry_after_oom")
    assert second["bytes"] == first["bytes"] + first["bytes"] // 4
    assert server.journal("refuse") == []
    server.stop()


def test_out_of_memory_twice_is_a_failed_load(serve, room_for):
    server = serve(TWO, stub.settings(**room_for(1, "tiny-1")))
    assert server.chat(chat("a")).status == 200
    stub.script(server, "b", load_message=OUT_OF_MEMORY, load_exit=1)
    refused = server.chat(chat("b"))
    assert (refused.status, refused.error["code"]) == (503, "load_failed")
    assert [line["why"] for line in spawns(server, "b")] == ["head_fits", "retry_after_oom"]
    server.wait_loaded("a")
    assert spawns(server, "a")[-1]["why"] == "victim_returns"
    server.stop()


def told(server, name):
    models = server.get("/api/v1/models").json["models"]
    return next(model for model in models if model["name"] == name)


def test_explain_and_ps_say_why_a_model_is_refused(serve):
    settings = stub.settings(**{'models."large"': {"context": 1 << 20, "parallel": 64}},
                             memory={"budget": "1GiB"})
    server = serve({**TWO, "broken": "truncated", "large": "tiny-1"}, settings)
    stub.script(server, "a", load_exit=7)
    refusals = {name: server.chat(chat(name)).error for name in ("a", "broken", "large")}
    assert "its load failed: the engine ended while it loaded (code 7)" in refusals["a"]["message"]
    assert {error["code"] for error in refusals.values()} == \
        {"load_failed", "model_broken", "never_fits"}

    ps = server.cli("ps").stdout
    for name in ("broken", "large"):
        refused = told(server, name)["refused"]
        assert (refused["message"], refused["hint"]) == \
            (refusals[name]["message"], refusals[name]["hint"])
        assert refused["message"] in server.cli("explain", name).stdout
        assert f"-> {refused['hint']}" in server.cli("explain", name).stdout
        assert refused["message"] in ps
    assert "its file was looked at" in server.cli("explain", "broken").stdout

    # The second failure in a row, told while nobody may try again and afterwards.
    wait_until(lambda: server.chat(chat("a")).error["code"] == "load_failed", "it fails again")
    explained = server.cli("explain", "a").stdout
    assert "2 in a row: the engine ended while it loaded (code 7)" in explained
    assert told(server, "a")["last_failure"]["in_a_row"] == 2
    assert str(server.models_dir) not in explained + ps

    stub.script(server, "a")
    wait_until(lambda: server.chat(chat("a")).status == 200, "it is tried again, and works")
    assert told(server, "a")["last_failure"] is None
    assert told(server, "b")["refused"] is None
    server.stop()


def estimate(server, name):
    return told(server, name)["bytes_estimated"]


def test_what_out_of_memory_taught_outlives_older_measurements(serve):
    server = serve(TWO, stub.settings(**{'models."a"': {"priority": 0}}))
    assert server.chat(chat("a")).status == 200  # measured: no more than was predicted
    assert server.post("/api/v1/models/a/unload").status == 200
    wait_until(lambda: server.cached("a") is None, "a is gone")
    predicted = estimate(server, "a")

    stub.script(server, "a", load_message=OUT_OF_MEMORY, load_exit=1)
    assert server.chat(chat("a")).error["code"] == "load_failed"
    raised = estimate(server, "a")
    assert raised > predicted * 3 // 2, "twice a quarter more"

    # The model is told to the core anew, with all that was measured of it.
    server.settings['models."a"']["priority"] = 1
    server.write_config()
    assert server.post("/api/v1/reload").status == 200
    assert estimate(server, "a") == raised

    # A generation that serves with it is measured, and then that counts.
    stub.script(server, "a")
    wait_until(lambda: server.chat(chat("a")).status == 200, "it is tried again, and works")
    assert spawns(server, "a")[-1]["bytes"] == raised
    wait_until(lambda: server.cached("a")["bytes_measured"] > 0, "it is measured")
    assert server.post("/api/v1/models/a/unload").status == 200
    wait_until(lambda: estimate(server, "a") == predicted, "what was measured counts")
    server.stop()


def test_a_model_that_fails_is_tried_more_and_more_seldom(serve):
    server = serve(TWO, stub.settings())
    stub.script(server, "a", load_exit=1)
    codes = collections.Counter()

    def attempt():
        answer = server.chat(chat("a"))
        assert answer.status == 503, answer
        codes[answer.error["code"]] += 1
        if answer.error["code"] == "load_failed":
            return answer
        # The circuit is open: refused at once, with the rest of the time.
        assert answer.error["code"] == "model_failed"
        assert 1 <= retry_after(answer) <= 4
        return None

    waits = [retry_after(wait_until(attempt, "the next attempt")) for _ in range(3)]
    assert waits == [1, 2, 4]
    assert codes["model_failed"] > 0
    assert len(spawns(server, "a")) == codes["load_failed"] == 3

    # A whole answer proves that it works: the next failure begins anew.
    stub.script(server, "a")
    wait_until(lambda: server.chat(chat("a")).status == 200, "it is tried again, and works")
    assert server.post("/api/v1/models/a/unload").status == 200
    wait_until(lambda: server.cached("a") is None, "a is gone")
    stub.script(server, "a", load_exit=1)
    assert retry_after(server.chat(chat("a"))) == 1
    server.stop()

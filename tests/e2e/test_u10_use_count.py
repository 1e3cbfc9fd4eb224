"""U10: uses are counted, remembered, and decide who stays."""

from harness.prompts import chat

THREE = {"a": "tiny-1", "b": "tiny-2", "c": "tiny-3"}


def test_it_grows_by_one_per_request_and_survives_eviction_and_restart(serve):
    server = serve({"a": "tiny-1"})
    for expected in (1, 2, 3):
        assert server.chat(chat("a")).status == 200
        assert server.cached("a")["use_count"] == expected
    server.post("/api/v1/models/a/unload")
    server.wait_loaded()
    assert server.chat(chat("a")).status == 200
    assert server.cached("a")["use_count"] == 4
    server.stop()

    server.start()
    server.load("a")
    assert server.cached("a")["use_count"] == 4, "a load is no use"
    assert server.chat(chat("a")).status == 200
    assert server.cached("a")["use_count"] == 5
    server.stop()


def test_of_two_alike_the_more_used_stays(serve, room_for):
    # 8 requests to b within seconds are one episode, as are 2 to a, so that the tie is broken by
    # the larger use_count although a was used last.
    server = serve(THREE, room_for(2, "tiny-1"))
    for name in ("a", *"bbbbbbbb", "a"):
        assert server.chat(chat(name)).status == 200
    assert server.loaded() == ["a", "b"]
    assert server.chat(chat("c")).status == 200
    assert server.loaded() == ["b", "c"]
    server.stop()


def test_a_model_in_use_stays_whatever_its_value(serve, room_for):
    server = serve({"a": "slow-1", "b": "slow-2", "c": "slow-3"}, room_for(2))
    for _ in range(5):
        assert server.chat(chat("b")).status == 200
    stream = server.stream(chat("a", max_tokens=400)).wait_for_tokens()
    assert server.chat(chat("c")).status == 200
    assert stream.finish().end == "complete"
    assert [line["model"] for line in server.journal("stop_signal")] == ["b"]
    server.stop()

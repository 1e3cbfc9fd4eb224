"""U10: uses are counted, remembered, and decide who stays."""

import contextlib
import sqlite3

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


def test_of_two_alike_the_one_used_in_more_episodes_stays(serve, room_for):
    """Episodes are uses more than 30 s apart: the test writes the history of a morning, with a
    margin that the small differences of measured load times do not reach."""
    server = serve(THREE, room_for(2, "tiny-1"))
    for name in ("a", "b"):
        assert server.chat(chat(name)).status == 200
    server.stop()
    with contextlib.closing(sqlite3.connect(server.folder / "history.db")) as history, history:
        history.execute("UPDATE model_stats SET episodes = 40, use_count = 40 WHERE name = 'b'")

    server.start()
    for name in ("b", "a", "a"):  # a was used last
        assert server.chat(chat(name)).status == 200
    assert server.cached("b")["use_count"] == 41
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

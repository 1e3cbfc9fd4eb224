"""U1, U2: who is counted as a user of a model, and which models are loading."""

from harness import processes
from harness.prompts import chat, count, count_text, endless
from harness.waiting import wait_until

ONE = {"a": "slow-1"}


def test_counts_from_before_the_load_until_the_answer_is_done(serve):
    server = serve(ONE)
    assert server.active() == {}
    stream, pid = server.begin_frozen_load("a")
    server.wait_active({"a": 1})
    health = server.health()
    assert health["loading_models"] == ["a"]
    assert server.cached("a")["is_loading"] is True
    assert server.cached("a")["active_requests"] == 1

    processes.thaw(pid)
    assert stream.finish().end == "complete"
    server.wait_active({})
    health = server.health()
    assert health["loading_models"] == []
    entry = server.cached("a")
    assert (entry["is_loading"], entry["active_requests"], entry["use_count"]) == (False, 0, 1)
    server.stop()


def test_each_request_counts_once_and_the_entry_goes_at_zero(serve):
    server = serve(ONE)
    streams = [server.stream(endless("a")).wait_for_tokens() for _ in range(2)]
    waiting = server.stream(chat("a"))  # two slots: the third waits in the queue
    server.wait_active({"a": 3})
    streams[0].close()
    waiting.finish()
    server.wait_active({"a": 1})
    streams[1].close()
    server.wait_active({})
    server.stop()


def test_a_refused_request_is_not_counted_for_long(serve):
    server = serve({"broken": "truncated", **ONE})
    for body in (chat("broken"), chat("nobody"), {"no": "model"}):
        assert server.chat(body).status in (400, 404, 422)
    server.wait_active({})


def test_an_error_of_the_engine_ends_the_count(serve):
    server = serve(ONE)
    answer = server.chat(chat("a", messages="not a list"))
    assert answer.status in (400, 500), answer
    server.wait_active({})
    assert server.chat(count("a", 5)).json["choices"][0]["message"]["content"] == count_text(5)
    server.stop()


def test_a_client_that_leaves_while_its_model_loads(serve):
    server = serve(ONE)
    stream, pid = server.begin_frozen_load("a")
    server.wait_active({"a": 1})
    stream.close()
    server.wait_active({})
    processes.thaw(pid)
    wait_until(lambda: server.loaded() == ["a"], "the load goes on without its requester")
    assert server.chat(chat("a")).status == 200
    assert len(server.journal("spawn")) == 1
    server.stop()


def test_a_client_that_leaves_the_queue(serve):
    server = serve(ONE)
    running = [server.stream(endless("a")).wait_for_tokens() for _ in range(2)]
    for leave in ("close", "reset"):
        waiting = server.stream(chat("a"))
        server.wait_active({"a": 3})
        getattr(waiting, leave)()
        server.wait_active({"a": 2})
    for stream in running:
        stream.close()
    server.wait_active({})
    server.stop()


def test_a_client_that_leaves_its_stream_stops_the_generation(serve):
    server = serve(ONE)
    for leave in ("close", "reset"):
        streams = [server.stream(endless("a")).wait_for_tokens(3) for _ in range(2)]
        server.wait_active({"a": 2})
        for stream in streams:
            getattr(stream, leave)()
        server.wait_active({})
        # Both slots of the child are free again: two answers come though nobody else left.
        again = [server.stream(count("a", 10)) for _ in range(2)]
        assert [stream.finish().text for stream in again] == [count_text(10)] * 2
    server.stop()


def test_a_failed_load_leaves_the_set_of_loading_models(serve):
    server = serve(ONE)
    stream, pid = server.begin_frozen_load("a")
    server.wait_active({"a": 1})
    processes.kill(pid)
    stream.finish()
    assert stream.status == 503, stream
    assert int(stream.headers["retry-after"]) >= 1
    health = server.health()
    assert health["loading_models"] == []
    server.wait_active({})

"""Waiting is visible: what a streaming request hears while its model loads or it waits in line."""

import json

import pytest
from harness import processes
from harness.prompts import chat, count, count_text, endless
from harness.stub import script, settings
from harness.waiting import wait_until

ONE = {"a": "slow-1"}


def comments(stream):
    """The progress that the heartbeats so far told, in order."""
    mark = b": holdfast "
    return [json.loads(line[len(mark):]) for line in stream.body.split(b"\n")
            if line.startswith(mark)]


def test_a_load_is_heard_and_the_answer_follows_in_the_same_stream(serve):
    server = serve(ONE)
    _, pid = server.begin_frozen_load("a")
    stream = server.stream(count("a", 20))
    told = wait_until(lambda: comments(stream), "a heartbeat")
    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.headers["x-holdfast-model"] == "a"
    assert int(stream.headers["x-holdfast-waited-ms"]) >= 900
    assert stream.headers["x-holdfast-waiting-for"]
    assert stream.headers["x-request-id"]
    assert told[0]["state"] == "loading"
    assert 0 <= told[0]["load_progress"] <= 1
    assert told[0]["waited_s"] >= 0.9
    assert told[0]["waiting_for"] == "load"
    wait_until(lambda: len(comments(stream)) >= 2, "a second one")
    processes.thaw(pid)
    assert stream.finish().end == "complete" and stream.done
    assert stream.text == count_text(20), "nothing of the answer was lost"
    server.stop()


def test_a_queue_is_heard_with_place_and_eta(serve):
    server = serve(ONE, {"defaults": {"parallel": 1}})
    server.load("a")
    running = server.stream(endless("a")).wait_for_tokens()
    waiting = [server.stream(chat("a", max_tokens=3)) for _ in range(2)]
    for stream in waiting:
        wait_until(lambda stream=stream: comments(stream), "a heartbeat")
    states = [comments(stream)[0] for stream in waiting]
    assert {state["state"] for state in states} == {"queued"}
    assert {state["waiting_for"] for state in states} == {"slot"}
    assert sorted(state["place"] for state in states) == [1, 2]
    assert all("eta_s" in state and "bound_s" in state for state in states)
    running.close()
    for stream in waiting:
        assert stream.finish().end == "complete" and stream.done
    server.stop()


def test_anthropics_clients_get_pings(serve):
    server = serve(ONE)
    _, pid = server.begin_frozen_load("a")
    body = {"model": "a", "max_tokens": 4, "messages": [{"role": "user", "content": "x"}]}
    stream = server.stream(body, path="/v1/messages")
    wait_until(lambda: b'event: ping\ndata: {"type": "ping"}\n\n' in stream.body, "a ping")
    processes.thaw(pid)
    assert stream.finish().end == "complete"
    kinds = [chunk["type"] for chunk in stream.chunks if chunk["type"] != "ping"]
    assert kinds[0] == "message_start" and kinds[-1] == "message_stop"
    server.stop()


@pytest.mark.parametrize("value", ["off", "false"])
def test_a_header_switches_them_off(serve, value):
    server = serve(ONE)
    _, pid = server.begin_frozen_load("a")
    heard = server.stream(chat("a"))
    silent = server.stream(chat("a"), headers={"x-holdfast-heartbeat": value})
    wait_until(lambda: len(comments(heard)) >= 2, "heartbeats for the other one")
    assert silent.status is None and silent.body == b""
    processes.thaw(pid)
    assert silent.finish().status == 200 and silent.done
    assert comments(silent) == []
    server.stop()


def test_who_wants_no_stream_hears_nothing_and_is_answered_with_headers(serve):
    server = serve(ONE)
    _, pid = server.begin_frozen_load("a")
    heard = server.stream(chat("a"))
    with server.connect() as connection:
        connection.send("POST", "/v1/chat/completions", json.dumps(count("a", 5)).encode())
        wait_until(lambda: comments(heard), "a heartbeat for the other one")
        processes.thaw(pid)
        answer = connection.response()
    assert answer.json["choices"][0]["message"]["content"] == count_text(5)
    assert int(answer.headers["x-holdfast-waited-ms"]) >= 900
    assert "content-length" in answer.headers
    server.stop()


def test_what_must_be_refused_is_refused_before_the_first_heartbeat(serve):
    server = serve({**ONE, "broken": "truncated"}, {"queue": {"max_waiting": 1}})
    server.begin_frozen_load("a")
    server.wait_active({"a": 1})
    for model, status, code in (("nobody", 404, "model_not_found"), ("a", 503, "queue_full"),
                                ("broken", 422, "model_broken")):
        refused = server.stream(chat(model)).finish()
        assert refused.status == status, str(refused)
        assert json.loads(refused.body)["error"]["code"] == code


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_a_later_error_comes_in_the_stream_and_says_when_to_come_back(serve, path):
    server = serve({"a": "tiny-1"}, settings())
    script(server, "a", load_until=str(server.folder / "go"), load_exit=1)
    stream = server.stream(chat("a"), path=path)
    wait_until(lambda: comments(stream), "a heartbeat")
    (server.folder / "go").touch()
    stream.finish()
    assert stream.status == 200
    assert stream.end == "broken", "it must not look like a finished answer"
    assert stream.error["code"] in ("load_failed", "model_failed")
    assert stream.error["retry_after_s"] >= 1
    assert not stream.done
    if path == "/v1/messages":
        assert b"event: error\n" in stream.body
    server.wait_active({})


def test_an_error_of_the_engine_after_heartbeats_comes_in_the_stream(serve):
    server = serve(ONE, {"defaults": {"context": 256}})
    _, pid = server.begin_frozen_load("a")
    stream = server.stream(chat("a", messages=[{"role": "user", "content": "word " * 600}]))
    wait_until(lambda: comments(stream), "a heartbeat")
    processes.thaw(pid)
    stream.finish()
    assert stream.end == "broken"
    assert stream.error["code"] == "context_length_exceeded"
    assert server.chat(count("a", 5)).json["choices"][0]["message"]["content"] == count_text(5)
    server.stop()


def test_a_client_that_leaves_after_a_heartbeat_is_noticed(serve):
    server = serve(ONE)
    _, pid = server.begin_frozen_load("a")
    stream = server.stream(chat("a"))
    wait_until(lambda: comments(stream), "a heartbeat")
    stream.close()
    server.wait_active({"a": 1})
    processes.thaw(pid)
    server.wait_active({})
    server.stop()


def test_a_force_while_it_waits_is_told_in_the_stream(serve):
    server = serve(ONE)
    server.begin_frozen_load("a")
    stream = server.stream(chat("a"))
    wait_until(lambda: comments(stream), "a heartbeat")
    assert server.post("/api/v1/models/a/unload?force=true").status == 200
    stream.finish()
    assert stream.end == "broken" and stream.error["code"] == "forced"


def test_a_context_that_overflows_is_said_in_each_dialect(serve):
    server = serve({"a": "tiny-1"}, {"defaults": {"context": 256}})
    long = [{"role": "user", "content": "word " * 600}]
    for stream in (False, True):
        body = {"model": "a", "messages": long, "max_tokens": 4, "stream": stream}
        openai = server.chat(body)
        assert openai.status == 400
        assert openai.json["error"]["code"] == "context_length_exceeded"
        assert openai.json["error"]["type"] == "invalid_request_error"
        assert "maximum context length is 256 tokens" in openai.json["error"]["message"]
        anthropic = server.post("/v1/messages", body)
        assert anthropic.status == 400
        assert anthropic.json["error"]["type"] == "invalid_request_error"
        assert anthropic.json["error"]["message"].startswith("prompt is too long: ")
    server.stop()

"""Children and servers that die, at every stage."""

import json
import os
import signal
import time

import pytest

from harness import journal, processes
from harness.prompts import chat, count, count_text, endless
from harness.server import CHAT
from harness.waiting import wait_until


def test_a_child_killed_while_it_answers_is_an_error_event_and_a_broken_transfer(serve):
    server = serve({"a": "slow-1", "b": "slow-2"})
    stream = server.stream(endless("a")).wait_for_tokens(5)
    other = server.stream(count("b", 150)).wait_for_tokens()
    processes.kill(server.child_of("a"))
    stream.finish()
    assert stream.end == "broken", stream
    assert not stream.done
    assert stream.error["code"] == "upstream_crashed"
    # One death takes nothing from anybody else, and the next request finds a new child.
    answer = server.chat(count("a", 5))
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"] == count_text(5)
    other.finish()
    assert (other.end, other.text) == ("complete", count_text(150))
    server.wait_active({})
    server.stop()


def test_a_whole_answer_whose_child_dies_is_a_typed_error_or_made_again(serve):
    server = serve({"a": "slow-1"})
    server.load("a")
    with server.connect() as connection:
        connection.send("POST", CHAT, json.dumps(count("a", 100)).encode())
        server.wait_active({"a": 1})
        wait_until(lambda: server.journal("grant"), "the request runs")
        processes.kill(server.child_of("a"))
        answer = connection.response()
    assert answer.status in (200, 502), answer
    if answer.status == 200:
        assert answer.json["choices"][0]["message"]["content"] == count_text(100)
    else:
        assert answer.error["code"] == "upstream_crashed"
    server.stop()


def test_a_child_killed_while_it_is_idle_is_replaced(serve):
    server = serve({"a": "slow-1"})
    server.load("a")
    processes.kill(server.child_of("a"))
    assert server.chat(chat("a")).status == 200
    server.stop()


@pytest.mark.parametrize("frozen", [False, True])
def test_nothing_outlives_a_killed_server(serve, frozen):
    server = serve({"a": "slow-1", "b": "tiny-1"})
    server.load("b")
    stream = server.stream(endless("a")).wait_for_tokens()
    children = server.children()
    assert len(children) >= 2
    if frozen:
        for pid in children:
            processes.freeze(pid)
    begun = time.monotonic()
    assert server.kill9() == -signal.SIGKILL
    wait_until(lambda: not any(map(processes.is_alive, children)), "all children are gone",
               timeout=10)
    assert time.monotonic() - begun < 2
    assert stream.finish().end == "broken"

    server.start()  # at once, over the remains
    assert server.chat(chat("a")).status == 200
    assert server.chat(chat("b")).status == 200
    server.terminate()
    assert server.wait() == 0


def test_sigterm_lets_running_answers_end(serve):
    server = serve({"a": "slow-1", "b": "tiny-1"})
    server.load("b")
    streams = [server.stream(count("a", 150)).wait_for_tokens() for _ in range(2)]
    server.terminate()
    server.wait_for_line("shutting down")
    refused = server.chat(chat("b"))
    assert refused.status == 503, refused
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.error["code"] == "shutting_down"
    assert server.health()["draining"] is True
    assert all(stream.end is None for stream in streams), "too fast for this test"
    for stream in streams:
        stream.finish()
        assert (stream.end, stream.text, stream.done) == ("complete", count_text(150), True), stream
    assert server.wait() == 0
    journal.check(server.journal_path)


def test_the_drain_deadline_cuts_with_an_error(serve):
    server = serve({"a": "slow-1"}, {"": {"drain": "1s"}})
    stream = server.stream(endless("a")).wait_for_tokens()
    children = server.children()
    server.terminate()
    stream.finish()
    assert stream.end == "broken" and not stream.done, stream
    assert stream.error["code"] == "drain_deadline"
    assert server.wait() == 0
    assert not any(map(processes.is_alive, children))
    journal.check(server.journal_path)


def test_a_second_signal_ends_the_drain(serve):
    server = serve({"a": "slow-1"}, {"": {"drain": "1000s"}})
    stream = server.stream(endless("a")).wait_for_tokens()
    server.terminate()
    server.wait_for_line("shutting down")
    os.kill(server.process.pid, signal.SIGINT)
    assert stream.finish().end == "broken"
    assert server.wait() == 0


def test_a_second_server_on_the_same_port_says_so_and_harms_nothing(serve):
    server = serve({"a": "slow-1"})
    stream = server.stream(count("a", 60)).wait_for_tokens()
    run = server.cli("serve", "--config", server.config_path, "--listen",
                     f"127.0.0.1:{server.port}")
    assert run.returncode == 1, run
    assert str(server.port) in run.stderr
    assert stream.finish().text == count_text(60)
    server.stop()


def test_an_engine_that_is_not_there_is_said_at_the_start(serve):
    server = serve({"a": "tiny-1"}, {"engine": {"llama_server": "/nonexistent/llama-server"}},
                   started=False)
    try:
        server.start()
    except AssertionError:
        pass
    assert server.process.wait(10) in (1, 2)
    assert "/nonexistent/llama-server" in server.log_tail()

"""Servers that live and answer badly: asked once, told as what it is, at once."""

import pytest

from harness import command, stub
from harness.lines import Lines
from harness.prompts import chat
from harness.waiting import wait_until

OLLAMA = {"model": "x", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture(name="scripted")
def start_scripted(serve):
    """A server of one model whose chats are answered like this."""
    def start(**answer):
        server = serve({}, stub.settings(), started=False)
        command.add(server, "x")
        command.script(server, "x", chat=answer)
        return server.start()
    return start


def requests(server):
    return len(command.events(server, "x", "request"))


def test_an_error_before_the_first_word_is_told_in_the_servers_words(scripted):
    server = scripted(fail=0)
    answer = server.post("/api/chat", {**OLLAMA, "stream": True})
    assert (answer.status, answer.json["code"]) == (500, "upstream_error"), answer
    assert answer.json["error"].startswith("CUDA out of memory")
    assert requests(server) == 1
    server.wait_active({})
    server.stop()


def test_an_error_amidst_a_stream_does_not_wait_for_its_end(scripted, tmp_path):
    server = scripted(fail=2, hold_until=str(tmp_path / "go"))
    broken = Lines(server.port, "/api/chat", {**OLLAMA, "stream": True}).finish()
    assert (broken.end, broken.text.strip()) == ("broken", "one two")
    assert broken.last["error"].startswith("CUDA out of memory")
    server.wait_active({})
    (tmp_path / "go").touch()
    server.stop()


def test_no_stream_behind_heartbeats_is_told_and_made_once(scripted, tmp_path):
    server = scripted(whole=True)
    body = {**chat("x"), "stub": {"whole": True, "wait_for": str(tmp_path / "go")}}
    waiting = server.stream(body)
    wait_until(lambda: waiting.body, "a heartbeat")
    (tmp_path / "go").touch()
    waiting.finish()
    assert (waiting.status, waiting.end) == (200, "broken")
    assert waiting.error["code"] == "upstream_error"
    assert "with no stream" in waiting.error["message"]
    assert "x-holdfast-heartbeat: off" in waiting.error["hint"]
    assert requests(server) == 1
    silent = server.stream(body, headers={"x-holdfast-heartbeat": "off"}).finish()
    assert (silent.status, silent.end) == (200, "complete")
    assert b'"one two three' in silent.body
    server.stop()


def test_an_error_that_does_not_end_is_told_all_the_same(scripted, tmp_path):
    server = scripted(refuse=500, missing=1000, hold_until=str(tmp_path / "go"))
    answer = server.chat(chat("x"))
    assert (answer.status, answer.error["message"]) == (500, "slow down"), answer
    assert requests(server) == 1
    server.wait_active({})
    (tmp_path / "go").touch()
    server.stop()


def test_a_servers_own_time_to_come_back_is_passed_on(scripted):
    server = scripted(refuse=429, headers={"Retry-After": "37"})
    answer = server.chat(chat("x"))
    assert (answer.status, answer.headers["retry-after"]) == (429, "37")
    assert answer.error["retry_after_s"] == 37
    server.stop()

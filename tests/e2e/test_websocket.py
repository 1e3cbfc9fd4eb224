"""A WebSocket goes through to a model's server under a lease, whatever it says."""

import json
import os

import pytest
from harness import command, stub
from harness.prompts import chat
from harness.waiting import wait_until

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # and the answer to it, from RFC 6455 §1.3
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
WISH = {"Connection": "keep-alive, Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY, "Authorization": "Bearer secret"}
PATH = "/v1/realtime?model=speech"


@pytest.fixture
def server(serve):
    made = serve({"a": "tiny-1"}, stub.settings(), started=False)
    command.add(made, "speech")
    return made


def opened(server, path=PATH, headers=None):
    connection = server.connect()
    connection.send("GET", path, headers={**WISH, **(headers or {})})
    connection.read_head()
    return connection


def said_back(connection, data):
    connection.send_raw(data)
    back = b""
    while len(back) < len(data):
        back += connection.read_some()
    return back


def test_bytes_flow_both_ways_and_the_model_is_in_use_meanwhile(server):
    server.start()
    with opened(server) as connection:
        assert connection.status == 101
        assert connection.headers["sec-websocket-accept"] == ACCEPT
        assert connection.headers["x-holdfast-model"] == "speech"
        assert connection.headers["x-request-id"]
        for data in (b"\x81\x05hello", b"GET /health HTTP/1.1\r\n\r\n", os.urandom(300_000)):
            assert said_back(connection, data) == data
        assert server.active() == {"speech": 1}
        assert server.post("/api/v1/models/speech/unload").status == 409
    server.wait_active({})
    wait_until(lambda: command.events(server, "speech", "closed"), "the other end hears of it")
    request = command.events(server, "speech", "request")[0]
    assert request["path"] == PATH
    assert request["headers"]["sec-websocket-key"] == KEY
    assert "authorization" not in request["headers"]
    server.stop()


def test_a_force_cuts_it(server):
    server.start()
    with opened(server) as connection:
        assert said_back(connection, b"x") == b"x"
        assert server.post("/api/v1/models/speech/unload?force=true").status == 200
        assert connection.at_end()
    server.wait_active({})
    server.stop()


@pytest.mark.parametrize("waits_for", ["memory", "a slot"])
def test_a_silent_talk_gives_way_to_those_who_wait(serve, bytes_of, waits_for):
    declared = 4 * bytes_of("tiny-1")
    server = serve({"a": "tiny-1"}, stub.settings() | {
        "memory": {"budget": declared + bytes_of("tiny-1") // 2},
        "queue": {"patience": "200ms", "turn": "200ms"}}, started=False)
    command.add(server, "speech", bytes_=declared, parallel=1, longest_answer="500ms")
    server.start()
    with opened(server) as connection:
        assert said_back(connection, b"x") == b"x"
        assert server.chat(chat("a" if waits_for == "memory" else "speech")).status == 200
        assert connection.at_end()
    cut = server.journal("cut", model="speech")
    assert [line["reason"] for line in cut] and len(cut) == 1
    costs = server.get("/api/v1/explain?model=speech").json["costs"]
    assert costs["longest_answer_s"] == 0.5, "how long a talk lasts is no answer's time"
    server.stop()


@pytest.mark.parametrize("path, status, code", [
    ("/v1/realtime", 400, "model_missing"), ("/v1/realtime?model=nobody", 404, "model_not_found"),
    ("/v1/nothing?model=speech", 404, "unknown_path")])
def test_what_cannot_be_is_refused(server, path, status, code):
    server.start()
    with opened(server, path) as connection:
        body = connection.read_some()
    assert connection.status == status
    assert json.loads(body)["error"]["code"] == code


def test_a_plain_get_is_told_what_the_path_is_for(server):
    server.start()
    answer = server.get("/v1/realtime?model=speech")
    assert answer.status == 426 and answer.json["error"]["code"] == "upgrade_required"


def test_a_page_of_another_site_cannot_open_one(server):
    server.start()
    with opened(server, headers={"Origin": "http://evil.example"}) as connection:
        assert connection.status == 403
    assert command.events(server, "speech", "start") == [], "nothing was loaded for it"


def test_a_model_that_speaks_none_says_so(serve):
    server = serve({"a": "tiny-1"})
    with opened(server, "/v1/realtime?model=a") as connection:
        assert connection.status == 404
        assert json.loads(connection.read_some())["error"]["code"] == "unsupported_by_model"
    server.wait_active({})
    server.stop()

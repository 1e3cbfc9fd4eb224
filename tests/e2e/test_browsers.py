"""What a web page in somebody's browser may do: what the administrator allowed, and no more."""

import json

from harness import people, stub
from harness.people import with_key
from harness.prompts import chat

CHAT = "/v1/chat/completions"
PAGE = {"Origin": "https://chat.example"}
ANOTHER = {"Origin": "https://evil.example"}
ASKS = {"Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-stainless-lang"}


def allowed(answer):
    return answer.headers.get("access-control-allow-origin")


def with_page(serve, keys=True):
    server = serve({"a": "tiny-1"}, stub.settings(**{"": {"cors_origins": [PAGE["Origin"]]}}),
                   started=False)
    server.extra_config = people.table("ann", "k-ann", "admin") if keys else ""
    return server.start()


def test_a_page_that_is_allowed_asks_leave_without_a_key(serve):
    server = with_page(serve)
    leave = server.request("OPTIONS", CHAT, headers={**PAGE, **ASKS})
    assert (leave.status, leave.body) == (204, b"")
    assert allowed(leave) == PAGE["Origin"] and leave.headers["vary"] == "Origin"
    assert leave.headers["access-control-allow-headers"] == ASKS["Access-Control-Request-Headers"]
    assert "POST" in leave.headers["access-control-allow-methods"]
    assert int(leave.headers["access-control-max-age"]) > 0
    assert leave.headers["x-request-id"]
    local = server.request("OPTIONS", CHAT, headers={
        **PAGE, **ASKS, "Access-Control-Request-Private-Network": "true"})
    assert local.headers["access-control-allow-private-network"] == "true"

    refused = server.request("OPTIONS", CHAT, headers={**ANOTHER, **ASKS})
    assert (refused.status, refused.error["code"]) == (403, "cross_site")
    assert allowed(refused) is None
    server.stop()


def test_every_answer_to_it_can_be_read(serve):
    server = with_page(serve)
    ann = {**PAGE, **with_key("k-ann")}
    gate = server.folder / "gate"
    stream = stub.held(server, "a", gate, headers=ann)
    assert stream.headers["access-control-allow-origin"] == PAGE["Origin"]
    assert stream.headers["access-control-expose-headers"] == "*"
    gate.touch()
    assert stream.finish().done
    answers = {
        200: server.chat(chat("a"), headers=ann),
        401: server.chat(chat("a"), headers=PAGE),
        400: server.chat(b"no JSON", headers=ann),
        404: server.chat(chat("none"), headers=ann),
        405: server.get(CHAT, headers=ann),
        413: server.chat(b"", headers={**ann, "Content-Length": str(1 << 40)}),
    }
    for status, answer in answers.items():
        assert answer.status == status, answer
        assert allowed(answer) == PAGE["Origin"], status
        assert answer.headers["vary"] == "Origin"
    assert allowed(server.get("/health", headers=PAGE)) == PAGE["Origin"]
    assert allowed(server.post("/v1/messages", {"model": "none"}, headers=ann)) == PAGE["Origin"]
    server.stop()


def test_other_pages_read_nothing(serve):
    server = with_page(serve)
    stranger = {**ANOTHER, **with_key("k-ann")}
    refused = server.chat(chat("a"), headers=stranger)
    assert (refused.status, refused.error["code"]) == (403, "cross_site")
    for answer in (refused, server.get("/health", headers=stranger),
                   server.get("/v1/models", headers=stranger), server.get("/nothing")):
        assert allowed(answer) is None
        assert answer.headers["vary"] == "Origin"
    server.stop()


def test_without_keys_a_page_that_is_allowed_needs_none(serve):
    server = with_page(serve, keys=False)
    assert server.chat(chat("a"), headers=PAGE).status == 200
    assert server.chat(chat("a"), headers=ANOTHER).status == 403
    server.stop()


def test_origins_change_with_a_reload(serve):
    server = serve({"a": "tiny-1"}, stub.settings())
    assert allowed(server.chat(chat("a"))) is None
    assert server.chat(chat("a"), headers=PAGE).status == 403
    assert "vary" not in server.get("/health").headers
    server.settings[""]["cors_origins"] = [PAGE["Origin"], "http://localhost:*"]
    server.write_config()
    assert server.post("/api/v1/reload").json["changed"]["settings"] == ["cors_origins"]
    assert allowed(server.chat(chat("a"), headers=PAGE)) == PAGE["Origin"]
    local = {"Origin": "http://localhost:5173"}
    assert allowed(server.get("/v1/models", headers=local)) == local["Origin"]
    server.settings[""]["cors_origins"] = ["*"]
    server.write_config()
    refused = server.post("/api/v1/reload")
    assert (refused.status, refused.error["code"]) == (422, "config_invalid")
    server.stop()


def ask_as(server, host, extra=b""):
    with server.connect() as connection:
        connection.send_raw(b"GET /health HTTP/1.1\r\nHost: " + host.encode() + b"\r\n" + extra
                            + b"\r\n")
        return connection.response()


def test_a_name_of_somebody_elses_is_not_ours(serve):
    """Rebinding: a page makes its own name point at us, and so is of our origin."""
    server = serve({"a": "tiny-1"}, stub.settings(**{"": {"allowed_hosts": ["Box.lan"]}}))
    for host in ("localhost", "127.0.0.1", "[::1]", "host.docker.internal",
                 "host.containers.internal", "box.lan"):
        for name in (host, f"{host}:{server.port}", host.upper()):
            assert ask_as(server, name).status == 200, name
    for host in ("evil.example", "box.lan.evil.example", "docker.internal", "10.1.2.3"):
        answer = ask_as(server, f"{host}:{server.port}")
        assert (answer.status, answer.error["code"]) == (403, "wrong_host")
        assert "allowed_hosts" in answer.error["hint"]
    server.stop()


def test_another_sites_web_socket_is_refused(serve):
    server = serve({"a": "tiny-1"}, stub.settings())
    answer = ask_as(server, "localhost", b"Origin: https://evil.example\r\n"
                                         b"Connection: Upgrade\r\nUpgrade: websocket\r\n")
    assert answer.status == 403
    assert json.loads(answer.body)["error"]["code"] == "cross_site"
    server.stop()

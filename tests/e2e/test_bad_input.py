"""Bad requests and bad files: a typed answer, and nobody else pays for it."""

import os
import shutil
import socket

import pytest

from harness import models
from harness.prompts import chat, count, count_text, endless
from harness.server import CHAT
from harness.waiting import wait_until

BODIES = {
    "not JSON": (b"{model: a}", 400, "invalid_json"),
    "cut JSON": (b'{"model": "a", "messages": [', 400, "invalid_json"),
    "empty": (b"", 400, "invalid_json"),
    "not UTF-8": (b'{"model": "a", "x": "\xff\xfe"}', 400, "invalid_json"),
    "no object": (b'["a"]', 400, "not_an_object"),
    "no model": (b'{"messages": []}', 400, "model_missing"),
    "two models": (b'{"model": "a", "model": "a"}', 400, "model_ambiguous"),
    "a number": (b'{"model": 7}', 400, "model_not_a_string"),
    "null": (b'{"model": null}', 400, "model_not_a_string"),
    "an empty name": (b'{"model": ""}', 400, "model_empty"),
    "probabilities": (b'{"model": "a", "n_probs": 262144}', 400, "too_many_probabilities"),
    "prompts": (b'{"model": "a", "prompt": [%s[]]}' % (b"[]," * 2048), 400, "too_many_prompts"),
    "stop words": (b'{"model": "a", "prompt": [%s""], "stop": [%s""]}'
                   % (b'"",' * 2000, b'"",' * 2000), 400, "prompts_too_large"),
    "parts": (b'{"model": "a", "stop": [%s""]}' % (b'"",' * 200_000), 400, "body_too_complex"),
    "a window": (b'{"model": "a", "dry_penalty_last_n": 100000000}', 400, "window_too_large"),
    "a grammar": (b'{"model": "a", "grammar": "root ::= %s"}' % (b"[a]{1,1999} " * 1000),
                  400, "body_too_complex"),
    "a stranger": (b'{"model": "nobody"}', 404, "model_not_found"),
    "a path": (b'{"model": "../../etc/passwd"}', 404, "model_not_found"),
}


def test_bodies(serve):
    """None of them starts anything or counts for anybody."""
    server = serve({"a": "tiny-1"})
    for name, (body, status, code) in BODIES.items():
        answer = server.post("/v1/completions", body)
        assert (answer.status, answer.error["code"]) == (status, code), (name, answer)
        assert answer.error["message"] and answer.headers["x-request-id"], name
        assert str(server.folder) not in answer.body.decode(), name
    assert server.journal("spawn", "grant") == []
    assert server.active() == {}
    server.stop()


WIDE = {"type": "object", "properties": {f"p{i}": {"type": "null"} for i in range(2000)}}
TOOL = {"name": "f", "parameters": WIDE}
SCHEMAS = {
    "/completion": {"prompt": "a", "json_schema": WIDE},
    "/v1/completions": {"prompt": "a", "response_format": {"type": "json_object", "schema": WIDE}},
    "/v1/chat/completions": {"response_format": {"type": "json_schema",
                                                 "json_schema": {"name": "a", "schema": WIDE}}},
    "/chat/completions": {"tools": [{"type": "function", "function": TOOL}]},
    "/v1/responses": {"text": {"format": {"type": "json_schema", "name": "a", "schema": WIDE}}},
    "/responses": {"tools": [{"type": "function", **TOOL}]},
    "/v1/messages": {"tools": [{"name": "f", "input_schema": WIDE}]},
    "/infill": {"json_schema": WIDE},
    "/apply-template": {"json_schema": WIDE},
    "/api/generate": {"prompt": "a", "format": WIDE},
    "/api/chat": {"tools": [{"type": "function", "function": TOOL}]},
}


def test_schemas_that_keep_the_engine_busy(serve):
    """In whichever API, wherever they stand; before anything is started."""
    server = serve({"a": "tiny-1"})
    for path, body in SCHEMAS.items():
        answer = server.post(path, {"model": "a", **body})
        assert answer.status == 400, (path, answer)
        assert "body_too_complex" in answer.body.decode(), path
        assert "fewer properties" in answer.body.decode(), path
    assert server.journal("spawn", "grant") == []


def test_an_unknown_model_names_the_near_one(serve):
    server = serve({"qwen-small": "tiny-1"})
    answer = server.chat(chat("qwen-smal"))
    assert answer.status == 404
    assert '"qwen-small"' in answer.error["message"]
    assert server.chat(chat("qwen-small:latest")).status == 200
    server.stop()


def test_unknown_paths_and_methods(serve):
    server = serve({"a": "tiny-1"})
    assert server.get("/nothing").error["code"] == "unknown_path"
    ollama = server.post("/api/nothing", {})
    assert (ollama.status, ollama.json["code"]) == (404, "unknown_path")
    assert "/api/tags" in ollama.json["error"]  # the sentence is all that its clients show
    answer = server.get(CHAT)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert server.post("/api/v1/cleanup?level=gentle").status == 400
    assert server.post("/api/v1/models/nobody/load").status == 404


def test_a_body_over_the_limit_is_refused_before_it_is_read(serve):
    server = serve({"a": "tiny-1"}, {"": {"body_limit": "1MiB"}})
    with server.connect() as connection:
        connection.send("POST", CHAT, headers={"Content-Length": str(10**12),
                                               "Content-Type": "application/json"})
        answer = connection.response()  # not a byte of the body was sent
        assert answer.status == 413
        assert answer.error["limit_bytes"] == 1024 * 1024
    with server.connect() as connection:
        connection.send("POST", CHAT, headers={"Transfer-Encoding": "chunked"})
        try:
            for _ in range(64):
                connection.send_raw(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        except OSError:
            pass  # it had read enough
        try:
            assert connection.response().status == 413
        except ConnectionResetError:
            pass  # our bytes on the way made the kernel drop its answer
    assert server.chat(chat("a")).status == 200
    server.stop()


@pytest.mark.parametrize("text", [
    b"GET /health HTTP/1.1\r\n\r\n",  # no Host
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
    b"Content-Length: 4\r\n\r\nabcd",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    b"NONSENSE\r\n\r\n",
], ids=["no host", "two framings", "two lengths", "TLS", "nonsense"])
def test_what_is_not_http_is_refused_and_closed(serve, text):
    server = serve({"a": "tiny-1"})
    with server.connect() as connection:
        connection.send_raw(text)
        connection.read_head()
        assert connection.status in (400, 403), connection.status
        while connection.read_some():
            pass
        assert connection.at_end()
    assert server.get("/health").status == 200


@pytest.mark.parametrize("path,dialect", [(CHAT, "openai"), ("/v1/messages", "anthropic"),
                                          ("/api/chat", "ollama")])
def test_a_broken_body_is_told_in_the_dialect_with_the_clients_own_id(serve, path, dialect):
    server = serve({"a": "tiny-1"}, {"": {"cors_origins": ["https://app.example"]}})
    with server.connect() as connection:
        connection.send("POST", path, headers={"Transfer-Encoding": "chunked",
                                               "X-Request-Id": "mine-1",
                                               "Origin": "https://app.example"})
        connection.send_raw(b"no size\r\n")
        answer = connection.response()
    assert (answer.status, answer.headers["x-request-id"]) == (400, "mine-1")
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    if dialect == "ollama":
        assert "not an acceptable HTTP request" in answer.json["error"]
        assert answer.json["code"] == "malformed_request"
    else:
        assert answer.error["code"] == "malformed_request"
        assert answer.json.get("type") == ("error" if dialect == "anthropic" else None)
    server.stop()


@pytest.mark.parametrize("recipe", ["truncated", "bad-magic", "bad-offset"])
def test_a_broken_file_is_refused_before_anybody_goes(serve, room_for, recipe):
    server = serve({"a": "slow-1", "broken": recipe}, room_for(1))
    assert server.chat(count("a", 3)).status == 200
    child = server.child_of("a")
    for _ in range(3):
        answer = server.chat(chat("broken"))
        assert answer.status == 422, answer
        assert answer.error["code"] == "model_broken"
        assert str(server.folder) not in answer.body.decode()
    assert server.child_of("a") == child
    assert server.journal("spawn", model="broken") == []
    assert server.journal("stop_signal") == []
    server.stop()


def test_a_broken_file_is_a_warning_at_the_start_and_can_be_mended(serve):
    server = serve({"a": "tiny-1", "late": "truncated"})
    assert server.chat(chat("a")).status == 200
    assert server.chat(chat("late")).status == 422
    path = server.models_dir / "late.gguf"
    shutil.copy(models.model("tiny-2"), path.with_suffix(".part"))
    os.rename(path.with_suffix(".part"), path)
    assert server.chat(chat("late")).status == 200
    server.stop()


def test_a_new_file_appears_without_a_restart(serve):
    server = serve({"a": "tiny-1"})
    models.place("tiny-2", server.models_dir, "team/new")
    wait_until(lambda: server.chat(chat("team/new")).status == 200, "the new model answers")
    names = [model["id"] for model in server.get("/v1/models").json["data"]]
    assert names == ["a", "team/new"]
    server.stop()


def test_a_replaced_file_takes_nothing_from_a_running_answer(serve):
    server = serve({"a": "slow-1"})
    body = chat("a", max_tokens=12, cache_prompt=False)
    before = server.chat(body).json["choices"][0]["message"]["content"]
    running = server.stream(count("a", 150)).wait_for_tokens()
    child = server.child_of("a")
    path = server.models_dir / "a.gguf"
    part = models.place("slow-2", server.models_dir, "part")
    os.rename(part, path)
    server.wait_for_line("the file of model a was replaced")
    after = server.chat(body)  # waits for the running answer's end, then comes from the new file
    assert after.status == 200
    assert running.finish().text == count_text(150)
    assert running.end == "complete"
    assert after.json["choices"][0]["message"]["content"] != before
    assert server.child_of("a") != child
    server.stop()


def test_a_slow_and_a_silent_client_hurt_nobody(serve):
    server = serve({"a": "tiny-1"})
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
    half = socket.create_connection(("127.0.0.1", server.port))
    half.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n")
    assert server.chat(chat("a")).status == 200
    server.wait_active({})  # an answer's lease may end just after its last byte
    for connection in (*silent, half):
        connection.close()
    stream = server.stream(endless("a")).wait_for_tokens()
    stream.reset()
    server.wait_active({})
    server.stop()

"""Sound and pictures: forms that name a model, bodies that arrive byte for byte, binary answers."""

import hashlib
import os

import pytest

from harness import command, stub
from harness.http import Connection
from harness.openai_stub import PIXEL, SPEECH

TRANSCRIBE = "/v1/audio/transcriptions"
BOUNDARY = "----holdfast 7f3a"
# Everything that is special to a form, in the middle of a file.
NASTY = (b"\r\n--" + BOUNDARY.encode()[:-1] + b"\r\n\r\n\0\xff--\r\n" +
         bytes(range(256)) + b"\r\n--\r\n")


def form(*parts, end=True):
    """Parts are (disposition, content)."""
    body = b""
    for disposition, content in parts:
        body += (f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n").encode()
        body += content + b"\r\n"
    return body + (f"--{BOUNDARY}--\r\n".encode() if end else b"")


FILE = ('name="file"; filename="speech.wav"', NASTY * 500)
HEADERS = {"Content-Type": f'multipart/form-data; boundary="{BOUNDARY}"'}


def model(name):
    return 'name="model"', name.encode()


@pytest.fixture
def server(serve):
    made = serve({"a": "tiny-1"}, stub.settings(), started=False)
    command.add(made, "whisper", aliases=["speech"])
    command.add(made, "sd", on="socket")
    return made


@pytest.mark.parametrize("path", [TRANSCRIBE, "/v1/audio/translations", "/v1/images/edits",
                                  "/v1/images/variations"])
def test_a_form_arrives_byte_for_byte(server, path):
    server.start()
    for body in (form(model("whisper"), FILE), form(FILE, ('name="language"', b"en"),
                                                    model("speech:latest"))):
        answer = server.post(path, body, headers=HEADERS)
        assert answer.status == 200, answer
        assert answer.headers["x-holdfast-model"] == "whisper"
        assert answer.json["length"] == len(body)
        assert answer.json["sha256"] == hashlib.sha256(body).hexdigest()
        if "audio" in path:
            assert answer.json["content_type"] == HEADERS["Content-Type"]
    request = command.events(server, "whisper", "request")[0]
    assert request["path"] == path
    server.stop()


def test_a_form_may_come_in_chunks(server):
    server.start()
    body = form(model("whisper"), FILE)
    with Connection(server.port) as connection:
        connection.send_raw(f"POST {TRANSCRIBE} HTTP/1.1\r\nHost: localhost:{server.port}\r\n"
                            f"Content-Type: {HEADERS['Content-Type']}\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n".encode())
        for at in range(0, len(body), 7001):
            piece = body[at:at + 7001]
            connection.send_raw(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send_raw(b"0\r\n\r\n")
        answer = connection.response()
    assert answer.json["sha256"] == hashlib.sha256(body).hexdigest()
    server.stop()


def test_the_model_may_stand_in_the_query(server):
    server.start()
    body = form(FILE)
    answer = server.post(TRANSCRIBE + "?model=whisper", body, headers=HEADERS)
    assert (answer.status, answer.json["length"]) == (200, len(body))
    assert command.events(server, "whisper", "request")[0]["path"] == TRANSCRIBE + "?model=whisper"
    answer = server.post("/v1/images/generations?model=sd", b'{"prompt": "a fish"}')
    assert answer.json["data"] == [{"b64_json": PIXEL}]
    assert server.post("/v1/chat/completions?model=a", {"messages": []}).status == 200
    # Two names of one model agree; two models do not.
    assert server.post(TRANSCRIBE + "?model=speech", form(model("whisper"), FILE),
                       headers=HEADERS).status == 200
    for path, body, headers in ((TRANSCRIBE + "?model=sd", form(model("whisper"), FILE), HEADERS),
                                ("/v1/chat/completions?model=whisper", b'{"model": "a"}', None),
                                ("/v1/chat/completions?model=nobody", b'{"model": "a"}', None)):
        refused = server.post(path, body, headers=headers)
        assert (refused.status, refused.error["code"]) == (400, "model_ambiguous"), refused
    assert server.post("/v1/chat/completions?model=nobody", {"messages": []}).status == 404
    server.stop()


def test_the_default_model_serves_forms_without_one(server):
    server.settings[""]["default_model"] = "whisper"
    server.start()
    assert server.post(TRANSCRIBE, form(FILE), headers=HEADERS).status == 200
    assert server.post(TRANSCRIBE + "?model=sd", form(FILE), headers=HEADERS).status == 200
    assert len(command.events(server, "sd", "request")) == 1
    server.stop()


def test_bad_forms_cost_nobody_anything(server):
    server.start()
    whole = form(model("whisper"), FILE)
    cases = [
        ("invalid_form", whole[:-6], HEADERS),
        ("invalid_form", whole[:200], HEADERS),
        ("invalid_form", b"", HEADERS),
        ("invalid_form", whole, {"Content-Type": "multipart/form-data"}),
        ("invalid_form", form(('filename="x"', b"")), HEADERS),
        ("model_missing", form(FILE), HEADERS),
        ("model_missing", form(('name="model"; filename="m"', b"whisper")), HEADERS),
        ("model_ambiguous", form(model("whisper"), model("whisper")), HEADERS),
        ("model_empty", form(model("")), HEADERS),
        ("body_too_complex", form(model("whisper"), *[('name="x"', b"")] * 1000), HEADERS),
        ("invalid_json", whole, {"Content-Type": "application/json"}),
        ("invalid_json", whole, {"Content-Type": "multipart/mixed; boundary=x"}),
    ]
    for code, body, headers in cases:
        refused = server.post(TRANSCRIBE, body, headers=headers)
        assert (refused.status, refused.error["code"]) == (400, code), (headers, refused)
        assert "whisper" not in refused.error["message"]
    refused = server.post(TRANSCRIBE, form(model("nobody"), FILE), headers=HEADERS)
    assert (refused.status, refused.error["code"]) == (404, "model_not_found")
    # Text has no forms.
    refused = server.chat(whole, headers=HEADERS)
    assert (refused.status, refused.error["code"]) == (400, "invalid_json")
    assert server.children() == []
    server.stop()


def test_a_form_beyond_the_limit_is_refused(server):
    server.settings[""]["body_limit"] = "1MiB"
    server.start()
    body = form(model("whisper"), ('name="file"; filename="a"', os.urandom(2**20)))
    refused = server.post(TRANSCRIBE, body, headers=HEADERS)
    assert (refused.status, refused.error["code"]) == (413, "body_too_large")
    server.stop()


def test_a_binary_answer_comes_as_it_is(server):
    server.start()
    answer = server.post("/v1/audio/speech", {"model": "whisper", "input": "hello", "voice": "x"})
    assert (answer.status, answer.body) == (200, SPEECH)
    assert answer.headers["content-type"] == "audio/wav"
    answer = server.post("/v1/images/generations", {"model": "sd", "prompt": "a fish"})
    assert answer.json["data"] == [{"b64_json": PIXEL}]
    server.stop()


def test_a_text_model_says_that_it_does_not_offer_this(serve):
    server = serve({"a": "tiny-1"})  # the real engine
    for path, body, headers in ((TRANSCRIBE, form(model("a"), FILE), HEADERS),
                                ("/v1/audio/speech", b'{"model": "a", "input": "x"}', None),
                                ("/v1/images/generations", b'{"model": "a", "prompt": "x"}', None)):
        refused = server.post(path, body, headers=headers)
        assert refused.error["code"] == "unsupported_by_model", refused
        assert refused.status in (404, 501) and "retry-after" not in refused.headers
        assert refused.status == 404 or refused.headers["x-should-retry"] == "false"
        assert refused.error["message"] in ('model "a" does not offer this',
                                            "The current model does not support audio input.")
    server.stop()

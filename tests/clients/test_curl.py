"""Scripts: what curl shows of an answer, and other paths."""

import json
import subprocess
import time

import pytest

from box import REAL, SHORT, TALKER, WORDS
from drivers import curl, openai_python
from drivers.answer import Ask

CHAT = "/v1/chat/completions"


@pytest.mark.proves("POST /v1/chat/completions", "pieces come as they are made (-N)",
                    client="curl")
def test_pieces_come_as_they_are_made(box):
    body = {**openai_python.body_of(Ask(TALKER, max_tokens=60)), "stream": True}
    came = []
    with subprocess.Popen(curl.arguments(box.connection(), CHAT, "--no-buffer", body=body),
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(json.dumps(body).encode())
        process.stdin.close()
        for line in process.stdout:
            if b'"content":"' in line:
                came.append(time.monotonic())
    assert process.returncode == 0
    assert len(came) >= 50 and len(set(came)) > 30


@pytest.mark.proves("POST /v1/chat/completions", "--fail ends a script", client="curl")
def test_a_refusal_fails_a_script(box):
    body = openai_python.body_of(Ask("nobody"))
    assert curl.run(box.connection(), CHAT, "--fail", body=body).exit_status == 22
    body = openai_python.body_of(Ask(SHORT, max_tokens=1))
    assert curl.run(box.connection(), CHAT, "--fail", body=body).exit_status == 0


@pytest.mark.proves("GET /", "a probe", client="curl")
def test_the_root_answers_a_probe(box):
    printed = curl.run(box.connection(), "/")
    assert (printed.exit_status, printed.status) == (0, 200)
    assert printed.output == b"Ollama is running"
    page = curl.run(box.connection(), "/", "--header", "Accept: text/html")
    assert page.status == 200 and b"<html" in page.output.lower()


@pytest.mark.proves("HEAD /", "a probe", client="curl")
def test_head_of_the_root(box):
    printed = curl.run(box.connection(), "/", "--head")
    assert (printed.exit_status, printed.status) == (0, 200)


@pytest.mark.proves("GET /health", "without a key: the status only", client="curl")
def test_health_without_a_key(box):
    nobody = box.connection().but(key="")
    assert list(curl.run(nobody, "/health").json) == ["status"]
    assert curl.run(nobody, "/health/live", "--fail").exit_status == 0


@pytest.mark.proves("POST /tokenize", "tokens of a text, and back", client="curl")
def test_tokens_and_back(box):
    text = "The sea at night."
    tokens = curl.checked(box.connection(), "/tokenize", {"model": REAL, "content": text})
    back = curl.checked(box.connection(), "/detokenize", {"model": REAL, **tokens})
    assert len(tokens["tokens"]) > 3 and back["content"] == text


@pytest.mark.proves("POST /apply-template", "the prompt of a chat", client="curl")
def test_the_prompt_of_a_chat(box):
    body = {"model": REAL, "messages": [{"role": "user", "content": "Where is Oslo?"}]}
    assert "Where is Oslo?" in curl.checked(box.connection(), "/apply-template", body)["prompt"]


@pytest.mark.proves("POST /infill", "a model without the tokens for it refuses", client="curl")
def test_infill(box):
    body = {"model": TALKER, "input_prefix": "a", "input_suffix": "b", "n_predict": 2}
    printed = curl.run(box.connection(), "/infill", body=body)
    assert 400 <= printed.status <= 501 and printed.json["error"]["message"]


@pytest.mark.proves("POST /v1/embeddings", "a broken body: 400", client="curl")
def test_a_body_that_is_no_json(box):
    done = subprocess.run(
        [*curl.arguments(box.connection(), "/v1/embeddings", "--write-out", "%{http_code}"),
         "--header", "Content-Type: application/json", "--data-binary", '{"model": "words", '],
        capture_output=True, timeout=60, check=True)
    assert done.stdout.endswith(b"400") and b"invalid_json" in done.stdout


@pytest.mark.proves("POST /v1/embeddings", "a large body, sent in chunks", client="curl")
def test_a_chunked_body(box):
    texts = ["ba be bi bo ba"] * 300
    printed = curl.run(box.connection(), "/v1/embeddings", "--header",
                       "Transfer-Encoding: chunked", body={"model": WORDS, "input": texts})
    assert printed.status == 200 and len(printed.json["data"]) == 300

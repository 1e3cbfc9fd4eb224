"""Scripts: what curl shows of an answer, and other paths."""

import json
import subprocess
import time

import pytest

from box import FILLER, RANKER, REAL, SHORT, TALKER, WORDS
from drivers import curl, openai_python
from drivers.answer import Ask
from which import each

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
@pytest.mark.proves("GET /health/live", "without a key", client="curl")
def test_health_without_a_key(box):
    nobody = box.connection().but(key="")
    assert list(curl.run(nobody, "/health").json) == ["status"]
    assert curl.run(nobody, "/health/live", "--fail").exit_status == 0


@pytest.mark.proves("POST /tokenize", "tokens of a text", client="curl")
@pytest.mark.proves("POST /detokenize", "the text of tokens", client="curl")
def test_tokens_and_back(box):
    text = "The sea at night."
    tokens = curl.checked(box.connection(), "/tokenize", {"model": REAL, "content": text})
    back = curl.checked(box.connection(), "/detokenize", {"model": REAL, **tokens})
    assert len(tokens["tokens"]) > 3 and back["content"] == text


@pytest.mark.proves("POST /apply-template", "the prompt of a chat", client="curl")
def test_the_prompt_of_a_chat(box):
    body = {"model": REAL, "messages": [{"role": "user", "content": "Where is Oslo?"}]}
    assert "Where is Oslo?" in curl.checked(box.connection(), "/apply-template", body)["prompt"]


@pytest.mark.proves("POST /infill", "fills in", client="curl")
def test_what_is_filled_in(box):
    def tokens(suffix):
        body = {"model": FILLER, "input_prefix": "a", "input_suffix": suffix, "n_predict": 3}
        answer = curl.checked(box.connection(), "/infill", body)
        assert answer["content"]
        return answer["tokens_evaluated"]

    assert tokens("one two three four") >= tokens("one") + 3


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


@pytest.mark.proves("POST /v1/completions", "model named in the query", client="curl")
def test_the_model_may_stand_in_the_query(box):
    body = {"prompt": "x", "max_tokens": 2}
    path = f"/v1/completions?model={SHORT}"
    assert curl.checked(box.connection(), path, body)["model"] == SHORT
    printed = curl.run(box.connection(), path, body={**body, "model": TALKER})
    assert (printed.status, printed.json["error"]["code"]) == (400, "model_ambiguous")


# Other spellings of paths: path, model, body, and a field that the answer has.
_TEXT = {"prompt": "x", "max_tokens": 2, "n_predict": 2}
_CHAT = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 2}
_SAID = {"input": "x", "max_output_tokens": 2}
_RANKED = {"query": "a", "documents": ["b", "c"]}
SPELLINGS = [("/chat/completions", TALKER, _CHAT, "choices"),
             ("/completions", TALKER, _TEXT, "content"),
             ("/completion", TALKER, _TEXT, "content"),
             ("/responses", TALKER, _SAID, "output"),
             ("/rerank", RANKER, _RANKED, "results"),
             ("/reranking", RANKER, _RANKED, "results"),
             ("/v1/reranking", RANKER, _RANKED, "results"),
             ("/v1/chat/completions/input_tokens", TALKER, _CHAT, "input_tokens")]


@each(["curl"])
@pytest.mark.parametrize("path, model, body, field", SPELLINGS)
def test_other_spellings(box, client, record_proof, path, model, body, field):
    with record_proof(f"POST {path}", "answer"):
        answer = curl.checked(box.connection(), path, {"model": model, **body})
        assert answer[field]


@each(["curl"])
@pytest.mark.parametrize("path", ["/embedding", "/embeddings"])
def test_other_spellings_of_embeddings(box, client, record_proof, path):
    with record_proof(f"POST {path}", "answer"):
        entry, = curl.checked(box.connection(), path, {"model": WORDS, "content": "a cat"})
        assert len(entry["embedding"][0]) == 64


@pytest.mark.proves("GET /v1/realtime", "without an upgrade: 426", client="curl")
def test_a_path_for_upgrades(box):
    printed = curl.run(box.connection(), f"/v1/realtime?model={TALKER}")
    assert (printed.status, printed.json["error"]["code"]) == (426, "upgrade_required")

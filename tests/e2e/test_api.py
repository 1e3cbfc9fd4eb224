"""What clients of the usual kinds rely on."""

import json

from harness.prompts import chat, count, count_text

CHAT = "/v1/chat/completions"


def test_model_list(serve):
    server = serve({"b": "tiny-2", "a": "tiny-1", "team/x": "tiny-3"},
                   {'models."a"': {"aliases": ["first"]}})
    listed = server.get("/v1/models").json
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == ["a", "b", "team/x"]
    assert {model["object"] for model in listed["data"]} == {"model"}
    assert server.get("/v1/models/team/x").json["id"] == "team/x"
    answer = server.chat(chat("first"))
    assert answer.status == 200
    assert answer.headers["x-holdfast-model"] == "a"
    assert answer.json["model"] == "a", "the answer names the model, not a file"
    server.stop()


def test_headers(serve):
    server = serve({"a": "tiny-1"})
    first = server.chat(chat("a"), headers={"x-request-id": "my-own.id_7"})
    assert first.headers["x-request-id"] == "my-own.id_7"
    assert first.headers["x-holdfast-model"] == "a"
    assert int(first.headers["x-holdfast-waited-ms"]) > 0  # it was loaded for this request
    second = server.chat(chat("a"), headers={"x-request-id": "not sane; at all"})
    assert second.headers["x-request-id"] not in ("", "not sane; at all")
    assert int(second.headers["x-holdfast-waited-ms"]) < 1000
    assert server.get("/health").headers["x-request-id"]
    server.stop()


def test_one_connection_serves_many_requests(serve):
    server = serve({"a": "tiny-1", "b": "tiny-2"})
    with server.connect() as connection:
        for number in range(20):
            model = "ab"[number % 2]
            connection.send("POST", CHAT, json.dumps(count(model, 3 + number)).encode())
            answer = connection.response()
            assert answer.status == 200
            assert answer.headers["x-holdfast-model"] == model
            assert answer.json["choices"][0]["message"]["content"] == count_text(3 + number)
    server.stop()


def test_the_dialects(serve):
    server = serve({"a": "tiny-1"})
    prompt = {"model": "a", "prompt": "Say", "max_tokens": 4, "temperature": 0}
    assert server.post("/v1/completions", prompt).json["choices"][0]["text"]
    anthropic = {"model": "a", "max_tokens": 4, "messages": [{"role": "user", "content": "x"}]}
    answer = server.post("/v1/messages", anthropic)
    assert answer.status == 200 and answer.json["type"] == "message"
    refused = server.post("/v1/messages", {**anthropic, "model": "nobody"})
    assert (refused.status, refused.json["type"]) == (404, "error")
    assert refused.json["error"]["type"] == "not_found_error"
    assert server.post("/tokenize", {"model": "a", "content": "x"}).json["tokens"]
    server.stop()


def test_usage_at_the_end_of_a_stream(serve):
    server = serve({"a": "tiny-1"})
    body = chat("a", max_tokens=20, stream_options={"include_usage": True})
    stream = server.stream(body).finish()
    assert stream.end == "complete" and stream.done
    usage = [chunk["usage"] for chunk in stream.chunks if chunk.get("usage")]
    assert usage[-1]["completion_tokens"] == 20
    assert stream.finish_reason == "length"
    server.stop()


def test_tokens_come_one_by_one(serve):
    """A relay that collects would deliver bursts."""
    server = serve({"a": "slow-1"})
    server.load("a")
    stream = server.stream(chat("a", max_tokens=100)).finish()
    assert len({event.at for event in stream.events}) > 60
    server.stop()


def test_embeddings_of_both_kinds_of_models(serve):
    server = serve({"words": "embedding", "chat": "tiny-1"})
    for name in ("words", "chat"):
        answer = server.post("/v1/embeddings", {"model": name, "input": ["one", "two"]})
        assert answer.status == 200, (name, answer)
        vectors = [entry["embedding"] for entry in answer.json["data"]]
        assert len(vectors) == 2 and len(vectors[0]) == len(vectors[1]) > 8
        assert vectors[0] != vectors[1]
    assert server.chat(count("chat", 5)).json["choices"][0]["message"]["content"] == count_text(5)
    kinds = {model["id"]: model["kind"] for model in server.get("/v1/models").json["data"]}
    assert kinds == {"words": "embedding", "chat": "chat"}
    server.stop()


def test_an_input_as_long_as_the_context_is_embedded(serve):
    """The engine reads it at one go, and its own batch holds 512 tokens."""
    context = 2048
    server = serve({"words": "embedding"}, {"defaults": {"context": context}})
    text = "word " * (context // 4)
    tokens = len(server.post("/tokenize", {"model": "words", "content": text}).json["tokens"])
    assert 512 < tokens <= context
    answer = server.post("/v1/embeddings", {"model": "words", "input": text})
    assert answer.status == 200, answer
    assert answer.json["usage"]["prompt_tokens"] >= tokens
    longer = server.post("/v1/embeddings", {"model": "words", "input": "word " * (2 * context)})
    assert longer.status == 400
    assert longer.json["error"]["code"] == "context_length_exceeded"
    server.stop()

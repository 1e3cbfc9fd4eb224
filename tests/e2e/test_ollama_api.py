"""Ollama's API: what its clients send and expect, and the same text as the engine's own API."""

import hashlib
import json
import re

import pytest
from harness import people, processes
from harness.lines import Lines
from harness.people import with_key
from harness.prompts import count_text
from harness.stub import script, settings
from harness.waiting import wait_until

GREEDY = {"temperature": 0, "seed": 1}
HELLO = [{"role": "user", "content": "Tell me something."}]
PICTURE = "iVBORw0KGgo="
TIMES = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")


def chat(model, tokens=8, stream=False, **more):
    options = {**GREEDY, "num_predict": tokens, **more.pop("options", {})}
    return {"model": model, "messages": HELLO, "stream": stream, "options": options, **more}


def openai_chat(server, model, tokens=8, messages=HELLO, **more):
    answer = server.chat({"model": model, "messages": messages, "max_tokens": tokens, **GREEDY,
                          **more})
    assert answer.status == 200, answer
    return answer.json


def lines(server, path, body, headers=None):
    return Lines(server.port, path, body, headers)


def refused(answer, status, words):
    """An error as Ollama's clients read it."""
    assert answer.status == status, answer
    assert isinstance(answer.json["error"], str) and words in answer.json["error"], answer.json
    return answer.json


# One answer through both APIs


def test_chat_is_the_engines_chat(serve):
    server = serve({"a": "tiny-1"})
    direct = openai_chat(server, "a", 20)
    whole = server.post("/api/chat", chat("a", 20))
    assert whole.status == 200
    assert whole.headers["content-type"].startswith("application/json")
    assert whole.headers["x-holdfast-model"] == "a"
    answer = whole.json
    assert answer["model"] == "a" and answer["done"] is True
    assert answer["done_reason"] == "length"
    assert answer["message"] == {"role": "assistant",
                                 "content": direct["choices"][0]["message"]["content"]}
    assert answer["prompt_eval_count"] == direct["usage"]["prompt_tokens"]
    assert answer["eval_count"] == direct["usage"]["completion_tokens"] == 20
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", answer["created_at"])
    assert all(isinstance(answer[key], int) for key in TIMES)
    assert answer["total_duration"] >= answer["eval_duration"] > 0
    stream = lines(server, "/api/chat", chat("a", 20, stream=True)).finish()
    assert stream.end == "complete"
    assert stream.headers["content-type"] == "application/x-ndjson"
    assert stream.text == answer["message"]["content"]
    assert len(stream.pieces) > 10, "it comes piece by piece"
    assert stream.last["done"] and stream.last["done_reason"] == "length"
    assert stream.last["eval_count"] == 20
    assert stream.last["prompt_eval_count"] == answer["prompt_eval_count"]
    assert all(not each["done"] and each["message"]["role"] == "assistant"
               for each in stream.objects[:-1])
    server.stop()


def test_a_stream_is_the_default(serve):
    server = serve({"a": "tiny-1"})
    body = chat("a", 4)
    del body["stream"]
    stream = lines(server, "/api/chat", body).finish()
    assert stream.headers["content-type"] == "application/x-ndjson" and stream.last["done"]
    server.stop()


def test_generate_is_a_chat_or_a_text(serve):
    server = serve({"a": "tiny-1", "p": "plain"})
    body = {"model": "a", "prompt": "Tell me something.", "system": "Be brief.", "stream": False,
            "options": {**GREEDY, "num_predict": 12}}
    direct = openai_chat(server, "a", 12, [{"role": "system", "content": "Be brief."}, *HELLO])
    answer = server.post("/api/generate", body).json
    assert answer["response"] == direct["choices"][0]["message"]["content"]
    assert answer["prompt_eval_count"] == direct["usage"]["prompt_tokens"]
    assert "message" not in answer and answer["done_reason"] == "length"
    text = {"prompt": "Tell me something.", "max_tokens": 12, **GREEDY}
    for model, more in (("a", {"raw": True}), ("p", {})):  # p has no chat template
        direct = server.post("/v1/completions", {"model": model, **text}).json
        body = {"model": model, "prompt": "Tell me something.", "options": {
            **GREEDY, "num_predict": 12}, **more}
        answer = server.post("/api/generate", {**body, "stream": False}).json
        assert answer["response"] == direct["choices"][0]["text"], model
        assert answer["prompt_eval_count"] == direct["usage"]["prompt_tokens"]
        assert answer["eval_count"] == direct["usage"]["completion_tokens"]
        stream = lines(server, "/api/generate", body).finish()
        assert stream.text == answer["response"] and stream.last["eval_count"] == 12
    server.stop()


def test_generate_fills_in(serve):
    server = serve({"f": "fill-in", "a": "tiny-1"})
    body = {"model": "f", "prompt": "def f(", "suffix": "return x",
            "options": {**GREEDY, "num_predict": 6}}
    direct = server.post("/infill", {"model": "f", "input_prefix": "def f(",
                                     "input_suffix": "return x", "n_predict": 6, **GREEDY}).json
    answer = server.post("/api/generate", {**body, "stream": False}).json
    assert answer["response"] == direct["content"]
    assert answer["prompt_eval_count"] == direct["tokens_evaluated"]
    assert answer["eval_count"] == 6 and answer["done_reason"] == "length"
    assert lines(server, "/api/generate", body).finish().text == answer["response"]
    refusal = server.post("/api/generate", {**body, "model": "a", "stream": False})
    assert refusal.status == 501 and isinstance(refusal.json["error"], str)
    server.stop()


def test_tools_and_their_results_reach_the_template(serve):
    server = serve({"t": "tools"})
    tools = [{"type": "function", "function": {
        "name": "weather", "description": "Tells it.", "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}}}}}]
    ours = [{"role": "user", "content": "Oslo?"},
            {"role": "assistant", "content": "", "tool_calls": [
                {"function": {"name": "weather", "arguments": {"city": "Oslo", "days": 1.5}}}]},
            {"role": "tool", "tool_name": "weather", "content": "rain"}]
    theirs = [ours[0],
              {"role": "assistant", "content": "", "tool_calls": [
                  {"id": "call00001", "type": "function", "function": {
                      "name": "weather", "arguments": '{"city":"Oslo","days":1.5}'}}]},
              {"role": "tool", "tool_call_id": "call00001", "name": "weather", "content": "rain"}]
    direct = openai_chat(server, "t", 8, theirs, tools=tools)
    answer = server.post("/api/chat", {**chat("t"), "messages": ours, "tools": tools})
    assert answer.status == 200, answer
    assert answer.json["prompt_eval_count"] == direct["usage"]["prompt_tokens"]
    without = server.post("/api/chat", {**chat("t"), "messages": ours}).json
    assert without["prompt_eval_count"] < answer.json["prompt_eval_count"]
    assert answer.json["message"]["content"] == direct["choices"][0]["message"]["content"]
    server.stop()


def test_formats(serve):
    server = serve({"a": "tiny-1"})
    schema = {"type": "object", "required": ["answer"], "additionalProperties": False,
              "properties": {"answer": {"enum": ["yes", "no"]}}}
    asked = chat("a", 200, format=schema)
    content = server.post("/api/chat", asked).json["message"]["content"]
    assert json.loads(content)["answer"] in ("yes", "no")
    raw = {"model": "a", "prompt": "x", "raw": True, "stream": False, "format": schema,
           "options": {**GREEDY, "num_predict": 200}}
    assert json.loads(server.post("/api/generate", raw).json["response"])["answer"] in ("yes", "no")
    direct = openai_chat(server, "a", 40, response_format={"type": "json_object"})
    content = server.post("/api/chat", chat("a", 40, format="json")).json["message"]["content"]
    assert content == direct["choices"][0]["message"]["content"]
    assert content.lstrip().startswith("{")
    server.stop()


def test_logprobs(serve):
    server = serve({"a": "tiny-1"})
    answer = server.post("/api/chat", chat("a", 3, logprobs=True, top_logprobs=2)).json
    assert len(answer["logprobs"]) == 3
    first = answer["logprobs"][0]
    assert first["token"] and first["logprob"] <= 0 and len(first["top_logprobs"]) == 2
    raw = {"model": "a", "prompt": "x", "raw": True, "logprobs": True,
           "options": {**GREEDY, "num_predict": 3}}
    stream = lines(server, "/api/generate", raw).finish()
    found = [token for each in stream.objects for token in each.get("logprobs", [])]
    assert len(found) == 3 and "top_logprobs" not in found[0]
    server.stop()


def test_options_are_followed_or_named(serve):
    server = serve({"a": "tiny-1"})
    answer = server.post("/api/chat", chat("a", 30)).json
    word = answer["message"]["content"].split()[5]
    stopped = server.post("/api/chat", chat("a", 30, options={"stop": [word]})).json
    assert stopped["done_reason"] == "stop"
    assert word not in stopped["message"]["content"]
    warned = server.post("/api/chat", chat("a", 2, options={"num_ctx": 100_000, "num_gpu": 99}))
    assert "num_ctx 100000 is not applied" in warned.json["warning"]
    assert warned.headers["x-holdfast-warning"] == warned.json["warning"]
    assert server.journal("spawn", model="a")[0]["generation"] == 1
    assert len(server.journal("spawn", model="a")) == 1, "a shared model is not reloaded"
    same = server.post("/api/chat", chat("a", 2, options={"num_ctx": 4096})).json
    assert "warning" not in same
    refused(server.post("/api/chat", chat("a", options={"top_k": "many"})), 400,
            'option "top_k" must be of type integer')
    server.stop()


# Embeddings


def test_embeddings_are_the_engines(serve):
    server = serve({"e": "embedding", "a": "tiny-1"})
    texts = ["one", "two words", "and three words"]
    for model in ("e", "a"):
        direct = server.post("/v1/embeddings", {"model": model, "input": texts}).json
        vectors = [entry["embedding"] for entry in direct["data"]]
        answer = server.post("/api/embed", {"model": model, "input": texts})
        assert answer.status == 200, answer
        assert answer.json["embeddings"] == vectors, model
        assert answer.json["model"] == model
        assert answer.json["prompt_eval_count"] == direct["usage"]["prompt_tokens"]
        assert answer.json["total_duration"] > 0
        assert all(abs(sum(x * x for x in vector) - 1) < 1e-4 for vector in vectors)
        one = server.post("/api/embed", {"model": model, "input": texts[0]}).json
        old = server.post("/api/embeddings", {"model": model, "prompt": texts[0]}).json
        assert one["embeddings"] == [old["embedding"]]
    cut = server.post("/api/embed", {"model": "e", "input": texts, "dimensions": 5}).json
    assert all(len(vector) == 5 and abs(sum(x * x for x in vector) - 1) < 1e-4
               for vector in cut["embeddings"])
    assert server.post("/api/embed", {"model": "e", "input": []}).json["embeddings"] == []
    server.stop()


def test_an_empty_text_is_embedded_or_named(serve):
    server = serve({"e": "embedding"})
    direct = server.post("/v1/embeddings", {"model": "e", "input": ["a", ""]})
    answer = server.post("/api/embed", {"model": "e", "input": ["a", ""]})
    assert answer.status == direct.status
    if direct.status != 200:
        error = refused(answer, 400, "input[1] is empty")
        assert error["param"] == "input" and "leave it out" in error["error"]
    server.stop()


def test_texts_that_are_too_long_are_cut_unless_that_is_forbidden(serve):
    server = serve({"e": "embedding"}, {"defaults": {"context": 64}})
    long = "mo " * 500
    tokens = server.post("/tokenize", {"model": "e", "content": long}).json["tokens"]
    assert len(tokens) > 64
    for path, body in (("/api/embed", {"input": ["short", long, "x"]}),
                       ("/api/embeddings", {"prompt": long})):
        answer = server.post(path, {"model": "e", **body})
        assert answer.status == 200, answer
    found = server.post("/api/embed", {"model": "e", "input": ["short", long]}).json
    direct = server.post("/v1/embeddings", {"model": "e", "input": ["short", tokens[:63]]}).json
    assert found["embeddings"] == [entry["embedding"] for entry in direct["data"]]
    assert found["prompt_eval_count"] == direct["usage"]["prompt_tokens"]
    body = {"model": "e", "input": ["short", long], "truncate": False}
    assert refused(server.post("/api/embed", body), 400, "")["code"] == "context_length_exceeded"
    server.wait_active({})
    server.stop()


# Lists


def test_lists(serve):
    server = serve({"a": "tiny-1", "team/e": "embedding"}, {'models."a"': {"aliases": ["first"]}})
    tags = server.get("/api/tags").json["models"]
    assert [each["name"] for each in tags] == ["a", "team/e"]
    assert all(each["model"] == each["name"] and len(each["digest"]) == 64 for each in tags)
    assert tags[0]["size"] == (server.models_dir / "a.gguf").stat().st_size
    assert tags[0]["details"]["format"] == "gguf"
    assert tags[0]["details"]["family"] == "llama"
    assert tags[0]["details"]["quantization_level"] == "F16"
    assert re.fullmatch(r"[\d.]+[KMB]", tags[0]["details"]["parameter_size"])
    assert server.get("/api/ps").json == {"models": []}
    server.load("a")
    loaded = server.get("/api/ps").json["models"]
    assert [each["name"] for each in loaded] == ["a"]
    assert loaded[0]["context_length"] == 4096 and loaded[0]["size"] > 0
    assert loaded[0]["size_vram"] == 0 and loaded[0]["digest"] == tags[0]["digest"]
    assert server.get("/api/version").json["version"].startswith("0.")
    for path in ("/api/version", "/api/tags", "/"):
        head = server.request("HEAD", path)
        assert (head.status, head.body) == (200, b"")
    server.stop()


def test_show(serve):
    server = serve({"t": "tools", "f": "fill-in", "e": "embedding", "p": "plain"},
                   {"defaults": {"context": 2048}})
    shown = {name: server.post("/api/show", {"model": name}).json for name in "tfep"}
    assert {name: each["capabilities"] for name, each in shown.items()} == {
        "t": ["completion", "tools"], "f": ["completion", "insert"], "e": ["embedding"],
        "p": ["completion"]}
    info = shown["t"]["model_info"]
    assert info["general.architecture"] == "llama"
    assert info["llama.context_length"] == 2048, "what a request may use"
    assert info["holdfast.trained_context_length"] == 4096
    assert info["general.parameter_count"] > 10_000
    assert info["tokenizer.ggml.tokens"] == []
    assert "tool_call" in shown["t"]["template"] and shown["p"]["template"] == ""
    assert shown["t"]["details"]["family"] == "llama"
    assert "num_ctx" in shown["t"]["parameters"]
    whole = server.post("/api/show", {"name": "t:latest", "verbose": True}).json
    assert len(whole["model_info"]["tokenizer.ggml.tokens"]) == 1024
    assert {tensor["name"] for tensor in whole["tensors"]} >= {"output.weight"}
    refused(server.post("/api/show", {"model": "nobody"}), 404, "not found")
    refused(server.post("/api/show", {"model": "nobody"}), 404, "GET /api/tags")
    refused(server.post("/api/show", {}), 400, "model is required")
    assert server.loaded() == [], "looking loads nothing"
    server.stop()


def test_the_words_that_probes_look_for(serve):
    server = serve({"a": "tiny-1"})
    plain = server.get("/")
    assert (plain.status, plain.body) == (200, b"Ollama is running")
    page = server.get("/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html") and b"Holdfast" in page.body
    server.stop()


# Refusals


def test_what_changes_models_is_not_offered(serve):
    server = serve({"a": "tiny-1"})
    for method, path in (("POST", "/api/pull"), ("POST", "/api/push"), ("POST", "/api/create"),
                         ("POST", "/api/copy"), ("DELETE", "/api/delete"),
                         ("POST", "/api/blobs/sha256:00")):
        answer = server.request(method, path, {"model": "a"})
        refused(answer, 501, "(")
        assert answer.json["code"] == "not_offered" and answer.json["hint"]
    assert server.request("HEAD", "/api/blobs/sha256:00").status == 501
    assert server.get("/api/chat").status == 405
    server.stop()


@pytest.mark.parametrize("body, words", [
    (b"", "not valid JSON"),
    (b"{", "not valid JSON"),
    (b"[]", "not a JSON object"),
    (b'{"messages": []}', "'model' is missing"),
    (b'{"model": 5}', "not a string"),
    (b'{"model": "a", "model": "a"}', "more than once"),
    (b'{"model": "a", "messages": 5}', "messages must be a list"),
    (b'{"model": "a", "messages": [{"role": "user", "content": [1]}]}', "must be a string"),
    (b'{"model": "a", "tools": [1e999]}', "too large"),
    (b'{"model": "a", "x": ' + b"[" * 600 + b"]" * 600 + b"}", ""),
    (b'{"model": "a", "x": "\\ud800"}', "not valid JSON"),
    (b'{"model": "a", "x": "\xff"}', "not valid JSON"),
    (b'{"model": "a", "messages": [{"role": "user", "content": "x"}], "top_logprobs": 99}',
     "between 0 and 20"),
])
def test_bad_bodies(serve, body, words):
    server = serve({"a": "tiny-1"})
    refused(server.post("/api/chat", body), 400, words)
    assert server.health()["cached_models"] == [], "nothing was loaded for it"
    server.stop()


def test_errors_are_ollamas(serve):
    server = serve({"a": "tiny-1"})
    unknown = refused(server.post("/api/chat", chat("aa")), 404, 'model "aa" not found')
    assert 'did you mean "a"' in unknown["error"] and unknown["code"] == "model_not_found"
    refused(server.post("/api/generate", {"model": "a", "prompt": "x", "images": [PICTURE]}), 400,
            "takes no pictures")
    refused(server.post("/api/generate", {"model": "a", "prompt": "x", "template": "{{x}}"}), 400,
            "template is not supported")
    long = [{"role": "user", "content": "mo " * 9000}]
    for stream in (True, False):
        too_long = server.post("/api/chat", {**chat("a", stream=stream), "messages": long})
        assert refused(too_long, 400, "context")["code"] == "context_length_exceeded"
    server.stop()


def test_without_a_model_the_default_answers(serve):
    server = serve({"a": "tiny-1"}, {"": {"default_model": "a"}})
    body = chat("a", 2)
    del body["model"]
    assert server.post("/api/chat", body).json["model"] == "a"
    named = server.post("/api/chat", chat("a:latest", 2)).json
    assert named["model"] == "a:latest" and named["eval_count"] == 2
    server.stop()


def test_an_answer_that_breaks_ends_with_an_error_and_a_broken_transfer(serve):
    server = serve({"a": "tiny-1"}, settings())
    script(server, "a", crash_after=3)
    stream = lines(server, "/api/chat", chat("a", 9, stream=True)).finish()
    assert stream.status == 200 and stream.end == "broken"
    assert stream.text == "tok1 tok2 tok3 "
    assert "ended unexpectedly" in stream.last["error"]
    assert stream.last["code"] == "upstream_crashed"
    assert not any(each.get("done") for each in stream.objects)
    whole = server.post("/api/chat", chat("a", 9))
    refused(whole, 502, "ended unexpectedly")


def test_a_wait_is_heard_as_empty_pieces(serve):
    server = serve({"a": "slow-1"})
    first, pid = server.begin_frozen_load("a")
    waiting = lines(server, "/api/chat", chat("a", 5, stream=True))
    heard = wait_until(lambda: waiting.objects, "a sign of life")[0]
    assert waiting.headers["content-type"] == "application/x-ndjson"
    assert heard["done"] is False and heard["message"] == {"role": "assistant", "content": ""}
    assert heard["holdfast"]["state"] == "loading"
    processes.thaw(pid)
    waiting.finish()
    assert waiting.end == "complete" and waiting.last["eval_count"] == 5
    assert waiting.last["load_duration"] > 900_000_000
    first.finish()
    server.stop()


def test_a_load_without_a_prompt_is_heard_as_well(serve):
    server = serve({"a": "tiny-1"}, settings())
    script(server, "a", load_until=str(server.folder / "go"))
    waiting = lines(server, "/api/generate", {"model": "a"})
    silent = lines(server, "/api/chat", {"model": "a", "stream": False})
    heard = wait_until(lambda: waiting.objects, "a sign of life")[0]
    assert (waiting.status, waiting.headers["content-type"]) == (200, "application/x-ndjson")
    assert waiting.headers["x-holdfast-model"] == "a" and waiting.headers["x-request-id"]
    assert (heard["done"], heard["response"]) == (False, "")
    assert heard["holdfast"]["state"] == "loading"
    assert silent.status is None
    (server.folder / "go").touch()
    waiting.finish()
    assert waiting.end == "complete" and waiting.last["done_reason"] == "load"
    silent.finish()
    assert silent.last["done_reason"] == "load" and len(silent.objects) == 1
    server.stop()


def test_a_load_that_fails_after_a_sign_of_life_ends_with_an_error(serve):
    server = serve({"a": "tiny-1"}, settings())
    script(server, "a", load_until=str(server.folder / "go"), load_exit=1)
    waiting = lines(server, "/api/chat", {"model": "a"})
    wait_until(lambda: waiting.objects, "a sign of life")
    (server.folder / "go").touch()
    waiting.finish()
    assert waiting.end == "broken" and isinstance(waiting.last["error"], str)
    assert waiting.last["retry_after_s"] >= 1
    server.stop()


def test_who_leaves_a_load_that_was_heard_leaves_nothing_behind(serve):
    server = serve({"a": "tiny-1"}, settings())
    script(server, "a", load_until=str(server.folder / "go"))
    waiting = lines(server, "/api/chat", {"model": "a"})
    wait_until(lambda: waiting.objects, "a sign of life")
    waiting.close()
    server.wait_active({})
    (server.folder / "go").touch()
    server.wait_loaded("a")
    server.stop()


# keep_alive


def load_only(model, **more):
    return {"model": model, **more}


def test_an_empty_prompt_loads_and_unloads(serve):
    server = serve({"a": "tiny-1", "b": "tiny-2"})
    for path in ("/api/generate", "/api/chat"):
        loaded = server.post(path, load_only("a", keep_alive="5m"))
        assert loaded.status == 200 and loaded.json["done_reason"] == "load"
        assert loaded.headers["x-holdfast-model"] == "a"
        assert int(loaded.headers["x-holdfast-waited-ms"]) >= 0
        assert loaded.json["done"] and server.loaded() == ["a"]
        gone = server.post(path, load_only("a", keep_alive=0))
        assert gone.json["done_reason"] == "unload" and "warning" not in gone.json
        server.wait_loaded()
    absent = server.post("/api/generate", load_only("a", keep_alive=0))
    assert absent.json["done_reason"] == "unload"
    refused(server.post("/api/generate", load_only("a", keep_alive="soon")), 400, "keep_alive")
    server.stop()


def test_keep_alive_zero_unloads_after_the_answer(serve):
    server = serve({"a": "tiny-1"})
    assert server.post("/api/chat", chat("a", 3, keep_alive=0)).status == 200
    server.wait_loaded()
    assert lines(server, "/api/chat", chat("a", 3, stream=True, keep_alive="0s")).finish().last[
        "done"]
    server.wait_loaded()
    assert server.post("/api/chat", chat("a", 3, keep_alive=-1)).status == 200
    assert server.loaded() == ["a"]
    assert not server.cached("a")["pinned"], "for ever pins nothing"
    server.stop()


def test_keep_alive_zero_leaves_pins_and_the_streams_of_others_alone(serve):
    server = serve({"a": "slow-1"})
    assert server.post("/api/v1/models/a/pin").status == 200
    server.post("/api/chat", chat("a", 2, keep_alive=0))
    stays = server.post("/api/generate", load_only("a", keep_alive=0)).json
    assert "not unloaded" in stays["warning"]
    assert server.cached("a")["pinned"] and server.loaded() == ["a"]
    assert server.post("/api/v1/models/a/unpin").status == 200
    running = lines(server, "/api/chat", chat("a", 100, stream=True)).wait_for_pieces(3)
    assert "not unloaded" in server.post("/api/chat", load_only("a", keep_alive=0)).json["warning"]
    server.post("/api/chat", chat("a", 2, keep_alive=0))
    assert running.finish().end == "complete" and running.last["eval_count"] == 100
    assert server.loaded() == ["a"]
    server.stop()


def test_one_user_cannot_unload_what_another_uses(serve):
    keys = {name: f"key-of-{name}" for name in ("ann", "bob")}
    server = serve({"a": "tiny-1"}, started=False)
    server.extra_config = users(keys)
    server.start()
    headers = {name: {"Authorization": f"Bearer {key}"} for name, key in keys.items()}

    def ask(name, **more):
        return server.post("/api/chat", chat("a", 2, **more), headers=headers[name])

    assert ask("ann").status == ask("bob").status == 200
    assert ask("ann", keep_alive=0).status == 200
    stays = server.post("/api/generate", load_only("a", keep_alive=0), headers=headers["ann"]).json
    assert "others used it" in stays["warning"]
    loaded = server.get("/api/ps", headers=headers["bob"]).json["models"]
    assert [each["name"] for each in loaded] == ["a"]
    assert server.journal("command") == [], "it was not even tried"
    assert server.get("/api/tags").status == 401
    assert isinstance(server.get("/api/tags").json["error"], str)
    server.stop()


def test_keep_alive_zero_is_no_command_of_an_operator(serve):
    """Who only uses models lets go of what they used, and of nothing that others want loaded."""
    server = serve({"a": "tiny-1", "b": "tiny-2"}, started=False)
    server.settings['models."b"'] = {"preload": True}
    server.extra_config = (people.table("ann", "k-ann") + people.table("oda", "k-oda", "operator"))
    server.start()
    ann, oda = with_key("k-ann"), with_key("k-oda")

    def ready():
        return sorted(each["name"] for each in server.get("/api/ps", headers=oda).json["models"])

    def let_go(model, key):
        answer = server.post("/api/generate", load_only(model, keep_alive=0), headers=key).json
        return "warning" not in answer

    wait_until(lambda: ready() == ["b"], "the preloaded model")
    assert not let_go("b", ann), "it was not loaded for ann"
    assert let_go("a", ann), "what is not there need not go"
    assert server.post("/api/v1/models/a/load", headers=oda).status == 200
    assert not let_go("a", ann)
    assert server.post("/api/chat", chat("a", 2, keep_alive=0), headers=ann).status == 200
    assert not let_go("a", oda), "ann used it lately, too"
    assert ready() == ["a", "b"]
    assert let_go("b", oda)
    wait_until(lambda: ready() == ["a"], "the operator's word")
    assert server.post("/api/generate", load_only("b"), headers=ann).status == 200
    assert let_go("b", ann), "who had it loaded is done with it"
    wait_until(lambda: ready() == ["a"], "the end of b")
    server.stop()


def users(keys):
    return "".join(f'\n[[users]]\nname = "{name}"\n'
                   f'key_sha256 = "{hashlib.sha256(key.encode()).hexdigest()}"\n'
                   for name, key in keys.items())


def test_large_requests_are_read_beside_the_loop(serve):
    server = serve({"a": "tiny-1"})
    picture = PICTURE.rstrip("=") + "A" * 8_000_001
    refused(server.post("/api/generate", {"model": "a", "prompt": "x", "images": [picture]}), 400,
            "takes no pictures")
    spaces = {**chat("a", 3), "unknown": " " * 1_000_000}
    assert server.post("/api/chat", spaces).json["eval_count"] == 3
    stream = lines(server, "/api/chat", {**spaces, "stream": True}).finish()
    assert stream.end == "complete" and stream.last["eval_count"] == 3
    for _ in range(5):  # who leaves while it is read leaves nothing behind
        with server.connect() as connection:
            connection.send("POST", "/api/chat", json.dumps(spaces).encode())
    server.wait_active({})
    server.stop()


def test_who_leaves_before_a_large_request_is_read_costs_no_memory(serve):
    server = serve({"a": "tiny-1"})
    body = json.dumps({**chat("a", 1), "unknown": " " * 40_000_000}).encode()
    for _ in range(24):
        with server.connect() as connection:
            connection.send("POST", "/api/chat", body)
    assert server.post("/api/chat", chat("a", 1)).status == 200
    server.wait_active({})
    peak = processes.peak_bytes(server.process.pid)
    assert peak < 12 * len(body), "bodies of those who left were kept"
    server.stop()


def test_a_client_that_leaves_ends_the_answer(serve):
    server = serve({"a": "slow-1"})
    stream = lines(server, "/api/chat", chat("a", 5000, stream=True)).wait_for_pieces(2)
    server.wait_active({"a": 1})
    stream.close()
    server.wait_active({})
    server.stop()


def test_text_that_is_cut_between_bytes_stays_whole(serve):
    """Tokens of single bytes: the engine sends characters, and so do we."""
    server = serve({"a": "tiny-1"})
    schema = {"type": "object", "required": ["x"], "additionalProperties": False,
              "properties": {"x": {"enum": ["é😀ß" + count_text(30)]}}}
    stream = lines(server, "/api/chat", chat("a", 400, stream=True, format=schema)).finish()
    assert json.loads(stream.text) == {"x": "é😀ß" + count_text(30)}
    server.stop()

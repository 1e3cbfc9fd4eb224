"""What Ollama's own clients have beyond asking."""

import json
import re

import jsonschema
import pytest

from box import ALL_MODELS, COPIER, HELD, LISTENER, REAL, REAL_CONTEXT, SHORT
from box import SHORT_CONTEXT, TALKER, WORDS
from drivers import curl, ollama_python
from drivers.answer import Ask, Refused, tool
from harness.waiting import wait_until
from plain import call, is_node
from which import each

BOTH = ["ollama (Python)", "ollama (npm)"]
CITY = {"type": "object", "additionalProperties": False, "required": ["city"],
        "properties": {"city": {"enum": ["Paris", "Oslo"]}}}
MORE, MORE_WORDS = " one two three four five", 5
PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5E"
         "rkJggg==")


def _generate(model, prompt="The capital of France is", tokens=6, **more):
    return {"model": model, "prompt": prompt,
            "options": {"temperature": 0, "num_predict": tokens}, **more}


# Generate

@each(BOTH)
@pytest.mark.proves("POST /api/generate", "answer, with its times")
def test_a_generated_text(box, client):
    answer = call(box, client, "generate", **_generate(REAL))
    assert answer["response"].strip() and answer["done"]
    assert answer["done_reason"] == "length" and answer["eval_count"] == 6
    assert answer["prompt_eval_count"] > 4
    for field in ("total_duration", "prompt_eval_duration", "eval_duration"):
        assert answer[field] > 1000, "nanoseconds"
    assert answer["load_duration"] >= 0
    assert answer["total_duration"] >= answer["eval_duration"]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+)", answer["created_at"])


@each(BOTH)
@pytest.mark.proves("POST /api/generate", "streamed answer")
def test_a_streamed_text(box, client):
    body = _generate(TALKER, tokens=20)
    if is_node(client):
        parts = client.call("streamGenerate", box.connection(), body)
    else:
        parts = [part.model_dump() for part in
                 ollama_python.client(box.connection()).generate(**body, stream=True)]
    assert [part["done"] for part in parts] == [False] * (len(parts) - 1) + [True]
    assert len(parts) > 15 and all(part["model"] == TALKER for part in parts)
    assert parts[-1]["eval_count"] == 20 and parts[-1]["done_reason"] == "length"


@each(BOTH)
@pytest.mark.proves("POST /api/generate", "raw prompt")
def test_a_raw_prompt_has_no_template(box, client):
    raw = call(box, client, "generate", **_generate(TALKER, raw=True))
    dressed = call(box, client, "generate", **_generate(TALKER))
    assert raw["prompt_eval_count"] < dressed["prompt_eval_count"]


@each(BOTH)
@pytest.mark.proves("POST /api/generate", "format: JSON schema")
def test_a_generated_text_by_a_schema(box, client):
    answer = call(box, client, "generate", **_generate(REAL, tokens=60, format=CITY))
    jsonschema.validate(json.loads(answer["response"]), CITY)


@each(BOTH)
@pytest.mark.proves("chat", "format: \"json\"")
def test_any_json(box, client):
    answer = call(box, client, "chat", model=REAL, format="json",
                  messages=[{"role": "user", "content": "[1, 2, 3]"}],
                  options={"temperature": 0, "num_predict": 24})
    text = answer["message"]["content"]
    assert text.lstrip()[0] in "{[", "it has begun as JSON"


@each(BOTH)
@pytest.mark.proves("POST /api/generate", "options: stop")
def test_a_stop_text(box, client):
    body = _generate(TALKER, tokens=40)
    body["options"]["stop"] = ["a", "e"]
    answer = call(box, client, "generate", **body)
    assert answer["done_reason"] == "stop"
    assert not set("ae") & set(answer["response"])


# Loading and leaving

@each(BOTH)
@pytest.mark.proves("POST /api/generate", "no prompt: loads")
def test_a_request_without_a_prompt_loads(box, client):
    box.unload(HELD)
    answer = call(box, client, "generate", model=HELD)
    assert answer["done"] and answer["done_reason"] == "load" and answer["response"] == ""
    assert HELD in box.loaded()


@each(BOTH)
@pytest.mark.proves("chat", "no messages: loads")
def test_a_chat_without_messages_loads(box, client):
    box.unload(HELD)
    answer = call(box, client, "chat", model=HELD, messages=[])
    assert answer["done"] and answer["done_reason"] == "load"
    assert HELD in box.loaded()


@each(BOTH)
@pytest.mark.proves("POST /api/generate", "keep_alive: 0 unloads an idle model",
                    note="not while another person used it in the last five minutes",
                    state="differs")
def test_keep_alive_0_unloads(box, client):
    box.unload(HELD)
    call(box, client, "generate", **_generate(HELD, tokens=1))
    assert HELD in box.loaded()
    answer = call(box, client, "generate", model=HELD, keep_alive=0)
    assert answer["done_reason"] == "unload"
    wait_until(lambda: box.cached(HELD) is None, "it is gone")


@each(BOTH)
@pytest.mark.proves("chat", "keep_alive: -1", state="differs",
                    note="does not pin; an idle model stays until its memory is needed")
def test_keep_alive_never_pins(box, client):
    call(box, client, "chat", model=SHORT, keep_alive=-1, options={"num_predict": 1},
         messages=[{"role": "user", "content": "x"}])
    assert not box.cached(SHORT)["pinned"]


@each(BOTH)
@pytest.mark.proves("chat", "options: num_ctx", state="differs",
                    note="never reloads a shared model; a warning tells its context")
def test_num_ctx_does_not_reload(box, client):
    ask = {"model": SHORT, "messages": [{"role": "user", "content": "x"}]}
    call(box, client, "chat", **ask, options={"num_predict": 1})
    before = box.cached(SHORT)["generation"]
    printed = curl.run(box.connection(), "/api/chat", body={
        **ask, "stream": False, "options": {"num_ctx": 4096, "num_predict": 1}})
    call(box, client, "chat", **ask, options={"num_ctx": 4096, "num_predict": 1})
    assert box.cached(SHORT)["generation"] == before
    assert str(SHORT_CONTEXT) in printed.json["warning"]


# Tools

@each(["ollama (Python)", "ollama (npm)", "LangChain Ollama (Python)", "LangChain Ollama (npm)"])
@pytest.mark.parametrize("way", ["chat", "stream"])
@pytest.mark.proves("chat", "tools")
def test_a_tool_is_called(box, client, way):
    """Nothing in this API forces a call; a base model goes on with what it has just read."""
    clock = tool("clock", zone={"enum": ["UTC", "CET"]})
    written = '<tool_call>\n{"name": "clock", "arguments": {"zone": "UTC"}}\n</tool_call>'
    ask = Ask(COPIER, "\n".join([written] * 4), tools=[clock], max_tokens=60)
    answer = getattr(client, way)(box.connection(), ask)
    assert answer.tool_calls, answer
    for made in answer.tool_calls:
        assert made["name"] == "clock"
        jsonschema.validate(made["arguments"], clock["parameters"])


@each(BOTH)
@pytest.mark.proves("chat", "a tool's answer goes back")
def test_a_tool_answers(box, client):
    """What is added to the call or to its answer, and to nothing else, is read by the model."""
    def tokens(zone, content):
        answer = call(box, client, "chat", model=LISTENER, messages=[
            {"role": "user", "content": "What time is it?"},
            {"role": "assistant", "content": "",
             "tool_calls": [{"function": {"name": "clock", "arguments": {"zone": zone}}}]},
            {"role": "tool", "tool_name": "clock", "content": content}],
            tools=[{"type": "function", "function": tool("clock", zone={"type": "string"})}],
            options={"num_predict": 1, "temperature": 0})
        return answer["prompt_eval_count"]

    short = tokens("UTC", "It is 12:00.")
    assert tokens("UTC", "It is 12:00." + MORE) >= short + MORE_WORDS
    assert tokens("UTC" + MORE, "It is 12:00.") >= short + MORE_WORDS


@each(BOTH)
@pytest.mark.proves("chat", "an image for a model that cannot see: 400")
def test_an_image_for_a_model_that_cannot_see(box, client):
    with pytest.raises(Refused) as refused:
        call(box, client, "chat", model=REAL, messages=[
            {"role": "user", "content": "What is this?", "images": [PIXEL]}])
    assert refused.value.status == 400


# Models

@each(BOTH)
@pytest.mark.proves("list", "sizes, digests, details")
def test_the_list_in_detail(box, client):
    models = {model["model"].removesuffix(":latest"): model
              for model in call(box, client, "list")["models"]}
    assert sorted(models) == ALL_MODELS
    real = models[REAL]
    assert int(real["size"]) == 253113024
    assert re.fullmatch(r"[0-9a-f]{64}", real["digest"])
    assert real["details"]["family"] == "gemma3"
    assert real["details"]["format"] == "gguf"
    assert real["details"]["quantization_level"] == "Q4_K_M"
    assert re.fullmatch(r"2\d\d(\.\d+)?M", real["details"]["parameter_size"])
    assert len({model["digest"] for model in models.values()}) >= len(models) - 2


@each(BOTH)
@pytest.mark.proves("POST /api/show", "capabilities, context length, details")
def test_show(box, client):
    real = call(box, client, "show", model=REAL)
    info = real.get("modelinfo") or real.get("model_info")
    assert info["general.architecture"] == "gemma3"
    assert info["gemma3.context_length"] == REAL_CONTEXT, "what a request may use here"
    assert "completion" in real["capabilities"] and "embedding" not in real["capabilities"]
    assert real["details"]["family"] == "gemma3"
    assert call(box, client, "show", model=WORDS)["capabilities"] == ["embedding"]
    assert "tokenizer.ggml.tokens" not in info or info["tokenizer.ggml.tokens"] in (None, [])


@each(BOTH)
@pytest.mark.proves("POST /api/show", "unknown model: 404")
def test_show_of_an_unknown_model(box, client):
    with pytest.raises(Refused) as refused:
        call(box, client, "show", model="nobody")
    assert refused.value.status == 404 and "nobody" in refused.value.message


@each(BOTH)
@pytest.mark.proves("GET /api/ps", "loaded models")
def test_loaded_models(box, client):
    box.load(SHORT)
    box.unload(HELD)
    models = {model["model"].removesuffix(":latest"): model
              for model in call(box, client, "ps")["models"]}
    assert HELD not in models
    short = models[SHORT]
    assert int(short["size"]) > 100_000 and int(short["size_vram"]) == 0
    assert short["expires_at"]
    assert short.get("context_length") == SHORT_CONTEXT


@each(BOTH)
@pytest.mark.proves("chat", "NAME:latest is NAME")
def test_latest(box, client):
    answer = call(box, client, "chat", model=f"{SHORT}:latest", options={"num_predict": 1},
                  messages=[{"role": "user", "content": "x"}])
    assert answer["model"] in (SHORT, f"{SHORT}:latest")


@pytest.mark.proves("GET /api/version", "a version that clients accept", client="curl")
def test_version(box):
    version = curl.checked(box.connection(), "/api/version")["version"]
    assert re.fullmatch(r"0\.\d+\.\d+", version)


@pytest.mark.proves("HEAD /api/version", "a probe", client="curl")
def test_probes(box):
    for path in ("/", "/api/version", "/api/tags"):
        printed = curl.run(box.connection(), path, "--head")
        assert printed.status == 200, path


# Embeddings

@each(BOTH)
@pytest.mark.proves("embed", "one text")
def test_one_text(box, client):
    answer = call(box, client, "embed", model=WORDS, input="a cat")
    assert len(answer["embeddings"]) == 1 and len(answer["embeddings"][0]) == 64
    assert answer["prompt_eval_count"] > 0


@each(BOTH)
@pytest.mark.proves("POST /api/embeddings", "one text")
def test_the_older_path(box, client):
    older = call(box, client, "embeddings", model=WORDS, prompt="a cat")["embedding"]
    newer = call(box, client, "embed", model=WORDS, input="a cat")["embeddings"][0]
    assert list(older) == pytest.approx(list(newer), abs=1e-4)


# What is not offered, or wrong

@each(BOTH)
@pytest.mark.parametrize("method, given", [
    ("pull", {"model": "x"}), ("push", {"model": "x"}),
    ("create", {"model": "x", "from": "y"}), ("copy", {"source": "x", "destination": "y"}),
    ("delete", {"model": "x"})])
def test_what_changes_models_is_not_offered(box, client, record_proof, method, given):
    if not is_node(client) and "from" in given:
        given = {"model": "x", "from_": "y"}
    verb = "DELETE" if method == "delete" else "POST"
    with record_proof(f"{verb} /api/{method}", "refused: 501", "not offered",
                      "models are files; an administrator runs `holdfast pull`"):
        with pytest.raises(Refused) as refused:
            call(box, client, method, **given)
        assert refused.value.status == 501
        assert "holdfast pull" in refused.value.message or "administrator" in (
            refused.value.message) or "models folder" in refused.value.message


@each(BOTH)
@pytest.mark.proves("chat", "a wrong option is named: 400")
def test_a_wrong_option_is_named(box, client):
    for name, value in (("temperature", "warm"), ("top_k", [1]), ("stop", 7)):
        with pytest.raises(Refused) as refused:
            call(box, client, "chat", model=REAL, options={name: value},
                 messages=[{"role": "user", "content": "x"}])
        assert refused.value.status == 400 and name in refused.value.message


@each(BOTH)
@pytest.mark.proves("chat", "no key at all: 401")
def test_no_key(box, client):
    with pytest.raises(Refused) as refused:
        client.chat(box.connection().but(key=""), Ask(SHORT, max_tokens=1))
    assert refused.value.status == 401 and "key" in refused.value.message

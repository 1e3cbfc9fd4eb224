"""What Ollama's API lets a client say, field by field, and what of it is not done here."""

import math

import pytest

from box import ECHO, FILLER, PEOPLE, SHORT, SHORT_CONTEXT, TALKER, THINKER, WORDS
from drivers import ollama_python
from drivers.answer import Ask, Refused, tool
from plain import call, is_node
from which import each

BOTH = ["ollama (Python)", "ollama (npm)"]
HELLO = [{"role": "user", "content": "Tell me something."}]


def _options(tokens=6, **more):
    return {"temperature": 0, "seed": 1, "num_predict": tokens, **more}


def _chat(box, client, model=TALKER, **more):
    return call(box, client, "chat", **{
        "model": model, "messages": HELLO, "options": _options(), **more})


def _generate(box, client, model=TALKER, **more):
    return call(box, client, "generate", **{
        "model": model, "prompt": "Tell me something.", "options": _options(), **more})


# Thinking

@each(BOTH)
@pytest.mark.proves("chat", "think")
@pytest.mark.proves("POST /api/generate", "think")
def test_a_model_thinks_when_it_is_told_to(box, client):
    """This model ends no thought: what it says is all of it, or none."""
    for ask, said in ((_chat, lambda answer: answer["message"].get("content")),
                      (_generate, lambda answer: answer.get("response"))):
        for think in (True, "low"):
            answer = ask(box, client, THINKER, think=think)
            thought = (answer.get("message") or answer)["thinking"]
            assert thought and not said(answer)
            assert answer["eval_count"] == 6
        answer = ask(box, client, THINKER, think=False)
        assert said(answer) and not (answer.get("message") or answer).get("thinking")


@each(BOTH)
@pytest.mark.proves("chat", "a thought goes back")
def test_a_thought_goes_back(box, client):
    def tokens(thought):
        return _chat(box, client, THINKER, messages=[
            *HELLO, {"role": "assistant", "content": "Yes.", "thinking": thought}, *HELLO],
            )["prompt_eval_count"]

    assert tokens("Well, one two three four five") >= tokens("Well") + 5


@each(BOTH)
@pytest.mark.proves("chat", "think, asked of a model that cannot", state="differs",
                    note="it is not refused, and answers without a thought")
def test_a_model_that_cannot_think_is_not_refused(box, client):
    for think in (True, False):
        message = _chat(box, client, SHORT, think=think)["message"]
        assert message["content"] and not message.get("thinking")


@each(BOTH)
@pytest.mark.proves("chat", "think: a level that is none: 400")
def test_an_unknown_level_of_thought(box, client):
    with pytest.raises(Refused) as refused:
        _chat(box, client, THINKER, think="deeply")
    assert refused.value.status == 400 and "think" in refused.value.message


# Log probabilities

@each(BOTH)
@pytest.mark.proves("chat", "logprobs")
@pytest.mark.proves("POST /api/generate", "logprobs")
def test_log_probabilities(box, client):
    for answer in (_chat(box, client, logprobs=True, top_logprobs=2),
                   _generate(box, client, logprobs=True, top_logprobs=2),
                   _generate(box, client, logprobs=True, top_logprobs=2, raw=True)):
        tokens = answer["logprobs"]
        assert len(tokens) == answer["eval_count"] == 6
        assert all(token["logprob"] <= 0 and len(token["top_logprobs"]) == 2 for token in tokens)
        text = answer.get("response") or answer["message"]["content"]
        assert "".join(token["token"] for token in tokens) == text


@each(BOTH)
@pytest.mark.proves("chat", "logprobs: more than 20 a token: 400")
def test_too_many_log_probabilities(box, client):
    with pytest.raises(Refused) as refused:
        _chat(box, client, logprobs=True, top_logprobs=21)
    assert refused.value.status == 400 and "top_logprobs" in refused.value.message


@each(["ollama (Python)"])
@pytest.mark.proves("chat", "logprobs with tools, streamed", state="not offered",
                    note="set `stream` to false")
def test_log_probabilities_of_a_stream_with_tools(box, client):
    clock = {"type": "function", "function": tool("clock", zone={"enum": ["UTC"]})}
    ask = {"model": ECHO, "messages": HELLO, "tools": [clock], "logprobs": True,
           "options": _options()}
    with pytest.raises(Refused) as refused, ollama_python.refusing():
        list(ollama_python.client(box.connection()).chat(**ask, stream=True))
    assert refused.value.status == 400 and "stream" in refused.value.message


# Filling in, templates, contexts

@each(BOTH)
@pytest.mark.proves("POST /api/generate", "suffix: fills in")
def test_a_suffix_is_filled_in(box, client):
    def tokens(suffix):
        answer = _generate(box, client, FILLER, prompt="def f(", suffix=suffix)
        assert answer["response"] and answer["eval_count"] == 6
        return answer["prompt_eval_count"]

    assert tokens("return x and y and z") >= tokens("return x") + 4, "the model has read it"


@each(BOTH)
@pytest.mark.proves("POST /api/generate", "suffix: a model without the tokens for it refuses")
def test_a_suffix_for_a_model_that_cannot_fill_in(box, client):
    with pytest.raises(Refused) as refused:
        _generate(box, client, TALKER, suffix="return x")
    assert refused.value.status == 501


@each(BOTH)
@pytest.mark.proves("POST /api/generate", "template of the client", state="not offered",
                    note="a model is asked with its own; send the whole prompt with `raw`")
def test_a_template_is_refused(box, client):
    with pytest.raises(Refused) as refused:
        _generate(box, client, template="{{ .Prompt }}")
    assert refused.value.status == 400 and "raw" in refused.value.message


@each(BOTH)
@pytest.mark.proves("POST /api/generate", "context", state="differs",
                    note="not returned, and ignored with a warning: send the conversation to "
                         "/api/chat")
def test_a_context_is_ignored(box, client):
    plain = _generate(box, client)
    given = _generate(box, client, context=[1, 2, 3])
    assert not plain.get("context") and not given.get("context")
    assert given["prompt_eval_count"] == plain["prompt_eval_count"]
    if is_node(client):  # the Python library drops what it does not know
        assert "/api/chat" in given["warning"] and "warning" not in plain


@each(BOTH)
@pytest.mark.proves("POST /api/generate", "system prompt")
def test_a_system_prompt_of_a_text(box, client):
    plain = _generate(box, client)
    more = _generate(box, client, system="one two three four")
    assert more["prompt_eval_count"] >= plain["prompt_eval_count"] + 4


# Options

@each(BOTH)
@pytest.mark.proves("POST /api/generate", "options: num_predict: -1 goes to the end of the context")
def test_no_limit_but_the_context(box, client):
    answer = _generate(box, client, SHORT, options=_options(tokens=-1))
    assert answer["done_reason"] == "length"
    assert answer["prompt_eval_count"] + answer["eval_count"] == pytest.approx(SHORT_CONTEXT, abs=1)


@each(["ollama (npm)"])
@pytest.mark.proves("chat", "an unknown option: a warning names it", state="differs",
                    note="in the answer; Ollama writes it to its log")
def test_an_unknown_option(box, client):
    answer = _chat(box, client, options=_options(no_such_option=3))
    assert "no_such_option" in answer["warning"] and answer["eval_count"] == 6


# Embeddings

@each(BOTH)
@pytest.mark.proves("embed", "dimensions: shorter vectors of length one")
def test_fewer_dimensions(box, client):
    whole = call(box, client, "embed", model=WORDS, input=["a cat", "the sea"])["embeddings"]
    short = call(box, client, "embed", model=WORDS, input=["a cat", "the sea"], dimensions=5)
    for cut, vector in zip(short["embeddings"], whole, strict=True):
        length = math.hypot(*vector[:5])
        assert list(cut) == pytest.approx([x / length for x in vector[:5]], abs=1e-4)


@each(BOTH)
@pytest.mark.proves("embed", "no texts: no vectors")
def test_no_texts(box, client):
    assert list(call(box, client, "embed", model=WORDS, input=[])["embeddings"]) == []


@each(BOTH)
@pytest.mark.proves("embed", "a text that is too long is cut")
@pytest.mark.proves("embed", "truncate: false: 400")
def test_a_text_that_is_too_long(box, client):
    long = "mo " * 6000
    cut = call(box, client, "embed", model=WORDS, input=["a cat", long])
    assert len(cut["embeddings"]) == 2
    alone = call(box, client, "embed", model=WORDS, input="a cat")
    assert list(cut["embeddings"][0]) == pytest.approx(list(alone["embeddings"][0]), abs=1e-4)
    with pytest.raises(Refused) as refused:
        call(box, client, "embed", model=WORDS, input=long, truncate=False)
    assert refused.value.status == 400


@each(BOTH)
@pytest.mark.proves("embed", "unknown model: 404")
def test_embeddings_of_an_unknown_model(box, client):
    with pytest.raises(Refused) as refused:
        call(box, client, "embed", model="nobody", input="x")
    assert refused.value.status == 404 and "nobody" in refused.value.message


# Lists, and what changes models

@each(["ollama (npm)"])
@pytest.mark.proves("POST /api/show", "verbose: the whole header")
def test_show_everything(box, client):
    info = call(box, client, "show", model=SHORT, verbose=True)["model_info"]
    assert len(info["tokenizer.ggml.tokens"]) == 1024
    assert call(box, client, "show", model=SHORT)["model_info"]["tokenizer.ggml.tokens"] == []


@each(["ollama (npm)"])
@pytest.mark.proves("GET /api/version", "a version that clients accept")
def test_version(box, client):
    assert call(box, client, "version")["version"].startswith("0.")


@each(["ollama (Python)"])
@pytest.mark.proves("POST /api/blobs/{digest}", "refused: 501", state="not offered",
                    note="models are files; an administrator runs `holdfast pull`")
def test_no_file_is_taken(box, client, tmp_path):
    file = tmp_path / "some.gguf"
    file.write_bytes(b"GGUF" * 1000)
    with pytest.raises(Refused) as refused, ollama_python.refusing():
        ollama_python.client(box.connection()).create_blob(file)
    assert refused.value.status == 501 and refused.value.message


@each(BOTH)
@pytest.mark.proves("POST /api/generate", "keep_alive: 0 of one person, while another uses the "
                    "model: it stays")
def test_nobody_unloads_what_another_uses(box, client):
    """The answer tells why; only the library for JavaScript passes that on."""
    other = box.connection(PEOPLE[1])
    ask = Ask(SHORT, max_tokens=1)
    client.chat(other, ask)
    answer = call(box, client, "generate", model=SHORT, keep_alive=0)
    assert box.cached(SHORT)["state"] == "ready"
    if is_node(client):
        assert "not unloaded" in answer["warning"]
    assert client.chat(other, ask).completion_tokens == 1


@each(BOTH)
@pytest.mark.proves("POST /api/generate", "unknown model: 404")
def test_a_text_of_an_unknown_model(box, client):
    with pytest.raises(Refused) as refused:
        _generate(box, client, "nobody")
    assert refused.value.status == 404 and "nobody" in refused.value.message


@each(BOTH)
@pytest.mark.proves("POST /api/generate", "context overflow: 400")
def test_a_text_that_is_too_long_for_the_context(box, client):
    with pytest.raises(Refused) as refused:
        _generate(box, client, SHORT, prompt="ba " * 2 * SHORT_CONTEXT)
    assert refused.value.status == 400 and str(SHORT_CONTEXT) in refused.value.message

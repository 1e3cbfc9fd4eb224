"""What people do with any client: ask, stream, use tools, embed, list, leave, and do it wrong."""

import functools
import json
import math

import jsonschema
import pytest

from background import InBackground
from box import ALL_MODELS, CALLER, ECHO, PEOPLE, REAL, SHORT, SHORT_CONTEXT, TALKER, WORDS, Tap
from drivers.answer import Ask, Refused, tool
from harness.waiting import wait_until
from which import ALL, ANTHROPIC, OLLAMA, OPENAI, each

# What the three APIs call the same two ends.
_AT_ITS_END = {"stop", "end_turn"}
_AT_THE_LIMIT = {"length", "max_tokens"}
_CALLS_A_TOOL = {"tool_calls", "tool_use"}

WEATHER = tool("weather", city={"enum": ["Paris", "Oslo"]}, days={"type": "integer"})
CLOCK = tool("clock", zone={"type": "string", "maxLength": 8})
CITY = {"type": "object", "additionalProperties": False, "required": ["city", "inhabitants"],
        "properties": {"city": {"type": "string", "maxLength": 20},
                       "inhabitants": {"type": "integer"}}}


@each(ALL)
@pytest.mark.proves("chat", "answer")
def test_an_answer(box, client):
    answer = client.chat(box.connection(), Ask(REAL, max_tokens=12))
    assert answer.text.strip()
    assert answer.finish in _AT_THE_LIMIT | _AT_ITS_END
    assert 0 < answer.completion_tokens <= 12
    assert answer.prompt_tokens > 5
    assert answer.model == REAL
    again = client.chat(box.connection(), Ask(REAL, max_tokens=12))
    assert again.completion_tokens == answer.completion_tokens


@each(ALL)
@pytest.mark.proves("chat", "system prompt")
def test_a_system_prompt_counts(box, client):
    plain = client.chat(box.connection(), Ask(REAL, max_tokens=1))
    more = client.chat(box.connection(), Ask(REAL, system="one two three four", max_tokens=1))
    assert more.prompt_tokens >= plain.prompt_tokens + 4


@each(ALL)
@pytest.mark.proves("chat", "streamed answer")
def test_a_stream(box, client):
    ask = Ask(TALKER, max_tokens=24)
    answer = client.stream(box.connection(), ask)
    assert answer.pieces >= 20, "it came in pieces"
    assert answer.finish in _AT_THE_LIMIT
    assert answer.completion_tokens == 24
    assert answer.prompt_tokens > 5
    whole = client.chat(box.connection(), ask)
    assert (whole.completion_tokens, whole.finish) == (answer.completion_tokens, answer.finish)


@each(OPENAI + ANTHROPIC)
@pytest.mark.proves("chat", "tools, forced")
def test_a_forced_tool(box, client):
    ask = Ask(CALLER, "What is the weather in Oslo?", tools=[WEATHER, CLOCK], max_tokens=200)
    answer = client.chat(box.connection(), ask)
    _assert_a_call(answer)


@each(OPENAI + ANTHROPIC)
@pytest.mark.proves("chat", "tools, streamed")
def test_a_streamed_tool(box, client):
    ask = Ask(CALLER, "What is the weather in Oslo?", tools=[WEATHER, CLOCK], max_tokens=200)
    answer = client.stream(box.connection(), ask)
    _assert_a_call(answer)


def _assert_a_call(answer):
    assert answer.finish in _CALLS_A_TOOL, answer
    assert answer.tool_calls, answer
    for call in answer.tool_calls:
        parameters = {one["name"]: one["parameters"] for one in (WEATHER, CLOCK)}[call["name"]]
        jsonschema.validate(call["arguments"], parameters)


@each(OPENAI + OLLAMA)
@pytest.mark.proves("chat", "JSON schema")
def test_an_answer_by_a_schema(box, client):
    ask = Ask(REAL, "Tell me a city.", schema=CITY, max_tokens=120)
    answer = client.chat(box.connection(), ask)
    jsonschema.validate(json.loads(answer.text), CITY)


@each(OPENAI + OLLAMA)
@pytest.mark.proves("embed", "several texts")
def test_embeddings(box, client):
    texts = ["a cat", "the sea at night", "a cat", "42"]
    vectors = client.embed(box.connection(), WORDS, texts)
    assert [len(vector) for vector in vectors] == [64] * 4
    for vector in vectors:
        assert math.isclose(math.hypot(*vector), 1, abs_tol=1e-4)
    alone = [client.embed(box.connection(), WORDS, [text])[0] for text in texts]
    for vector, single in zip(vectors, alone):
        assert max(abs(a - b) for a, b in zip(vector, single)) < 1e-4, "in the order of the texts"
    assert vectors[0] == pytest.approx(vectors[2], abs=1e-4)
    assert max(abs(a - b) for a, b in zip(vectors[0], vectors[1])) > 1e-2


@each(["openai (Python)", "openai (npm)", "curl", *ANTHROPIC, "ollama (Python)", "ollama (npm)"])
@pytest.mark.proves("list", "all models")
def test_the_list_of_models(box, client):
    names = client.models(box.connection())
    assert sorted(name.removesuffix(":latest") for name in names) == ALL_MODELS


@each([name for name in ALL if name != "LangChain Ollama (npm)"])
@pytest.mark.proves("chat", "leaving a stream ends it")
def test_a_client_that_leaves(box, client):
    """The answer would go on for longer than anybody waits here."""
    ask = Ask(TALKER, max_tokens=10_000_000)
    assert client.leave(box.connection(), ask, 3) >= 3
    box.wait_quiet()
    box.wait_at_rest(TALKER)


@each(["LangChain Ollama (npm)"])
@pytest.mark.proves("chat", "leaving a stream ends it", state="differs",
                    note="this library does not hang up, even if its signal is aborted: the answer "
                         "goes on to its end")
def test_a_client_that_leaves_and_does_not_hang_up(box, client):
    """It asks the signal at the next piece only, for which nobody waits any more."""
    with Tap(box.port) as tap:
        ask = Ask(TALKER, max_tokens=400)
        assert client.leave(tap.reach(box.connection()), ask, 3) >= 3
        wait_until(lambda: b'"done_reason":"length"' in tap.answers, "it went on to its end")


@each(ALL)
@pytest.mark.proves("chat", "unknown model: 404")
def test_an_unknown_model(box, client):
    with pytest.raises(Refused) as refused:
        client.chat(box.connection(), Ask("nobody"))
    assert refused.value.kind == client.refusals["unknown model"]
    assert refused.value.status == 404
    assert "nobody" in refused.value.message


@each(ALL)
@pytest.mark.proves("chat", "bad request: 400")
def test_a_bad_request(box, client):
    with pytest.raises(Refused) as refused:
        client.chat(box.connection(), Ask(REAL, broken=True))
    assert refused.value.kind == client.refusals["bad request"]
    assert refused.value.status == 400
    assert refused.value.message


@each(ALL)
@pytest.mark.proves("chat", "wrong key: 401")
def test_a_wrong_key(box, client):
    answers = set()
    for model in (REAL, "nobody"):
        with pytest.raises(Refused) as refused:
            client.chat(box.connection().but(key="guessed"), Ask(model))
        assert refused.value.kind == client.refusals["wrong key"]
        assert refused.value.status == 401
        assert "guessed" not in refused.value.message
        answers.add(refused.value.message)
    assert len(answers) == 1, "it learns nothing of which models there are"


@each(ALL)
@pytest.mark.proves("chat", "context overflow: 400")
def test_a_prompt_that_is_too_long(box, client):
    with pytest.raises(Refused) as refused:
        client.chat(box.connection(), Ask(SHORT, "ba " * 2 * SHORT_CONTEXT, max_tokens=4))
    assert refused.value.kind == client.refusals["too long"]
    assert refused.value.status == 400
    assert str(SHORT_CONTEXT) in refused.value.message
    if client.name in OPENAI:
        assert refused.value.code == "context_length_exceeded"
    if client.name == "LangChain OpenAI (Python)":
        assert "ContextOverflowError" in refused.value.also, "which its users catch"
    if client.name in ANTHROPIC:
        assert refused.value.code == "invalid_request_error"
        assert "prompt is too long: " in refused.value.message


# Each is told what only this one was to be told: by a tool of which only one call is valid where
# the client streams tools, by a schema that only one text obeys elsewhere.
STREAMING = ["openai (Python)", "openai (npm)", *ANTHROPIC]


def _own_text(name, last):
    return f"{name}: " + " ".join(map(str, range(1, last)))


@each(STREAMING)
@pytest.mark.proves("chat", "eight people at once")
def test_eight_people_at_once(box, client):
    def ask(name):
        only = tool("say", text={"const": _own_text(name, 40)})
        answer = client.stream(box.connection(name), Ask(
            ECHO, f"I am {name}.", tools=[only], max_tokens=600))
        return [call["arguments"]["text"] for call in answer.tool_calls]

    assert _at_once(ask) == {name: [_own_text(name, 40)] for name in PEOPLE}


@each([name for name in ALL if name not in STREAMING])
@pytest.mark.proves("chat", "eight people at once")
def test_eight_people_at_once_by_a_schema(box, client):
    told = _schema_each(box, client, ECHO, 40)
    assert told == {name: {"text": _own_text(name, 40)} for name in PEOPLE}


@each(["openai (Python)"])
@pytest.mark.proves("chat", "eight people at once, the real model")
def test_eight_people_at_the_real_model(box, client):
    told = _schema_each(box, client, REAL, 4)
    assert told == {name: {"text": _own_text(name, 4)} for name in PEOPLE}


def _schema_each(box, client, model, last):
    def ask(name):
        schema = {"type": "object", "additionalProperties": False, "required": ["text"],
                  "properties": {"text": {"const": _own_text(name, last)}}}
        return json.loads(client.chat(box.connection(name), Ask(
            model, f"I am {name}.", schema=schema, max_tokens=600)).text)

    return _at_once(ask)


def _at_once(ask):
    """{name: ask(name)}, all at the same time."""
    calls = {name: InBackground(functools.partial(ask, name)) for name in PEOPLE}
    return {name: call.result() for name, call in calls.items()}

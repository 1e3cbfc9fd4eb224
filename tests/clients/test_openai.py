"""What OpenAI's own clients have beyond chat."""

import json

import pydantic
import pytest

from box import CALLER, ECHO, LISTENER, REAL, SHORT, SHORT_CONTEXT, TALKER
from drivers import openai_python
from drivers.answer import Ask, Refused, tool
from plain import call, is_node
from which import each

BOTH = ["openai (Python)", "openai (npm)"]
CITY = {"type": "object", "additionalProperties": False, "required": ["city"],
        "properties": {"city": {"enum": ["Paris", "Oslo"]}}}


@each(BOTH)
@pytest.mark.proves("POST /v1/completions", "answer")
def test_a_completion(box, client):
    whole = call(box, client, "completions.create", model=REAL, max_tokens=5, temperature=0,
                 prompt="The capital of France is")
    assert whole["choices"][0]["text"].strip()
    assert whole["usage"]["completion_tokens"] == 5


@each(BOTH)
@pytest.mark.proves("POST /v1/completions", "streamed answer")
def test_a_streamed_completion(box, client):
    body = {"model": TALKER, "prompt": "x", "max_tokens": 10}
    if is_node(client):
        chunks = client.call("streamCompletion", box.connection(), body)
    else:
        stream = openai_python.client(box.connection()).completions.create(**body, stream=True)
        chunks = [chunk.model_dump() for chunk in stream]
    assert sum(bool(chunk["choices"] and chunk["choices"][0]["text"]) for chunk in chunks) >= 9
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"


@each(BOTH)
@pytest.mark.proves("POST /v1/completions", "unknown model: 404")
@pytest.mark.proves("POST /v1/completions", "context overflow: 400")
def test_completions_that_are_refused(box, client):
    with pytest.raises(Refused) as refused:
        call(box, client, "completions.create", model="nobody", prompt="x")
    assert (refused.value.kind, refused.value.status) == ("NotFoundError", 404)
    with pytest.raises(Refused) as refused:
        call(box, client, "completions.create", model=SHORT, prompt="ba " * 2 * SHORT_CONTEXT)
    assert (refused.value.status, refused.value.code) == (400, "context_length_exceeded")


@each(BOTH)
@pytest.mark.proves("POST /v1/completions", "several prompts")
def test_several_prompts(box, client):
    whole = call(box, client, "completions.create", model=TALKER, prompt=["a", "b", "c"],
                 max_tokens=3)
    assert [choice["index"] for choice in whole["choices"]] == [0, 1, 2]
    assert all(choice["text"] for choice in whole["choices"])


@each(["openai (Python)"])
@pytest.mark.proves("chat", "log probabilities")
def test_log_probabilities(box, client):
    whole = openai_python.client(box.connection()).chat.completions.create(
        model=REAL, messages=[{"role": "user", "content": "Hello"}], max_tokens=3, temperature=0,
        logprobs=True, top_logprobs=2)
    tokens = whole.choices[0].logprobs.content
    assert len(tokens) == whole.usage.completion_tokens
    assert all(token.logprob <= 0 and len(token.top_logprobs) == 2 for token in tokens)


@each(["openai (Python)"])
@pytest.mark.proves("chat", "several answers (n)")
def test_several_answers(box, client):
    whole = openai_python.client(box.connection()).chat.completions.create(
        model=TALKER, messages=[{"role": "user", "content": "Hello"}], max_tokens=3, n=2)
    assert [choice.index for choice in whole.choices] == [0, 1]


@each(["openai (Python)"])
@pytest.mark.proves("chat", "stop text")
def test_a_stop_text(box, client):
    whole = openai_python.client(box.connection()).chat.completions.create(
        model=REAL, messages=[{"role": "user", "content": "Count: 1, 2, 3, 4,"}], max_tokens=40,
        temperature=0, stop=["e", "5", "\n"])
    choice, = whole.choices
    assert choice.finish_reason == "stop"
    assert not set("e5\n") & set(choice.message.content)


@each(BOTH)
@pytest.mark.proves("chat", "a tool's answer goes back")
def test_a_tool_answers(box, client):
    """What is added to it, and to nothing else, is read by the model."""
    clock = {"type": "function", "function": tool("clock", zone={"enum": ["UTC"]})}
    ask = {"model": ECHO, "tools": [clock], "temperature": 0}
    question = {"role": "user", "content": "What time is it?"}
    first = call(box, client, "chat.completions.create", **ask, messages=[question],
                 tool_choice="required", max_tokens=100)
    message = {key: value for key, value in first["choices"][0]["message"].items()
               if value is not None}

    def tokens(told):
        answer = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": told}
        second = call(box, client, "chat.completions.create", **ask, max_tokens=8,
                      messages=[question, message, answer], tool_choice="none")
        assert not second["choices"][0]["message"].get("tool_calls")
        return second["usage"]["prompt_tokens"]

    short = tokens("It is 12:00.")
    assert short > first["usage"]["prompt_tokens"]
    assert tokens("It is 12:00. one two three four five") >= short + 5


@each(["openai (Python)"])
@pytest.mark.proves("chat", "one tool named by tool_choice", state="differs",
                    note="the stock engine lets the model choose; leave one tool in `tools` and "
                         "say \"required\"")
def test_a_named_tool_is_not_forced(box, client):
    sdk = openai_python.client(box.connection())
    tools = [{"type": "function", "function": tool(name, zone={"enum": ["UTC"]})}
             for name in ("clock", "sundial")]
    whole = sdk.chat.completions.create(
        model=TALKER, messages=[{"role": "user", "content": "x"}], tools=tools, max_tokens=20,
        tool_choice={"type": "function", "function": {"name": "sundial"}})
    assert whole.choices[0].message.tool_calls is None


@each(["openai (Python)"])
@pytest.mark.proves("chat", "typed answers (parse)")
def test_typed_answers(box, client):
    class City(pydantic.BaseModel):
        name: str
        capital: bool

    whole = openai_python.client(box.connection()).chat.completions.parse(
        model=REAL, messages=[{"role": "user", "content": "Tell me a city."}], max_tokens=100,
        temperature=0, response_format=City)
    assert isinstance(whole.choices[0].message.parsed, City)


@each(BOTH)
@pytest.mark.proves("POST /v1/responses", "answer")
def test_a_response(box, client):
    answer = _respond(box, client, {"model": REAL, "input": "The capital of France is",
                                    "max_output_tokens": 16, "temperature": 0})
    assert answer["text"].strip()
    assert answer["prompt_tokens"] > 5 and 0 < answer["completion_tokens"] <= 16
    assert answer["finish"] in ("completed", "incomplete")


@each(BOTH)
@pytest.mark.proves("POST /v1/responses", "streamed answer, events in order")
def test_a_streamed_response(box, client):
    if is_node(client):
        events, text = client.call("responseEvents", box.connection(), HELLO)
    else:
        sent = list(openai_python.client(box.connection()).responses.create(**HELLO, stream=True))
        events = [event.type for event in sent]
        text = "".join(event.delta for event in sent
                       if event.type == "response.output_text.delta")
    assert text and events.count("response.output_text.delta") >= 15
    ordered = ["response.created", "response.in_progress", "response.output_item.added",
               "response.content_part.added", "response.output_text.delta",
               "response.output_text.done", "response.content_part.done",
               "response.output_item.done", "response.completed"]
    assert list(dict.fromkeys(events)) == ordered


@each(BOTH)
@pytest.mark.proves("POST /v1/responses", "put together by the library's `stream()`",
                    state="differs", note="the stock engine's events lack fields that it needs; "
                    "go through the events of `create(stream=True)`")
def test_a_response_that_the_library_puts_together(box, client):
    with pytest.raises((AssertionError, TypeError, AttributeError)):
        if is_node(client):
            client.call("streamResponse", box.connection(), HELLO)
        else:
            with openai_python.client(box.connection()).responses.stream(**HELLO) as stream:
                stream.until_done()


HELLO = {"model": TALKER, "input": "Hello", "max_output_tokens": 20, "temperature": 0}


@each(BOTH)
@pytest.mark.proves("POST /v1/responses", "tools, forced")
def test_a_response_with_a_tool(box, client):
    clock = tool("clock", zone={"enum": ["UTC"]})
    body = {"model": CALLER, "input": "What time is it?", "max_output_tokens": 100,
            "tools": [{"type": "function", "strict": True, **clock}], "tool_choice": "required"}
    answer = _respond(box, client, body)
    assert answer["tool_calls"] == [{"name": "clock", "arguments": {"zone": "UTC"}}]


@each(BOTH)
@pytest.mark.proves("POST /v1/responses/input_tokens", "tokens of a prompt")
def test_tokens_are_counted_as_they_are_charged(box, client):
    ask = {"model": TALKER, "input": "Hello", "instructions": "Be brief."}
    counted = call(box, client, "responses.input_tokens.count", **ask)["input_tokens"]
    assert counted == _respond(box, client, {**ask, "max_output_tokens": 1})["prompt_tokens"]


@each(BOTH)
@pytest.mark.proves("POST /v1/responses", "a tool's answer goes back")
def test_a_tool_of_a_response_answers(box, client):
    clock = {"type": "function", "strict": True, **tool("clock", zone={"enum": ["UTC"]})}
    made = {"type": "function_call", "call_id": "call_1", "name": "clock",
            "arguments": '{"zone": "UTC"}'}

    def tokens(told):
        return _respond(box, client, {
            "model": LISTENER, "tools": [clock], "max_output_tokens": 1, "input": [
                {"role": "user", "content": "What time is it?"}, made,
                {"type": "function_call_output", "call_id": "call_1", "output": told}],
        })["prompt_tokens"]

    assert tokens("It is 12:00. one two three four five") >= tokens("It is 12:00.") + 5


@each(BOTH)
@pytest.mark.proves("POST /v1/responses", "context overflow: 400")
def test_a_response_that_is_too_long(box, client):
    with pytest.raises(Refused) as refused:
        _respond(box, client, {"model": SHORT, "input": "ba " * 2 * SHORT_CONTEXT})
    assert (refused.value.status, refused.value.code) == (400, "context_length_exceeded")


@each(BOTH)
@pytest.mark.proves("POST /v1/responses", "unknown model: 404")
def test_a_response_of_an_unknown_model(box, client):
    with pytest.raises(Refused) as refused:
        _respond(box, client, {"model": "nobody", "input": "x"})
    assert (refused.value.kind, refused.value.status) == ("NotFoundError", 404)


@each(["openai (Python)"])
@pytest.mark.proves("POST /v1/responses", "JSON schema (text.format)", state="differs",
                    note="the stock engine ignores it here; /v1/chat/completions obeys "
                         "`response_format`")
def test_a_response_by_a_schema_is_not_offered(box, client):
    answer = _respond(box, client, {
        "model": TALKER, "input": "A city.", "max_output_tokens": 16,
        "text": {"format": {"type": "json_schema", "name": "city", "strict": True,
                            "schema": CITY}}})
    with pytest.raises(ValueError):
        json.loads(answer["text"])


@each(["openai (Python)"])
@pytest.mark.proves("POST /v1/responses", "previous_response_id", state="not offered",
                    note="no answer is kept; send the conversation")
def test_a_response_that_goes_on_is_refused(box, client):
    with pytest.raises(Refused) as refused:
        _respond(box, client, {"model": TALKER, "input": "x", "previous_response_id": "resp_1"})
    assert refused.value.status in (400, 500)


def _respond(box, client, body):
    if is_node(client):
        return client.call("respond", box.connection(), body)
    with openai_python.refusing():
        whole = openai_python.client(box.connection()).responses.create(**body)
    return {"text": whole.output_text, "finish": whole.status,
            "prompt_tokens": whole.usage.input_tokens,
            "completion_tokens": whole.usage.output_tokens,
            "tool_calls": [{"name": item.name, "arguments": json.loads(item.arguments)}
                           for item in whole.output if item.type == "function_call"]}


@each(["openai (Python)"])
def test_a_schema_that_is_none(box, client):
    """The engine's own words reach the client."""
    ask = Ask(REAL, schema={"type": "no such type"})
    with pytest.raises(Refused) as refused:
        client.chat(box.connection(), ask)
    assert refused.value.status == 400

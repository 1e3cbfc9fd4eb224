"""What Anthropic's own clients have beyond asking."""

import asyncio
import json

import anthropic
import pytest

from box import CALLER, COPIER, REAL, SHORT, TALKER
from drivers import anthropic_python, curl
from drivers.answer import Ask, Refused, tool
from which import ANTHROPIC, each

CLOCK = tool("clock", zone={"enum": ["UTC"]})


@each(ANTHROPIC)
@pytest.mark.proves("chat", "order of the events")
def test_the_order_of_the_events(box, client):
    answer = client.stream(box.connection(), Ask(TALKER, max_tokens=12))
    # The Python client adds events of its own, "text" for example.
    events = [event for event in answer.events
              if event.startswith(("message_", "content_block_"))]
    assert events[0] == "message_start"
    assert events[1] == "content_block_start"
    assert set(events[2:-3]) == {"content_block_delta"} and len(events) > 10
    assert events[-3:] == ["content_block_stop", "message_delta", "message_stop"]


@each(ANTHROPIC)
@pytest.mark.proves("POST /v1/messages/count_tokens", "tokens of a prompt")
def test_tokens_are_counted_as_they_are_charged(box, client):
    for ask in (Ask(REAL, max_tokens=1), Ask(REAL, "x", "A system prompt.", max_tokens=1)):
        counted = client.count_tokens(box.connection(), ask)
        assert counted > 0
        assert counted == client.chat(box.connection(), ask).prompt_tokens


@each(ANTHROPIC)
@pytest.mark.proves("POST /v1/messages/count_tokens", "unknown model: 404")
def test_tokens_of_an_unknown_model(box, client):
    with pytest.raises(Refused) as refused:
        client.count_tokens(box.connection(), Ask("nobody"))
    assert (refused.value.kind, refused.value.status) == ("NotFoundError", 404)
    assert refused.value.code == "not_found_error"


@each(["anthropic (Python)"])
@pytest.mark.proves("chat", "a tool's answer goes back")
def test_a_tool_answers(box, client):
    sdk = anthropic_python.client(box.connection())
    tools = [{"name": CLOCK["name"], "description": CLOCK["description"],
              "input_schema": CLOCK["parameters"]}]
    messages = [{"role": "user", "content": "What time is it?"}]
    first = sdk.messages.create(model=CALLER, max_tokens=100, messages=messages, tools=tools,
                                tool_choice={"type": "any"})
    call, = [block for block in first.content if block.type == "tool_use"]
    assert call.input == {"zone": "UTC"}
    messages += [{"role": "assistant", "content": [call.model_dump(exclude_none=True)]},
                 {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id,
                                               "content": "It is 12:00."}]}]
    # The template of `caller` leaves room for calls only.
    second = sdk.messages.create(model=COPIER, max_tokens=8, messages=messages, tools=tools)
    assert second.usage.output_tokens > 0


@each(["anthropic (Python)"])
@pytest.mark.proves("chat", "stop sequences")
def test_a_stop_sequence(box, client):
    sdk = anthropic_python.client(box.connection())
    message = sdk.messages.create(
        model=REAL, max_tokens=60, stop_sequences=["e", "\n"],
        messages=[{"role": "user", "content": "The capital of France is Paris. The capital"}])
    assert message.stop_reason in ("stop_sequence", "end_turn")
    assert "e" not in message.content[0].text if message.content else True


@each(["anthropic (Python)"])
@pytest.mark.proves("chat", "JSON schema (output_config)", state="differs",
                    note="the stock engine ignores it; force a tool with that schema instead")
def test_a_schema_is_not_obeyed(box, client):
    schema = {"type": "object", "properties": {"city": {"enum": ["Paris"]}},
              "required": ["city"], "additionalProperties": False}
    answer = client.chat(box.connection(), Ask(TALKER, schema=schema, max_tokens=20))
    with pytest.raises(ValueError):
        json.loads(answer.text)


@pytest.mark.proves("POST /v1/messages", "key as x-api-key or as a bearer", client="curl")
def test_both_headers_of_a_key(box):
    body = {"model": SHORT, "max_tokens": 2, "messages": [{"role": "user", "content": "x"}]}
    key = box.connection().key
    nobody = box.connection().but(key="")
    for header in (f"x-api-key: {key}", f"Authorization: Bearer {key}"):
        assert curl.run(nobody, "/v1/messages", "--header", header, body=body).status == 200
    refused = curl.run(nobody, "/v1/messages", "--header", "x-api-key: guessed", body=body)
    assert refused.status == 401
    assert refused.json["type"] == "error"
    assert refused.json["error"]["type"] == "authentication_error"


@each(["anthropic (Python)"])
@pytest.mark.proves("chat", "asynchronous client")
def test_the_asynchronous_client(box, client):
    async def ask():
        async with anthropic.AsyncAnthropic(base_url=box.connection().url,
                                            api_key=box.connection().key) as sdk:
            async with sdk.messages.stream(
                    model=TALKER, max_tokens=10,
                    messages=[{"role": "user", "content": "x"}]) as stream:
                return [text async for text in stream.text_stream]

    assert len(asyncio.run(ask())) >= 8

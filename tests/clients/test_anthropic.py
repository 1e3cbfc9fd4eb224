"""What Anthropic's own clients have beyond asking."""

import asyncio
import json
from datetime import datetime

import anthropic
import pytest

from box import ECHO, LISTENER, REAL, SHORT, TALKER, THINKER
from drivers import anthropic_python, curl
from drivers.answer import Ask, Refused, tool
from plain import call
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


@each(ANTHROPIC)
@pytest.mark.proves("chat", "a tool's answer goes back")
@pytest.mark.proves("POST /v1/messages/count_tokens", "tools and their answers")
def test_a_tool_answers(box, client):
    """What is added to it, and to nothing else, is read by the model."""
    tools = [{"name": CLOCK["name"], "description": CLOCK["description"],
              "input_schema": CLOCK["parameters"]}]
    question = {"role": "user", "content": "What time is it?"}
    first = call(box, client, "messages.create", model=ECHO, max_tokens=100, tools=tools,
                 messages=[question], tool_choice={"type": "any"})
    made, = [block for block in first["content"] if block["type"] == "tool_use"]
    assert made["input"] == {"zone": "UTC"}
    made = {key: made[key] for key in ("type", "id", "name", "input")}

    def tokens(told):
        result = {"type": "tool_result", "tool_use_id": made["id"], "content": told}
        ask = {"model": LISTENER, "tools": tools, "messages": [
            question, {"role": "assistant", "content": [made]},
            {"role": "user", "content": [result]}]}
        usage = call(box, client, "messages.create", **ask, max_tokens=8)["usage"]
        assert usage["output_tokens"] > 0
        read = usage["input_tokens"] + (usage.get("cache_read_input_tokens") or 0)
        assert call(box, client, "messages.count_tokens", **ask)["input_tokens"] == read
        return read

    assert tokens("It is 12:00. one two three four five") >= tokens("It is 12:00.") + 5


@each(ANTHROPIC)
@pytest.mark.proves("GET /v1/models/{id}", "a model in Anthropic's words", state="differs",
                    note="`capabilities` is a list, as for all clients")
def test_a_model_in_anthropics_words(box, client):
    model = call(box, client, "models.retrieve", REAL)
    assert (model["id"], model["type"], model["display_name"]) == (REAL, "model", REAL)
    made = model["created_at"]
    assert isinstance(made, datetime) or datetime.fromisoformat(made), "it is a date"
    assert "completion" in model["capabilities"]


def _kinds(box, client, **more):
    whole = call(box, client, "messages.create", model=THINKER, max_tokens=6,
                 messages=[{"role": "user", "content": "x"}], **more)
    return [block["type"] for block in whole["content"]]


@each(ANTHROPIC)
@pytest.mark.proves("chat", "thinking: enabled")
def test_a_model_thinks(box, client):
    """This model ends no thought: what it says is all of it."""
    assert _kinds(box, client, thinking={"type": "enabled", "budget_tokens": 1024}) == ["thinking"]


@each(ANTHROPIC)
@pytest.mark.proves("chat", "thinking: disabled", state="differs",
                    note="the stock engine lets a model think that can; say `chat_template_kwargs: "
                         "{\"enable_thinking\": false}`")
def test_a_model_thinks_all_the_same(box, client):
    assert _kinds(box, client, thinking={"type": "disabled"}) == ["thinking"]
    assert _kinds(box, client, chat_template_kwargs={"enable_thinking": False}) == ["text"]


@each(ANTHROPIC)
@pytest.mark.proves("chat", "stop sequences", state="differs",
                    note="`stop_sequence` names it, but the stock engine's `stop_reason` is "
                         "`end_turn`")
def test_a_stop_sequence(box, client):
    message = call(box, client, "messages.create", model=TALKER, max_tokens=60,
                   stop_sequences=["a", "e"], messages=[{"role": "user", "content": "x"}])
    assert message["stop_reason"] == "end_turn" and message["stop_sequence"] in ("a", "e")
    assert not set("ae") & set("".join(block["text"] for block in message["content"]))


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
        async with anthropic_python.client(box.connection(), anthropic.AsyncAnthropic) as sdk:
            async with sdk.messages.stream(
                    model=TALKER, max_tokens=10,
                    messages=[{"role": "user", "content": "x"}]) as stream:
                return [text async for text in stream.text_stream]

    assert len(asyncio.run(ask())) >= 8

"""What OpenAI's own clients have beyond chat."""

import json

import pydantic
import pytest

from box import CALLER, RANKER, REAL, TALKER, WORDS
from drivers import curl, openai_python
from drivers.answer import Ask, Refused, tool
from which import each

BOTH = ["openai (Python)", "openai (npm)"]
CITY = {"type": "object", "additionalProperties": False, "required": ["city"],
        "properties": {"city": {"enum": ["Paris", "Oslo"]}}}


def _is_node(client):
    return client.name.endswith("(npm)")


@each(BOTH)
@pytest.mark.proves("POST /v1/completions", "answer")
def test_a_completion(box, client):
    body = {"model": REAL, "prompt": "The capital of France is", "max_tokens": 5,
            "temperature": 0}
    if _is_node(client):
        answer = client.call("complete", box.connection(), body)
        text, used = answer["text"], answer["usage"]["completion_tokens"]
    else:
        whole = openai_python.client(box.connection()).completions.create(**body)
        text, used = whole.choices[0].text, whole.usage.completion_tokens
    assert text.strip()
    assert used == 5


@each(["openai (Python)"])
@pytest.mark.proves("POST /v1/completions", "streamed answer")
def test_a_streamed_completion(box, client):
    stream = openai_python.client(box.connection()).completions.create(
        model=TALKER, prompt="x", max_tokens=10, stream=True)
    chunks = list(stream)
    assert sum(bool(chunk.choices and chunk.choices[0].text) for chunk in chunks) >= 9
    assert chunks[-1].choices[0].finish_reason == "length"


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


@each(["openai (Python)"])
@pytest.mark.proves("chat", "a tool's answer goes back")
def test_a_tool_answers(box, client):
    sdk = openai_python.client(box.connection())
    clock = {"type": "function", "function": tool("clock", zone={"enum": ["UTC"]})}
    messages = [{"role": "user", "content": "What time is it?"}]
    first = sdk.chat.completions.create(model=CALLER, messages=messages, tools=[clock],
                                        tool_choice="required", max_tokens=100, temperature=0)
    message = first.choices[0].message
    messages += [message, {"role": "tool", "tool_call_id": message.tool_calls[0].id,
                           "content": "It is 12:00."}]
    second = sdk.chat.completions.create(model=CALLER, messages=messages, tools=[clock],
                                         tool_choice="none", max_tokens=8, temperature=0)
    assert second.usage.prompt_tokens > first.usage.prompt_tokens
    assert second.choices[0].message.tool_calls is None


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
    if _is_node(client):
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
        if _is_node(client):
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
    if _is_node(client):
        return client.call("respond", box.connection(), body)
    with openai_python.refusing():
        whole = openai_python.client(box.connection()).responses.create(**body)
    return {"text": whole.output_text, "finish": whole.status,
            "prompt_tokens": whole.usage.input_tokens,
            "completion_tokens": whole.usage.output_tokens,
            "tool_calls": [{"name": item.name, "arguments": json.loads(item.arguments)}
                           for item in whole.output if item.type == "function_call"]}


@each(["openai (Python)"])
@pytest.mark.proves("GET /v1/models/{id}", "one model")
def test_one_model(box, client):
    sdk = openai_python.client(box.connection())
    model = sdk.models.retrieve(REAL)
    assert (model.id, model.object) == (REAL, "model")
    assert isinstance(model.created, int) and model.owned_by
    with pytest.raises(Refused) as refused, openai_python.refusing():
        sdk.models.retrieve("nobody")
    assert (refused.value.kind, refused.value.status) == ("NotFoundError", 404)


@each(["openai (Python)"])
@pytest.mark.proves("embed", "base64, as the library asks for it")
def test_base64_embeddings(box, client):
    sdk = openai_python.client(box.connection())
    raw = sdk.embeddings.create(model=WORDS, input="a cat", encoding_format="base64")
    plain = sdk.embeddings.create(model=WORDS, input="a cat", encoding_format="float")
    assert isinstance(raw.data[0].embedding, str)
    assert client.embed(box.connection(), WORDS, ["a cat"])[0] == pytest.approx(
        plain.data[0].embedding, abs=1e-6)
    assert plain.usage.prompt_tokens > 0


@each(["openai (Python)"])
@pytest.mark.proves("embed", "by a chat model")
def test_embeddings_of_a_chat_model(box, client):
    vectors = client.embed(box.connection(), REAL, ["a cat", "a dog"])
    assert [len(vector) for vector in vectors] == [640, 640]


@pytest.mark.proves("POST /v1/rerank", "order and scores", client="curl")
def test_rerank(box):
    documents = ["the sea", "a cat sleeps", "42", "the sea"]
    body = {"model": RANKER, "query": "animals", "documents": documents}
    whole = curl.checked(box.connection(), "/v1/rerank", body)
    scores = {entry["index"]: entry["relevance_score"] for entry in whole["results"]}
    assert sorted(scores) == [0, 1, 2, 3]
    assert scores[0] == pytest.approx(scores[3], abs=1e-4)
    assert len({round(score, 3) for score in scores.values()}) == 3
    for index, document in enumerate(documents):
        alone = curl.checked(box.connection(), "/v1/rerank", {**body, "documents": [document]})
        assert alone["results"][0]["relevance_score"] == pytest.approx(scores[index], abs=1e-4)
    two = curl.checked(box.connection(), "/v1/rerank", {**body, "top_n": 2})
    assert len(two["results"]) == 2


@pytest.mark.proves("POST /v1/rerank", "a chat model is refused", client="curl")
def test_rerank_by_a_chat_model(box):
    printed = curl.run(box.connection(), "/v1/rerank",
                       body={"model": REAL, "query": "a", "documents": ["b"]})
    assert 400 <= printed.status < 600 and printed.json["error"]["message"]


@each(["openai (Python)"])
def test_a_schema_that_is_none(box, client):
    """The engine's own words reach the client."""
    ask = Ask(REAL, schema={"type": "no such type"})
    with pytest.raises(Refused) as refused:
        client.chat(box.connection(), ask)
    assert refused.value.status == 400

"""`anthropic` for Python."""

import contextlib
import inspect

import anthropic

from . import calls
from .answer import Answer, Refused

NAME = "anthropic (Python)"

REFUSALS = {"unknown model": "NotFoundError", "bad request": "BadRequestError",
            "wrong key": "AuthenticationError", "too long": "BadRequestError",
            "limit": "RateLimitError", "late": "APITimeoutError"}


@contextlib.contextmanager
def refusing():
    try:
        yield
    except anthropic.APIStatusError as error:
        body = error.body if isinstance(error.body, dict) else {}
        told = body.get("error", {})
        raise Refused(type(error).__name__, error.status_code, told.get("type"),
                      told.get("message", str(error))) from error
    except anthropic.APITimeoutError as error:
        raise Refused("APITimeoutError", message=str(error)) from error
    except anthropic.APIError as error:
        raise Refused(type(error).__name__, message=str(error)) from error


def body_of(ask):
    body = {"model": ask.model, "max_tokens": ask.max_tokens, "temperature": 0,
            "messages": [{"role": "user", "content": ask.prompt}]}
    if ask.system:
        body["system"] = ask.system
    if ask.tools:
        body["tools"] = [{"name": tool["name"], "description": tool["description"],
                          "input_schema": tool["parameters"]} for tool in ask.tools]
        body["tool_choice"] = {"type": "any" if ask.force_tool else "auto"}
    if ask.schema:
        body["output_config"] = {"format": {"type": "json_schema", "schema": ask.schema}}
    if ask.broken:
        body["messages"] = [{"role": "user"}]
    return body


def client(connection, make=anthropic.Anthropic):
    calls.note(NAME)
    return make(base_url=connection.url, api_key=connection.key, timeout=connection.timeout_s,
                max_retries=connection.retries)


def call(create, body, *words):
    """Fields that the library does not know, and those of a wrong type, go into extra_body."""
    known = inspect.signature(create).parameters
    extra = {key: value for key, value in body.items() if key not in known}
    plain = {key: value for key, value in body.items() if key in known}
    return create(*words, **plain, **({"extra_body": extra} if extra else {}))


def answer_of(message):
    calls = [{"name": block.name, "arguments": block.input}
             for block in message.content if block.type == "tool_use"]
    text = "".join(block.text for block in message.content if block.type == "text")
    return Answer(text, message.stop_reason, prompt_tokens(message.usage),
                  message.usage.output_tokens, calls, model=message.model, more=message)


def prompt_tokens(usage):
    """All of them: Anthropic's count leaves out what was in a cache."""
    return usage.input_tokens + (usage.cache_read_input_tokens or 0)


class AnthropicPython:
    name = NAME
    endpoints = {"chat": "POST /v1/messages", "list": "GET /v1/models"}
    refusals = REFUSALS

    def chat(self, connection, ask):
        with refusing():
            return answer_of(call(client(connection).messages.create, body_of(ask)))

    def stream(self, connection, ask):
        """With the library's own accumulator, which insists on the order of the events."""
        with refusing(), call(client(connection).messages.stream, body_of(ask)) as stream:
            events, pieces = [], 0
            for event in stream:
                pieces += event.type == "text"
                events.append(event.type)
            answer = answer_of(stream.get_final_message())
        answer.events, answer.pieces = events, pieces
        return answer

    def leave(self, connection, ask, pieces):
        with refusing(), call(client(connection).messages.stream, body_of(ask)) as stream:
            seen = 0
            for _ in stream.text_stream:
                seen += 1
                if seen == pieces:
                    break
            return seen

    def models(self, connection):
        with refusing():
            return [model.id for model in client(connection).models.list()]

    def count_tokens(self, connection, ask):
        with refusing():
            body = body_of(ask)
            return client(connection).messages.count_tokens(
                model=ask.model, messages=body["messages"],
                **({"system": ask.system} if ask.system else {})).input_tokens

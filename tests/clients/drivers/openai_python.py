"""`openai` for Python."""

import contextlib
import inspect
import json

import openai

from . import calls
from .answer import Answer, Refused

NAME = "openai (Python)"


@contextlib.contextmanager
def refusing():
    """Also for LangChain, which derives its errors from this library's."""
    try:
        yield
    except openai.APIStatusError as error:
        kind = next(one for one in type(error).__mro__ if one.__module__.startswith("openai"))
        raise Refused(kind.__name__, error.status_code, error.code, str(error),
                      [one.__name__ for one in type(error).__mro__]) from error
    except openai.APITimeoutError as error:
        raise Refused("APITimeoutError", message=str(error)) from error
    except openai.APIError as error:
        raise Refused(type(error).__name__, None, error.code, str(error)) from error


REFUSALS = {"unknown model": "NotFoundError", "bad request": "BadRequestError",
            "wrong key": "AuthenticationError", "too long": "BadRequestError",
            "limit": "RateLimitError", "late": "APITimeoutError"}


def body_of(ask):
    """The request as the API documents it; curl and the npm client send the same."""
    system = [{"role": "system", "content": ask.system}] if ask.system else []
    body = {"model": ask.model, "max_tokens": ask.max_tokens, "temperature": 0, "seed": 1,
            "messages": [*system, {"role": "user", "content": ask.prompt}]}
    if ask.tools:
        body["tools"] = [{"type": "function", "function": tool} for tool in ask.tools]
        body["tool_choice"] = "required" if ask.force_tool else "auto"
    if ask.schema:
        body["response_format"] = {"type": "json_schema", "json_schema": {
            "name": "answer", "strict": True, "schema": ask.schema}}
    if ask.broken:
        body["messages"] = [{"role": "user", "content": [{"type": "no such part"}]}]
    return body


def client(connection):
    calls.note(NAME)
    return openai.OpenAI(base_url=f"{connection.url}/v1", api_key=connection.key,
                         timeout=connection.timeout_s, max_retries=connection.retries)


def call(create, body, *words):
    """Fields that the library does not know travel as it recommends, in extra_body."""
    known = inspect.signature(create).parameters
    extra = {key: value for key, value in body.items() if key not in known}
    plain = {key: value for key, value in body.items() if key in known}
    return create(*words, **plain, **({"extra_body": extra} if extra else {}))


def answer_of(completion):
    choice, = completion.choices
    calls = [{"name": call.function.name, "arguments": json.loads(call.function.arguments)}
             for call in choice.message.tool_calls or []]
    return Answer(choice.message.content or "", choice.finish_reason,
                  completion.usage.prompt_tokens, completion.usage.completion_tokens, calls,
                  model=completion.model, more=completion)


class OpenAIPython:
    name = NAME
    endpoints = {"chat": "POST /v1/chat/completions", "embed": "POST /v1/embeddings",
                 "list": "GET /v1/models"}
    refusals = REFUSALS

    def chat(self, connection, ask):
        with refusing():
            return answer_of(call(client(connection).chat.completions.create, body_of(ask)))

    def stream(self, connection, ask):
        body = {**body_of(ask), "stream": True, "stream_options": {"include_usage": True}}
        with refusing():
            return collect(call(client(connection).chat.completions.create, body))

    def leave(self, connection, ask, pieces):
        body = {**body_of(ask), "stream": True}
        with refusing():
            stream = call(client(connection).chat.completions.create, body)
            seen = 0
            for chunk in stream:
                seen += bool(chunk.choices and chunk.choices[0].delta.content)
                if seen == pieces:
                    break
            stream.close()
            return seen

    def embed(self, connection, model, texts):
        with refusing():
            result = client(connection).embeddings.create(model=model, input=texts)
            return [entry.embedding for entry in sorted(result.data, key=lambda one: one.index)]

    def models(self, connection):
        with refusing():
            return [model.id for model in client(connection).models.list()]


def collect(stream):
    """A stream's chunks, put together as the library's users do."""
    answer, calls = Answer(), {}
    for chunk in stream:
        answer.model = chunk.model
        if chunk.usage:
            answer.prompt_tokens = chunk.usage.prompt_tokens
            answer.completion_tokens = chunk.usage.completion_tokens
        for choice in chunk.choices:
            answer.finish = choice.finish_reason or answer.finish
            if choice.delta.content:
                answer.text += choice.delta.content
                answer.pieces += 1
            for part in choice.delta.tool_calls or []:
                call_so_far = calls.setdefault(part.index, {"name": "", "arguments": ""})
                call_so_far["name"] += part.function.name or ""
                call_so_far["arguments"] += part.function.arguments or ""
    answer.tool_calls = [{**call, "arguments": json.loads(call["arguments"])}
                         for _, call in sorted(calls.items())]
    return answer

"""`ollama` for Python."""

import contextlib

import httpx
import ollama

from . import calls
from .answer import Answer, Refused

NAME = "ollama (Python)"

REFUSALS = {"unknown model": "ResponseError", "bad request": "ResponseError",
            "wrong key": "ResponseError", "too long": "ResponseError", "limit": "ResponseError",
            "late": "ReadTimeout"}


@contextlib.contextmanager
def refusing():
    """Also for LangChain, which lets this library's errors through."""
    try:
        yield
    except ollama.ResponseError as error:
        raise Refused("ResponseError", error.status_code, None, error.error) from error
    except httpx.ReadTimeout as error:
        raise Refused("ReadTimeout", message=str(error)) from error


def body_of(ask):
    system = [{"role": "system", "content": ask.system}] if ask.system else []
    body = {"model": ask.model,
            "messages": [*system, {"role": "user", "content": ask.prompt}],
            "options": {"temperature": 0, "seed": 1, "num_predict": ask.max_tokens}}
    if ask.tools:
        body["tools"] = [{"type": "function", "function": tool} for tool in ask.tools]
    if ask.schema:
        body["format"] = ask.schema
    if ask.broken:
        body["options"]["temperature"] = "warm"
    return body


def client(connection):
    calls.note(NAME)
    headers = {"Authorization": f"Bearer {connection.key}"} if connection.key else {}
    return ollama.Client(host=connection.url, timeout=connection.timeout_s, headers=headers)


def call(method, body, *words):
    return method(*words, **body)


def take(answer, part):
    """Adds one object of the answer to what came before."""
    answer.text += part.message.content or ""
    answer.pieces += bool(part.message.content)
    answer.tool_calls += [{"name": call.function.name, "arguments": dict(call.function.arguments)}
                          for call in part.message.tool_calls or []]
    answer.model = part.model
    if part.done:
        answer.finish = part.done_reason
        answer.prompt_tokens, answer.completion_tokens = part.prompt_eval_count, part.eval_count
        answer.more = part


class OllamaPython:
    name = NAME
    endpoints = {"chat": "POST /api/chat", "embed": "POST /api/embed", "list": "GET /api/tags"}
    refusals = REFUSALS

    def chat(self, connection, ask):
        answer = Answer()
        with refusing():
            take(answer, client(connection).chat(**body_of(ask)))
        return answer

    def stream(self, connection, ask):
        answer = Answer()
        with refusing():
            for part in client(connection).chat(**body_of(ask), stream=True):
                take(answer, part)
        return answer

    def leave(self, connection, ask, pieces):
        with refusing():
            stream = client(connection).chat(**body_of(ask), stream=True)
            seen = 0
            for part in stream:
                seen += bool(part.message.content)
                if seen == pieces:
                    break
            stream.close()
            return seen

    def embed(self, connection, model, texts):
        with refusing():
            result = client(connection).embed(model=model, input=texts)
            return [list(vector) for vector in result.embeddings]

    def models(self, connection):
        with refusing():
            return [model.model for model in client(connection).list().models]

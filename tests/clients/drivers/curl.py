"""curl, as a script uses it: OpenAI's API, and any path by itself."""

import json
import subprocess
import tempfile
from typing import NamedTuple

from . import calls, openai_python
from .answer import Answer, Refused

NAME = "curl"


class Printed(NamedTuple):
    """What one run of curl left behind."""

    exit_status: int
    status: int
    output: bytes  # with `-i`: the head, too

    @property
    def json(self):
        return json.loads(self.output)


def arguments(connection, path, *options, body=None):
    calls.note(NAME)
    command = ["curl", "--silent", "--show-error", "--max-time", str(connection.timeout_s),
               "--retry", str(connection.retries), *options]
    if connection.key:
        command += ["--header", f"Authorization: Bearer {connection.key}"]
    if body is not None:
        command += ["--header", "Content-Type: application/json", "--data-binary", "@-"]
    return [*command, connection.url + path]


def run(connection, path, *options, body=None):
    """--data comes from standard input, so that no length of a command line limits it."""
    done = subprocess.run(
        arguments(connection, path, "--write-out", "\n%{http_code}", *options, body=body),
        input=json.dumps(body).encode() if body is not None else None,
        capture_output=True, timeout=150, check=False)
    output, status = done.stdout.rsplit(b"\n", 1)
    return Printed(done.returncode, int(status), output)


def checked(connection, path, body=None):
    """With --fail-with-body: a refusal is exit status 22, and says why. Into a file: what was
    refused before curl came again would stand before the answer else."""
    with tempfile.NamedTemporaryFile() as file:
        printed = run(connection, path, "--fail-with-body", "--output", file.name, body=body)
        printed = printed._replace(output=file.read())
    if printed.exit_status == 28:
        raise Refused("exit status 28", message="curl ran out of time")
    if printed.exit_status != 0:
        error = printed.json["error"] if printed.output else {}
        raise Refused(f"exit status {printed.exit_status}", printed.status, error.get("code"),
                      error.get("message", ""))
    return printed.json


class Curl:
    name = NAME
    endpoints = openai_python.OpenAIPython.endpoints
    refusals = {name: "exit status 22" for name in openai_python.REFUSALS}

    def chat(self, connection, ask):
        whole = checked(connection, "/v1/chat/completions", openai_python.body_of(ask))
        choice, = whole["choices"]
        calls = [{"name": call["function"]["name"],
                  "arguments": json.loads(call["function"]["arguments"])}
                 for call in choice["message"].get("tool_calls", [])]
        return Answer(choice["message"]["content"] or "", choice["finish_reason"],
                      whole["usage"]["prompt_tokens"], whole["usage"]["completion_tokens"],
                      calls, model=whole["model"])

    def stream(self, connection, ask):
        body = {**openai_python.body_of(ask), "stream": True,
                "stream_options": {"include_usage": True}}
        printed = run(connection, "/v1/chat/completions", "--no-buffer", body=body)
        assert printed.status == 200, printed
        events = [line[len("data: "):] for line in printed.output.decode().split("\n")
                  if line.startswith("data: ")]
        if error := json.loads(events[-1]).get("error") if events[-1] != "[DONE]" else None:
            raise Refused(f"exit status {printed.exit_status}", None, error.get("code"),
                          error["message"])
        assert printed.exit_status == 0 and events.pop() == "[DONE]", printed
        answer, calls = Answer(), {}
        for chunk in map(json.loads, events):
            answer.model = chunk["model"]
            if usage := chunk.get("usage"):
                answer.prompt_tokens = usage["prompt_tokens"]
                answer.completion_tokens = usage["completion_tokens"]
            for choice in chunk["choices"]:
                answer.finish = choice["finish_reason"] or answer.finish
                if text := choice["delta"].get("content"):
                    answer.text += text
                    answer.pieces += 1
                for part in choice["delta"].get("tool_calls", []):
                    call = calls.setdefault(part["index"], {"name": "", "arguments": ""})
                    for field in call:
                        call[field] += part["function"].get(field, "")
        answer.tool_calls = [{**call, "arguments": json.loads(call["arguments"])}
                             for call in calls.values()]
        return answer

    def leave(self, connection, ask, pieces):
        body = {**openai_python.body_of(ask), "stream": True}
        process = subprocess.Popen(
            arguments(connection, "/v1/chat/completions", "--no-buffer", body=body),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with process:
            process.stdin.write(json.dumps(body).encode())
            process.stdin.close()
            seen = 0
            while seen < pieces:
                line = process.stdout.readline()
                assert line, "the stream ended by itself"
                seen += b'"content":"' in line
            process.terminate()
        return seen

    def embed(self, connection, model, texts):
        whole = checked(connection, "/v1/embeddings", {"model": model, "input": texts})
        return [entry["embedding"] for entry in whole["data"]]

    def models(self, connection):
        return [model["id"] for model in checked(connection, "/v1/models")["data"]]

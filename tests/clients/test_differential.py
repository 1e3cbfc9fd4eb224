"""The same greedy request through each API and to the engine itself: the same text and counts.

One slot, and another text before each request, so that what the slot remembers is always the same:
an engine rounds differently when it computes a part of a prompt only.
"""

import dataclasses
import http.client
import json
import socket

import pytest

from box import REAL, TALKER, WORDS, place_real_model
from drivers import ollama_python, openai_python
from drivers.answer import Ask, Connection
from harness import processes
from harness.server import Server
from which import each

N = 8
ASKS = [Ask(REAL, max_tokens=N), Ask(REAL, "1, 2, 3, 4,", "Go on.", max_tokens=N),
        Ask(REAL, "Zwölf Boxkämpfer: 一二三, 🐎", max_tokens=N)]
TEXTS = [ask.prompt for ask in ASKS]
DIALECTS = ["openai (Python)", "anthropic (Python)", "ollama (Python)"]


@pytest.fixture(scope="module")
def engine():
    engine = Alone()
    try:
        yield engine
        engine.server.stop()
    finally:
        engine.server.dispose()


class Alone:
    """A server with one slot, and its engine process, asked behind its back."""

    def __init__(self):
        self.server = Server({WORDS: "embedding", TALKER: "tiny-1"}, {
            f'models."{REAL}"': {"context": 512, "parallel": 1},
            f'models."{TALKER}"': {"context": 512, "parallel": 1}})
        place_real_model(self.server.models_dir)
        self.server.start()
        self.server.load(REAL, TALKER, WORDS)
        self.connection = Connection(f"http://127.0.0.1:{self.server.port}", "none needed")
        self._known = {}

    def ask(self, path, body, model=REAL):
        """The engine's own answer."""
        line = processes.command_line(self.server.child_of(model))
        connection = http.client.HTTPConnection("localhost", timeout=100)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(line[line.index("--host") + 1])
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        told = json.load(answer)
        connection.close()
        assert answer.status == 200, told
        return told

    def forget(self, model=REAL):
        """The slot remembers this text instead of the one before."""
        body = {"prompt": "Xylophone quartz", "n_predict": 1, "temperature": 0}
        self.ask("/completion", body, model)

    def once(self, question, asked):
        """question(asked), or what it was before: test_the_engine_repeats_itself."""
        key = question.__name__, repr(asked)
        if key not in self._known:
            self._known[key] = question(asked)
        return self._known[key]

    def chat(self, ask):
        self.forget(ask.model)
        whole = self.ask("/v1/chat/completions", openai_python.body_of(ask), ask.model)
        return (whole["choices"][0]["message"]["content"], whole["usage"]["prompt_tokens"],
                whole["usage"]["completion_tokens"])

    def complete(self, text):
        self.forget()
        whole = self.ask("/v1/completions", {"prompt": text, "max_tokens": N, "temperature": 0})
        return (whole["choices"][0]["text"], whole["usage"]["prompt_tokens"],
                whole["usage"]["completion_tokens"])

    def embed(self, texts):
        whole = self.ask("/v1/embeddings", {"input": texts}, WORDS)
        return [entry["embedding"] for entry in whole["data"]]


def _told(answer):
    return answer.text, answer.prompt_tokens, answer.completion_tokens


def test_the_engine_repeats_itself(engine):
    """What the other tests rest on."""
    answers = [engine.once(engine.chat, ask) for ask in ASKS]
    assert all(text and tokens > 0 for text, _, tokens in answers)
    assert len({text for text, _, _ in answers}) == len(ASKS), "these are different answers"
    for ask, answer in zip(ASKS, answers):
        assert engine.chat(ask) == answer
        assert engine.complete(ask.prompt) == engine.once(engine.complete, ask.prompt)


@each(DIALECTS)
@pytest.mark.parametrize("way", ["chat", "stream"])
@pytest.mark.proves("chat", "greedy text and token counts are the engine's")
def test_a_chat_is_the_engines(engine, client, way):
    for ask in ASKS:
        expected = engine.once(engine.chat, ask)
        engine.forget()
        assert _told(getattr(client, way)(engine.connection, ask)) == expected


@each(["openai (Python)"])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.proves("POST /v1/completions", "greedy text and token counts are the engine's")
def test_a_completion_is_the_engines(engine, client, streamed):
    sdk = openai_python.client(engine.connection)
    for text in TEXTS:
        expected = engine.once(engine.complete, text)
        engine.forget()
        body = {"model": REAL, "prompt": text, "max_tokens": N, "temperature": 0}
        if streamed:
            chunks = list(sdk.completions.create(
                **body, stream=True, stream_options={"include_usage": True}))
            got = "".join(chunk.choices[0].text for chunk in chunks if chunk.choices)
            usage = next(chunk.usage for chunk in chunks if chunk.usage)
        else:
            whole = sdk.completions.create(**body)
            got, usage = whole.choices[0].text, whole.usage
        assert (got, usage.prompt_tokens, usage.completion_tokens) == expected


@each(["openai (Python)"])
@pytest.mark.proves("POST /v1/responses", "greedy text and token counts are the engine's")
def test_a_response_is_the_engines(engine, client):
    sdk = openai_python.client(engine.connection)
    for ask in ASKS:
        expected = engine.once(engine.chat, ask)
        engine.forget()
        whole = sdk.responses.create(
            model=REAL, input=ask.prompt, max_output_tokens=N, temperature=0,
            **({"instructions": ask.system} if ask.system else {}))
        assert (whole.output_text, whole.usage.input_tokens,
                whole.usage.output_tokens) == expected


@each(["ollama (Python)"])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.proves("POST /api/generate", "greedy text and token counts are the engine's")
def test_a_generated_text_is_the_engines(engine, client, streamed):
    """The real model has no template of its own: its prompt is taken as it is, raw or not. The
    other one's is a conversation of one message."""
    sdk = ollama_python.client(engine.connection)
    for ask in ASKS:
        for raw, model in ((True, REAL), (False, REAL), (False, TALKER)):
            asked = dataclasses.replace(ask, model=model, system=None)
            expected = (engine.once(engine.chat, asked) if model == TALKER else
                        engine.once(engine.complete, ask.prompt))
            engine.forget(model)
            body = {"model": model, "prompt": ask.prompt, "raw": raw, "stream": streamed,
                    "options": {"temperature": 0, "seed": 1, "num_predict": N}}
            parts = list(sdk.generate(**body)) if streamed else [sdk.generate(**body)]
            got = "".join(part.response for part in parts)
            assert (got, parts[-1].prompt_eval_count, parts[-1].eval_count) == expected


@each(["openai (Python)", "ollama (Python)"])
@pytest.mark.proves("embed", "vectors are the engine's")
def test_vectors_are_the_engines(engine, client):
    expected = engine.embed(TEXTS)
    for vector, same in zip(client.embed(engine.connection, WORDS, TEXTS), expected, strict=True):
        assert vector == pytest.approx(same, abs=1e-6)


@each(["ollama (Python)"])
@pytest.mark.proves("POST /api/embeddings", "vectors are the engine's")
def test_a_vector_of_the_older_path_is_the_engines(engine, client):
    sdk = ollama_python.client(engine.connection)
    for text, same in zip(TEXTS, engine.embed(TEXTS), strict=True):
        answer = sdk.embeddings(model=WORDS, prompt=text)
        # Ollama's own older path does not scale its vectors to length 1; ours may.
        assert list(answer.embedding) == pytest.approx(same, abs=1e-6)

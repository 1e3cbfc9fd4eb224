"""Files and settings that cannot be served: a typed answer at once, in the caller's dialect, while
somebody else's answer goes on. Nobody is unloaded for what cannot be loaded."""

import os
import re

import pytest

from harness import models, processes
from harness.prompts import chat, count, count_text
from harness.server import CHAT
from harness.waiting import wait_until

MESSAGES = "/v1/messages"
ANSWER = 150  # long enough that it runs while everything is tried


def place_parts(server, name, recipe_arguments=("--size", "tiny"), parts=2):
    """A split model; the engine's naming."""
    paths = []
    for part in range(1, parts + 1):
        path = server.models_dir / f"{name}-{part:05}-of-{parts:05}.gguf"
        models.generate(path, *recipe_arguments, "--parts", str(parts), "--part", str(part))
        paths.append(path)
    return paths


def refused(server, model, path=CHAT):
    """The refusal of a request for it, which is final and names nothing of ours."""
    answer = server.post(path, chat(model))
    assert answer.status == 422, answer
    assert "retry-after" not in answer.headers, "trying again cannot help"
    for secret in (str(server.folder), ".gguf", "llama-server", "--"):
        assert secret not in answer.body.decode(), answer
    assert answer.headers["x-request-id"]
    return answer


class Undisturbed:
    """Model a answers somebody while the block runs: the answer is whole, its process the same,
    and nobody was told to go."""

    def __init__(self, server):
        self._server = server

    def __enter__(self):
        self._stream = self._server.stream(count("a", ANSWER)).wait_for_tokens()
        self._child = self._server.child_of("a")
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            return
        assert self._stream.end is None, "the answer ended too soon for this test"
        self._stream.finish()
        assert (self._stream.end, self._stream.text) == ("complete", count_text(ANSWER))
        assert self._server.child_of("a") == self._child
        assert self._server.journal("stop_signal") == []
        assert self._server.journal("gate") == []
        assert {line["model"] for line in self._server.journal("spawn")} == {"a"}


def test_each_fault_is_named_in_both_dialects(serve, bytes_of):
    budget = int(bytes_of("slow-1") * 1.5)
    server = serve({"a": "slow-1", "large": "middle-1", "long": "slow-2", "cut": "truncated",
                    "foreign": "bad-magic", "beyond": "bad-offset"},
                   {"memory": {"budget": budget}}, started=False)
    server.settings['models."long"'] = {"context": 1_000_000}
    server.settings['models."missing"'] = {"path": server.models_dir / "nowhere.gguf"}
    place_parts(server, "halved")[1].unlink()
    server.start()
    damaged = "the model's file is damaged or incomplete"
    broken = {"cut": damaged, "beyond": damaged, "foreign": "the model's file is",
              "missing": "the model's file is missing",
              "halved-00001-of-00002": "part 2 of 2 of the model is missing or damaged"}
    with Undisturbed(server):
        for name, cause in broken.items():
            error = refused(server, name).error
            assert (error["type"], error["code"]) == ("invalid_request_error", "model_broken")
            assert error["param"] == "model" and cause in error["message"], error
            told = refused(server, name, MESSAGES).json
            assert told["type"] == "error" and told["error"]["type"] == "invalid_request_error"
            assert told["error"]["code"] == "model_broken" and cause in told["error"]["message"]
        for name, context in (("large", 8192), ("long", 1_000_000)):
            error = refused(server, name).error
            assert (error["type"], error["code"]) == ("invalid_request_error", "never_fits")
            assert error["needed_bytes"] > error["available_bytes"] == budget
            assert re.search(r"needs \d[\d.]* [KMG]iB, and at most \d[\d.]* [KMG]iB can be given",
                             error["message"]), error
            assert f"context = {context} and parallel = 2" in error["hint"], error
            assert re.search(r"raise memory.budget \(now \d[\d.]* [KMG]iB\)", error["hint"]), error
            told = refused(server, name, MESSAGES).json["error"]
            assert (told["code"], told["hint"]) == ("never_fits", error["hint"])
        shown = {model["name"]: model for model in server.get("/api/v1/models").json["models"]}
        for name, cause in broken.items():
            assert cause in shown[name]["problem"], shown[name]
    # What is in the way is said as well.
    assert server.post("/api/v1/models/a/pin").status == 200
    models.place("slow-3", server.models_dir, "other")
    wait_until(lambda: server.get("/api/v1/models").json["models"][-1]["name"] and
               "other" in server.get("/v1/models").body.decode(), "the new model is listed")
    assert "are pinned)" in refused(server, "other").error["hint"]
    server.stop()


def test_more_context_than_trained_is_a_warning(serve):
    server = serve({"a": "slow-1", "b": "tiny-1"}, started=False)
    server.settings['models."b"'] = {"context": 16384}  # trained for 4096
    server.start()
    server.wait_for_line("model b: context = 16384 is more than the 4096 tokens that it was "
                         "trained for")
    # What the warning says of the engine: it ends the answer there.
    answer = server.chat(chat("b", max_tokens=6000))
    assert answer.status == 200
    assert answer.json["usage"]["total_tokens"] <= 4096 + 1, answer.json["usage"]
    assert sum("is more than the" in line for line in server.lines) == 1
    server.stop()


@pytest.mark.parametrize("loaded", [False, True], ids=["absent", "loaded"])
def test_a_part_that_vanishes_and_comes_back(serve, loaded):
    server = serve({"a": "slow-1"}, started=False)
    part = place_parts(server, "split")[1]
    server.start()
    name = "split-00001-of-00002"
    server.load("a")
    if loaded:
        assert server.chat(chat(name)).status == 200
    child = server.child_of(name)
    running = server.stream(count("a", ANSWER)).wait_for_tokens()
    part.rename(server.folder / "away")
    server.wait_for_line(f"model {name} cannot be served")
    if loaded:
        # Its process has read all of it, and goes on.
        assert server.chat(chat(name)).status == 200
        assert server.child_of(name) == child
    else:
        assert "part 2 of 2" in refused(server, name).error["message"]
    (server.folder / "away").rename(part)
    server.wait_for_line(f"model {name} can be served again")
    assert server.chat(chat(name)).status == 200
    assert not loaded or server.child_of(name) == child, "nothing had changed"
    assert (running.finish().end, running.text) == ("complete", count_text(ANSWER))
    assert server.journal("stop_signal") == []
    server.stop()


def replace(server, name, recipe):
    """Another file under the same name, at once, as a download that is complete does it."""
    part = models.place(recipe, server.folder, "part")
    os.rename(part, server.models_dir / f"{name}.gguf")


def test_a_file_replaced_while_idle(serve):
    server = serve({"a": "slow-1", "b": "tiny-1"})
    server.load("a", "b")
    old = server.child_of("b")
    with_old = server.chat(chat("b", max_tokens=12)).json["choices"][0]["message"]["content"]
    running = server.stream(count("a", ANSWER)).wait_for_tokens()
    replace(server, "b", "tiny-2")
    server.wait_for_line("the file of model b was replaced")
    answer = server.chat(chat("b", max_tokens=12))
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"] != with_old
    assert server.child_of("b") not in (None, old)
    assert (running.finish().end, running.text) == ("complete", count_text(ANSWER))
    stops = server.journal("stop_signal")
    assert [(line["model"], line["why"]) for line in stops] == [("b", "spec_changed")]
    server.stop()


def test_a_file_replaced_while_it_loads(serve):
    server = serve({"a": "slow-1", "b": "slow-1"})
    running = server.stream(count("a", ANSWER)).wait_for_tokens()
    first, child = server.begin_frozen_load("b")
    replace(server, "b", "tiny-2")
    server.wait_for_line("the file of model b was replaced")
    assert server.health()["loading_models"] == ["b"], "a load is not interrupted"
    processes.thaw(child)
    assert (first.finish().status, first.end) == (200, "complete")
    assert server.chat(chat("b")).status == 200
    assert [line["pid"] for line in server.journal("spawn", model="b")][0] == child
    assert server.child_of("b") not in (None, child)
    assert (running.finish().end, running.text) == ("complete", count_text(ANSWER))
    assert {line["model"] for line in server.journal("stop_signal")} == {"b"}
    server.stop()


def test_a_file_replaced_by_a_broken_one_while_busy(serve):
    server = serve({"a": "slow-1"})
    running = server.stream(count("a", ANSWER)).wait_for_tokens()
    child = server.child_of("a")
    replace(server, "a", "truncated")
    server.wait_for_line("model a cannot be served")
    assert server.chat(chat("a")).status == 200, "its process holds the old file"
    assert (running.finish().end, running.text) == ("complete", count_text(ANSWER))
    assert server.child_of("a") == child
    assert server.post("/api/v1/models/a/unload").status == 200
    wait_until(lambda: server.cached("a") is None, "a is gone")
    assert refused(server, "a").error["code"] == "model_broken"
    replace(server, "a", "slow-2")
    assert server.chat(chat("a")).status == 200
    server.stop()

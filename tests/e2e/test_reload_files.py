"""Files that are not what they should be, in a running server: its configuration, its folder of
models, a model's own file."""

import json
import os
import signal

from harness import stub
from harness.prompts import chat
from harness.waiting import wait_until

TWO = {"a": "tiny-1", "b": "tiny-2"}


def problem_of(server, name):
    models = server.get("/api/v1/models").json["models"]
    return next(m for m in models if m["name"] == name).get("problem")


def test_a_pipe_as_configuration_does_not_stop_the_server(serve):
    server = serve(TWO, stub.settings())
    server.config_path.unlink()
    os.mkfifo(server.config_path)
    os.kill(server.process.pid, signal.SIGHUP)
    server.wait_for_line("was not applied.*holdfast.toml: is not a regular file")
    refused = server.post("/api/v1/reload")
    assert (refused.status, refused.error["code"]) == (422, "config_invalid")
    assert server.chat(chat("a")).status == 200
    server.stop()


def test_another_folder_that_cannot_be_read_is_refused(serve):
    server = serve(TWO, stub.settings())
    server.load("a")
    child = server.child_of("a")
    server.settings[""]["models_dir"] = server.folder / "missing"
    server.write_config()
    refused = server.post("/api/v1/reload")
    assert (refused.status, refused.error["code"]) == (422, "config_invalid")
    assert refused.error["message"] == "holdfast.toml: models_dir: cannot be read"
    assert server.child_of("a") == child and server.chat(chat("b")).status == 200
    assert server.journal("reload") == [] and server.journal("gate") == []
    server.stop()


def test_a_file_that_was_away_for_a_while_stops_nobody(serve):
    server = serve(TWO, stub.settings(), started=False)
    file = server.folder / "x.gguf"
    os.link(server.models_dir / "a.gguf", file)
    server.settings['models."x"']["path"] = file
    server.start()
    server.load("x")
    file.rename(server.folder / "away")
    wait_until(lambda: problem_of(server, "x"), "x's file is missing")
    (server.folder / "away").rename(file)
    wait_until(lambda: not problem_of(server, "x"), "x's file is back")
    assert server.chat(chat("x")).status == 200
    assert len(server.journal("spawn")) == 1 and server.journal("gate") == []

    # Another one in its place does.
    os.link(server.models_dir / "b.gguf", server.folder / "other")
    (server.folder / "other").replace(file)
    wait_until(lambda: server.journal("stop_signal", model="x"), "x is replaced")
    assert server.journal("stop_signal")[0]["why"] == "spec_changed"
    server.stop()


def test_who_waits_for_a_file_that_breaks_is_told_the_cause_and_the_wait(serve, room_for):
    server = serve(TWO, stub.settings(**room_for(1, "tiny-1"), queue={"patience": "1000s"}))
    gate = server.folder / "gate"
    running = stub.held(server, "a", gate)
    waiting = server.stream(chat("b"))
    server.wait_active({"a": 1, "b": 1})
    broken = server.folder / "broken"
    broken.write_bytes(b"GGUF but no model")
    broken.replace(server.models_dir / "b.gguf")
    waiting.finish()
    assert waiting.status == 422
    assert waiting.headers["x-holdfast-position"] == "1"
    assert int(waiting.headers["x-holdfast-waited-ms"]) > 0
    refused = server.chat(chat("b"))
    assert refused.error["code"] == "model_broken"
    told = json.loads(waiting.body)["error"]
    assert told["message"] == refused.error["message"], "the cause is in both"
    gate.touch()
    assert running.finish().end == "complete"
    server.stop()

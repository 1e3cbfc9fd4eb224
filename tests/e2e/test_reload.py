"""T8 of the peers' tests: the configuration is read again while people use the models. Nobody's
answer is cut for it, and a file with a mistake changes nothing."""

import json
import os
import re
import signal

import pytest

from harness import models, processes
from harness.prompts import chat, count, count_text, endless
from harness.waiting import wait_until

TWO = {"a": "slow-1", "b": "slow-2"}
NOTHING = {"changed": {"models": {"added": [], "removed": [], "restarted": [], "changed": []},
                       "settings": []},
           "restart_needed": []}


def reload_by_request(server):
    answer = server.post("/api/v1/reload")
    assert answer.status == 200, answer
    return answer.json


def reload_by_command(server):
    run = server.cli("reload", "--json")
    assert run.returncode == 0, run
    return json.loads(run.stdout)


def reload_by_signal(server):
    os.kill(server.process.pid, signal.SIGHUP)


def set_context(server, model, context):
    server.settings[f'models."{model}"']["context"] = context
    server.write_config()


def shown_context(server, model):
    listed = server.get("/api/v1/models").json["models"]
    return next(entry["context"] for entry in listed if entry["name"] == model)


def context_of_child(pid):
    line = processes.command_line(pid)
    return int(line[line.index("--ctx-size") + 1])


def named(report):
    """All models that the report speaks of."""
    return {name for names in report["changed"]["models"].values() for name in names}


@pytest.mark.parametrize("way", [reload_by_request, reload_by_command, reload_by_signal])
def test_t08_other_settings_of_another_model(serve, way):
    server = serve(TWO)
    server.load("b")
    stream = server.stream(count("a", 200)).wait_for_tokens()
    child = server.child_of("a")
    set_context(server, "b", 4096)
    report = way(server)
    wait_until(lambda: shown_context(server, "b") == 4096, "b's settings are the new ones")
    assert report is None or named(report) == {"b"}, report
    assert stream.end is None, "too fast for this test"
    assert server.chat(count("b", 5)).json["choices"][0]["message"]["content"] == count_text(5)
    assert context_of_child(server.child_of("b")) == 2 * 4096
    stream.finish()
    assert (stream.end, stream.text, stream.done) == ("complete", count_text(200), True)
    assert server.child_of("a") == child
    assert server.journal("gate", "stop_signal", model="a") == []
    assert shown_context(server, "a") == 8192
    server.stop()


@pytest.mark.parametrize("way", [reload_by_request, reload_by_command, reload_by_signal])
def test_t08_other_settings_of_a_model_in_use(serve, way):
    server = serve(TWO)
    stream = server.stream(count("a", 200)).wait_for_tokens()
    child = server.child_of("a")
    set_context(server, "a", 4096)
    report = way(server)
    wait_until(lambda: server.cached("a")["state"] == "gated", "a's gate is shut")
    assert report is None or report["changed"]["models"]["restarted"] == ["a"], report
    assert report is None or named(report) == {"a"}, report
    behind = server.stream(count("a", 5))
    assert stream.end is None, "too fast for this test"
    assert server.child_of("a") == child
    stream.finish()
    assert (stream.end, stream.text, stream.done) == ("complete", count_text(200), True)
    assert behind.finish().text == count_text(5)
    assert server.child_of("a") != child
    assert context_of_child(server.child_of("a")) == 2 * 4096
    assert [line["leases"] for line in server.journal("stop_signal")] == [0]
    server.stop()


def test_a_model_that_left_the_file_goes_when_its_answers_have_ended(serve):
    server = serve(TWO, started=False)
    file = models.place("slow-3", server.folder / "elsewhere", "x")
    server.settings['models."extra"'] = {"path": file}
    server.start()
    stream = server.stream(count("extra", 200)).wait_for_tokens()
    [child] = server.children()
    del server.settings['models."extra"']
    server.write_config()
    report = reload_by_request(server)
    assert report["changed"]["models"] == {**NOTHING["changed"]["models"], "removed": ["extra"]}
    assert stream.end is None, "too fast for this test"
    assert processes.is_alive(child)
    stream.finish()
    assert (stream.end, stream.text, stream.done) == ("complete", count_text(200), True)
    wait_until(lambda: not server.children(), "its child has ended")
    answer = server.chat(chat("extra"))
    assert (answer.status, answer.error["code"]) == (404, "model_not_found")
    assert server.chat(chat("a")).status == 200

    # It comes back as it went.
    server.settings['models."extra"'] = {"path": file}
    server.write_config()
    assert reload_by_request(server)["changed"]["models"]["added"] == ["extra"]
    assert server.chat(chat("extra")).status == 200
    server.stop()


def test_a_file_with_a_mistake_changes_nothing(serve):
    server = serve(TWO)
    stream = server.stream(count("a", 200)).wait_for_tokens()
    child = server.child_of("a")
    set_context(server, "a", 4096)
    good = server.config_path.read_text()
    line = len(good.splitlines()) + 3
    server.config_path.write_text(good + "\n[log]\nlevle = \"info\"\n")
    place = re.compile(rf"(?<![\w/])holdfast\.toml:{line}:\d+: ")

    answer = server.post("/api/v1/reload")
    assert answer.status == 422, answer
    assert place.search(answer.error["message"]), answer.error
    assert str(server.folder) not in answer.body.decode()
    assert answer.error["type"] and answer.error["code"]
    run = server.cli("reload")
    assert run.returncode == 1 and place.search(run.stderr), run
    begun = len(server.lines)
    reload_by_signal(server)
    server.wait_for_line(rf"holdfast\.toml:{line}:\d+", after=begun)

    assert stream.end is None, "too fast for this test"
    assert stream.finish().text == count_text(200)
    assert shown_context(server, "a") == 8192
    assert server.chat(chat("a")).status == 200
    assert server.child_of("a") == child
    assert server.journal("gate", "stop_signal") == []

    # Mended, it holds.
    server.config_path.write_text(good)
    assert reload_by_request(server)["changed"]["models"]["restarted"] == ["a"]
    assert server.chat(chat("a")).status == 200
    assert context_of_child(server.child_of("a")) == 2 * 4096
    server.stop()


def test_a_larger_budget_serves_who_waits(serve, room_for):
    one, two = (room_for(count)["memory"]["budget"] for count in (1, 2))
    server = serve(TWO, {"memory": {"budget": one}})
    stream = server.stream(endless("a")).wait_for_tokens()
    waiting = server.stream(count("b", 5))
    server.wait_active({"a": 1, "b": 1})
    server.settings["memory"]["budget"] = two
    server.write_config()
    report = reload_by_request(server)
    assert named(report) == set() and report["restart_needed"] == [], report
    [setting] = report["changed"]["settings"]
    assert "budget" in setting
    assert waiting.finish().text == count_text(5)
    assert server.health()["memory"]["budget_bytes"] == two
    assert stream.end is None
    stream.close()
    server.stop()


def test_what_needs_a_restart_is_named_and_left_alone(serve):
    server = serve(TWO)
    server.load("a")
    child = server.child_of("a")
    server.settings[""]["listen"] = "127.0.0.1:1"
    server.write_config()
    report = reload_by_request(server)
    assert any("listen" in setting for setting in report["restart_needed"]), report
    assert report["changed"] == NOTHING["changed"]
    assert server.chat(chat("a")).status == 200
    assert server.child_of("a") == child
    server.stop()


def test_an_unchanged_file_changes_nothing(serve):
    server = serve(TWO)
    server.load("a")
    child = server.child_of("a")
    assert reload_by_request(server) == NOTHING
    assert reload_by_command(server) == NOTHING
    assert server.cli("reload").returncode == 0
    assert server.chat(chat("a")).status == 200
    assert server.child_of("a") == child
    assert server.journal("gate", "stop_signal") == []
    assert server.get("/api/v1/reload").status == 405, "a GET changes nothing"
    server.stop()

"""Models of kind command: any server that speaks the OpenAI API (here openai_stub.py)."""

import json
import os
import re
import sqlite3
import subprocess
import sys

import pytest

from harness import command, processes, stub
from harness.prompts import chat
from harness.waiting import wait_until

MIB = 1024**2
CANARY = "canary-7c1d52f0"
WHOLE = "one two three four five six seven eight"


def with_commands(serve, *names, placed=None, settings=None, **keys):
    """A server, not started yet, with these commands and models of the stub engine."""
    server = serve(placed or {}, stub.settings(**(settings or {})), started=False)
    for name in names:
        command.add(server, name, **keys)
    return server


def text_of(answer):
    return answer.json["choices"][0]["message"]["content"]


@pytest.mark.parametrize("on", ["port", "socket"])
def test_it_is_loaded_on_demand_and_relayed_to(serve, on):
    server = with_commands(serve, "x", on=on).start()
    assert server.children() == []
    answer = server.chat(chat("x"))
    assert (answer.status, text_of(answer)) == (200, WHOLE)
    assert answer.headers["x-holdfast-model"] == "x"
    streamed = server.stream(chat("x")).finish()
    assert (streamed.end, streamed.done, streamed.text.strip()) == ("complete", True, WHOLE)
    assert len(command.events(server, "x", "start")) == 1
    entry = server.cached("x")
    assert (entry["state"], entry["bytes_reserved"]) == ("ready", 256 * MIB)
    (spawn,) = server.journal("spawn", model="x")
    assert (spawn["bytes"], spawn["pid"]) == (256 * MIB, command.supervisor(server, "x"))
    listed = server.get("/v1/models/x").json
    assert (listed["kind"], listed["context_length"]) == ("command", None)
    (model,) = server.get("/api/v1/models").json["models"]
    assert (model["kind"], model["context"], model["trained_context"]) == ("command", None, None)
    assert server.post("/api/v1/models/x/unload").status == 200
    pid = command.events(server, "x", "start")[0]["pid"]
    wait_until(lambda: not processes.is_alive(pid), "its process is gone")
    server.stop()


def test_what_it_refuses_is_told_without_its_key_and_paths(serve):
    server = with_commands(serve, "x").start()
    refused = server.chat(chat("x", stub={"refuse": 401, "error": {"message": "Unauthorized",
                                                           "code": "invalid_api_key"}}))
    assert (refused.status, refused.error["code"]) == (502, "upstream_error")
    assert "a key of its own" in refused.error["message"]
    assert "administrator" in refused.error["hint"] and "www-authenticate" not in refused.headers
    secret = "/srv/models/x"
    refused = server.chat(chat("x", stub={"refuse": 404, "error": {
        "message": f"The model `{secret}` does not exist", "code": secret, "param": secret}}))
    assert refused.status == 404 and secret not in refused.body.decode()
    assert (refused.error["code"], refused.error["param"]) == ("unsupported_by_model", None)
    server.stop()


def test_any_path_of_the_table_goes_to_it_with_the_whole_target(serve):
    server = with_commands(serve, "x").start()
    for path in ("/v1/embeddings", "/v1/rerank", "/v1/responses", "/v1/completions?x=1%20y"):
        answer = server.post(path, {"model": "x", "input": "a"})
        assert (answer.status, answer.json["path"]) == (200, path)
    server.stop()


def test_ollama_s_clients_reach_it_too(serve):
    server = with_commands(serve, "x").start()
    ask = {"model": "x", "messages": [{"role": "user", "content": "hi"}], "stream": False}
    answer = server.post("/api/chat", ask)
    assert (answer.status, answer.json["message"]["content"]) == (200, WHOLE), answer
    lines = server.post("/api/chat", {**ask, "stream": True}).body.splitlines()
    texts = [json.loads(line)["message"]["content"] for line in lines]
    assert "".join(texts).strip() == WHOLE and json.loads(lines[-1])["done"]
    shown = server.post("/api/show", {"model": "x"}).json
    assert shown["details"]["format"] == "", "it may be anything"
    assert "completion" in shown["capabilities"]
    assert [model["name"] for model in server.get("/api/tags").json["models"]] == ["x"]
    assert server.get("/api/ps").json["models"][0]["size"] == 256 * MIB
    server.stop()


def test_its_readiness_is_asked_for_at_its_own_path(serve):
    server = with_commands(serve, "x", ready="/is/it?there=1")
    server.settings['models."x"']["command"] += ["--ready", "/is/it?there=1"]
    go = server.folder / "go"
    command.script(server, "x", ready_when=str(go))
    server.start()
    waiting = server.stream(chat("x"))
    wait_until(lambda: server.health()["loading_models"] == ["x"], "it loads")
    server.wait_active({"x": 1})
    # Pressure and cleanup leave it alone meanwhile (scenario 2).
    assert server.post("/api/v1/cleanup?level=emergency").status == 200
    assert server.health()["loading_models"] == ["x"]
    go.touch()
    assert (waiting.finish().status, waiting.end) == (200, "complete")
    server.stop()


def test_it_may_listen_late(serve):
    server = with_commands(serve, "x")
    go = server.folder / "go"
    command.script(server, "x", listen_when=str(go))
    server.start()
    waiting = server.stream(chat("x"))
    wait_until(lambda: command.events(server, "x", "start"), "it was started")
    go.touch()
    assert (waiting.finish().status, waiting.end) == (200, "complete")
    server.stop()


def test_a_readiness_path_that_never_agrees_is_said(serve):
    server = with_commands(serve, "x", load_within="4s")
    command.script(server, "x", ready_status=404)
    server.start()
    refused = server.chat(chat("x"))
    assert (refused.status, refused.error["code"]) == (503, "load_failed"), refused
    assert "not ready within 4.0 s: its readiness path answered 404" in refused.error["message"]
    assert "`ready`" in refused.error["hint"]
    told = server.cli("explain", "x").stdout
    assert "its readiness path answered 404" in told
    assert command.supervisor(server, "x") is None
    server.stop()


def test_an_early_death_is_a_typed_error(serve):
    server = with_commands(serve, "x")
    command.script(server, "x", exit=3)
    server.start()
    refused = server.chat(chat("x"))
    assert (refused.status, refused.error["code"]) == (503, "load_failed")
    assert "ended while it loaded (code 3)" in refused.error["message"]
    assert int(refused.headers["retry-after"]) >= 1
    server.wait_for_line("engine of x ended unexpectedly .code 3.")
    command.script(server, "x")
    wait_until(lambda: server.chat(chat("x")).status == 200, "it is tried again")
    server.stop()


def test_a_death_in_the_middle_of_an_answer_never_looks_complete(serve):
    server = with_commands(serve, "x").start()
    broken = server.stream({**chat("x"), "stub": {"die": 3}}).finish()
    assert (broken.status, broken.end, broken.done) == (200, "broken", False)
    assert broken.error["code"] == "upstream_crashed"
    assert server.chat(chat("x")).status == 200
    server.stop()


def test_a_port_that_was_taken_is_no_failure(serve):
    server = with_commands(serve, "x")
    command.script(server, "x", taken=2)
    server.start()
    assert server.chat(chat("x")).status == 200
    starts = command.events(server, "x", "start")
    ports = [line["argv"][line["argv"].index("--port") + 1] for line in starts]
    assert len(ports) == 3 and len(set(ports)) == 3, ports
    assert len(server.journal("spawn", model="x")) == 1
    assert len(server.journal("respawn", model="x")) == 2
    assert server.journal("refuse") == []
    server.stop()


def test_a_port_that_is_always_taken_is_one(serve):
    server = with_commands(serve, "x")
    command.script(server, "x", taken=100)
    server.start()
    refused = server.chat(chat("x"))
    assert (refused.status, refused.error["code"]) == (503, "load_failed")
    assert len(command.events(server, "x", "start")) == 3
    server.stop()


def test_whoever_else_answers_on_its_port_gets_no_prompt(serve):
    server = with_commands(serve, "x")
    gate = server.folder / "gate"
    command.script(server, "x", listen_when=str(gate))
    server.start()
    asked = server.stream(chat("x"))
    wait_until(lambda: command.events(server, "x", "start"), "its start")
    argv = command.events(server, "x", "start")[0]["argv"]
    port = argv[argv.index("--port") + 1]
    other = subprocess.Popen([sys.executable, "-P", command.STUB, "--port", port,
                              "--state", server.folder / "other"])
    try:
        server.wait_for_line("port [0-9]+ of x answers, but no process of its own listens there")
        assert server.health()["loading_models"] == ["x"]
    finally:
        other.kill()
        other.wait()
    gate.touch()
    assert asked.finish().done
    assert "request" not in (server.folder / "other.log").read_text("ascii")
    server.stop()


def test_what_it_declares_makes_room_and_is_made_room_for(serve, bytes_of):
    tiny = bytes_of("tiny-1")
    declared = 4 * tiny
    budget = {"memory": {"budget": declared + tiny // 2}}
    server = with_commands(serve, "x", placed={"a": "tiny-1"}, settings=budget, bytes_=declared)
    server.start()
    order = ["a", "x", "a", "x"]
    for model in order:
        assert server.chat(chat(model)).status == 200
        assert server.loaded() == [model]
        memory = server.health()["memory"]
        assert memory["reserved_bytes"] <= memory["budget_bytes"]
    assert [line["model"] for line in server.journal("spawn")] == order
    assert {line["why"] for line in server.journal("stop_signal")} == {"idle_victim"}
    server.stop()


def test_more_than_the_budget_is_refused_with_what_to_do(serve):
    server = with_commands(serve, "x", settings={"memory": {"budget": 200 * MIB}}).start()
    refused = server.chat(chat("x"))
    assert (refused.status, refused.error["code"]) == (422, "never_fits")
    assert "`bytes`" in refused.error["hint"] and "context" not in refused.error["hint"]
    assert command.events(server, "x", "start") == []
    server.stop()


def test_its_slots_are_what_parallel_says(serve):
    server = with_commands(serve, "x").start()
    gate = server.folder / "gate"
    first, second = (command.held(server, "x", gate) for _ in range(2))
    third = server.stream(chat("x"))
    server.wait_active({"x": 3})
    assert third.status is None and len(command.events(server, "x", "request")) == 2
    gate.touch()
    assert [stream.finish().end for stream in (first, second, third)] == ["complete"] * 3
    server.stop()


@pytest.mark.parametrize("how", ["unload", "force", "head killed", "supervisor told",
                                 "server killed",
                                 "server stopped"])
def test_nothing_that_it_started_outlives_it(serve, how):
    server = with_commands(serve, "x")
    command.script(server, "x", family=True)
    server.start()
    server.load("x")
    family = command.family(server, "x")
    supervisor = command.supervisor(server, "x")
    assert all(processes.is_alive(pid) for pid in [supervisor, *family])
    if how == "unload":
        assert server.post("/api/v1/models/x/unload").status == 200
    elif how == "force":
        assert server.post("/api/v1/models/x/unload?force=true").status == 200
    elif how == "head killed":
        processes.kill(family[0])
        wait_until(lambda: server.journal("exit", model="x"), "its end is noticed")
    elif how == "supervisor told":
        os.kill(supervisor, 15)
    elif how == "server killed":
        processes.freeze(supervisor)  # not even a stopped one is left
        server.kill9()
    else:
        server.stop()
    wait_until(lambda: not any(processes.is_alive(pid) for pid in [supervisor, *family]),
               f"nobody is left of {family}")
    if server.is_running:
        command.script(server, "x")
        assert server.chat(chat("x")).status == 200
        server.stop()


def test_who_ignores_the_signal_is_ended_by_force(serve):
    server = with_commands(serve, "x")
    command.script(server, "x", ignore_sigterm=True)
    server.start()
    held = command.held(server, "x", server.folder / "never")
    assert server.post("/api/v1/models/x/unload?force=true").status == 200
    assert held.finish().end == "broken" and held.error["code"] == "forced"
    server.wait_loaded()
    server.stop()


def test_what_its_workers_hold_is_measured(serve):
    server = with_commands(serve, "x", bytes_=32 * MIB)
    command.script(server, "x", worker_bytes=100 * MIB)
    server.start()
    server.load("x")
    wait_until(lambda: server.cached("x")["bytes_measured"] > 100 * MIB, "its worker is measured")
    server.wait_for_line("x holds .* and declares 32.0 MiB: set its `bytes` higher")
    assert server.health()["memory"]["debt_bytes"] > 0
    assert server.cached("x")["bytes_reserved"] == 32 * MIB
    # The next generation is charged what it declares all the same: the administrator's word.
    assert server.post("/api/v1/models/x/unload").status == 200
    server.wait_loaded()
    assert server.get("/api/v1/models").json["models"][0]["bytes_estimated"] == 32 * MIB
    server.stop()


def test_it_gets_its_own_environment_and_little_of_ours(serve):
    server = serve({}, stub.settings(), {"OPENAI_API_KEY": CANARY, "TMPDIR": "/var/tmp"},
                   started=False)
    command.add(server, "team/x", env=["WHO={name}", "PORT={port}", "EMPTY=", "HOME=/nowhere"])
    server.start()
    server.load("team/x")
    start, = command.events(server, "team/x", "start")
    port = start["argv"][start["argv"].index("--port") + 1]
    assert start["env"] == {"LANG": "C.UTF-8", "PATH": os.environ["PATH"], "TMPDIR": "/var/tmp",
                            "HOME": "/nowhere", "WHO": "team/x", "PORT": port, "EMPTY": ""}
    server.stop()


def test_secrets_of_it_stay_where_they_are(serve):
    secrets = [f"HF_TOKEN={CANARY}-env", f"PASSWORD={CANARY}{{brace",
               f'GCP={{"private_key": "{CANARY}-json"}}', f"DB=postgres://u:{CANARY}@h/{{name}}"]
    server = with_commands(serve, "x", env=secrets, settings={"log": {"level": "debug"}})
    server.settings['models."x"']["command"] += ["--api-key", f"{CANARY}-arg",
                                                 f"--hf-token={CANARY}-two"]
    command.script(server, "x", print=["I am {argv}", "with {env}"], exit=1)
    server.start()
    seen = [server.chat(chat("x"))]
    command.script(server, "x", print=["I am {argv}", "with {env}"])
    wait_until(lambda: server.chat(chat("x")).status == 200, "it serves")
    start = command.events(server, "x", "start")[-1]
    assert start["env"]["HF_TOKEN"] == f"{CANARY}-env" and f"{CANARY}-arg" in start["argv"]
    for path in ("/health", "/v1/models", "/api/v1/models", "/api/v1/explain?model=x"):
        seen.append(server.get(path))
    server.write_config()
    assert server.post("/api/v1/reload").status == 200
    server.settings['models."x"']["env"] = f"HF_TOKEN={CANARY}-bad"
    server.write_config()
    seen.append(server.post("/api/v1/reload"))
    assert seen[-1].status == 422
    said = server.cli("explain", "x").stdout + server.cli("doctor", "--json").stdout
    server.stop()
    server.wait_for_line(r"I am .*\*\*\*")
    assert CANARY not in "\n".join(server.lines)
    assert CANARY not in server.journal_path.read_text()
    assert CANARY not in said
    assert all(CANARY.encode() not in answer.body for answer in seen)
    with sqlite3.connect(server.folder / "history.db") as history:
        dump = "\n".join(history.iterdump())
    assert CANARY not in dump and "command np=2" in dump


def test_a_missing_program_fails_its_model_only_until_it_is_there(serve):
    server = with_commands(serve, "x", "y")
    program = server.folder / "engine"
    server.settings['models."x"']["command"][0] = str(program)
    server.start()
    refused = server.chat(chat("x"))
    assert (refused.status, refused.error["code"]) == (422, "model_broken")
    assert "its program is missing" in refused.error["message"]
    assert str(server.folder) not in refused.body.decode()
    assert server.chat(chat("y")).status == 200
    told = server.cli("doctor", "--config", str(server.config_path))
    assert "x cannot be served" in told.stdout and str(program) in told.stdout
    program.symlink_to(server.settings['models."y"']["command"][0])
    wait_until(lambda: server.chat(chat("x")).status == 200, "it appears without a restart")
    server.stop()


def test_doctor_shows_what_it_declares(serve):
    server = with_commands(serve, "x", placed={"a": "tiny-1"})
    server.write_config()
    run = server.cli_without_server("doctor", "--json", "--config", str(server.config_path))
    report = {model["name"]: model for model in run["models"]}
    assert report["x"]["total_bytes"] == 256 * MIB and report["x"]["can_be_served"]
    assert report["x"]["context"] is None and report["x"]["command"]
    assert report["a"]["command"] is None and report["a"]["context"] > 0


def test_commands_alone_need_no_llama_server(serve):
    server = with_commands(serve, "x", placed={"a": "tiny-1"})
    server.settings["engine"]["llama_server"] = server.folder / "none"
    server.start()
    server.wait_for_line("only models with a `command` can be served")
    assert server.chat(chat("x")).status == 200
    refused = server.chat(chat("a"))
    assert (refused.status, refused.error["code"]) == (422, "model_broken")
    assert "no llama-server" in refused.error["message"]
    server.stop()


def test_a_reload_restarts_it_only_where_its_process_changes(serve):
    server = with_commands(serve, "x").start()
    gate = server.folder / "gate"
    held = command.held(server, "x", gate)
    table = server.settings['models."x"']

    def reload():
        server.write_config()
        answer = server.post("/api/v1/reload")
        assert answer.status == 200, answer
        return answer.json["changed"]["models"]

    table.update(priority=5, load_within="7m", longest_answer="1h", aliases=["speech"])
    changed = reload()
    assert (changed["changed"], changed["restarted"]) == (["x"], [])
    assert server.chat(chat("speech")).status == 200
    for key, value in (("env", ["A=1"]), ("bytes", 300 * MIB), ("ready", "/health?1"),
                       ("command", table["command"] + ["--ready", "/health?1", "--more"])):
        table[key] = value
        assert reload()["restarted"] == ["x"], key
    waiting = server.stream(chat("x"))
    server.wait_active({"x": 2})
    assert len(command.events(server, "x", "start")) == 1, "the old one drains"
    gate.touch()
    assert (held.finish().end, waiting.finish().end) == ("complete", "complete")
    first, second = command.events(server, "x", "start")
    assert "A" not in first["env"] and second["env"]["A"] == "1" and "--more" in second["argv"]
    assert server.cached("x")["bytes_reserved"] == 300 * MIB
    del server.settings['models."x"']
    assert reload()["removed"] == ["x"]
    assert server.chat(chat("x")).status == 404
    server.stop()


def test_pins_and_times_to_live_hold_for_it(serve):
    server = with_commands(serve, "x", pin=True)
    command.add(server, "y", ttl="1s")
    server.start()
    server.wait_loaded("x")
    assert server.chat(chat("y")).status == 200
    server.wait_loaded("x")
    assert [line["why"] for line in server.journal("stop_signal", model="y")] == ["idle_too_long"]
    server.stop()


def test_its_longest_answer_is_part_of_the_bound(serve):
    server = with_commands(serve, "x", longest_answer="2s").start()
    costs = server.get("/api/v1/explain?model=x").json["costs"]
    assert (costs["longest_answer_s"], costs["longest_answer_measured"]) == (2, False)
    assert costs["slowest_decode_tokens_per_s"] is None
    assert "longest answer: 2.0 s, as configured" in server.cli("explain", "x").stdout
    gate = server.folder / "gate"
    held = command.held(server, "x", gate)
    wait_until(lambda: server.get("/api/v1/explain?model=x").json["model"]["in_state_s"] > 2.2,
               "the answer takes longer than is expected of it")
    gate.touch()
    assert held.finish().end == "complete"

    def measured():
        costs = server.get("/api/v1/explain?model=x").json["costs"]
        return costs["longest_answer_measured"] and costs

    costs = wait_until(measured, "the answer was measured")
    assert costs["longest_answer_s"] > 2
    assert re.search("longest answer: .*, the slowest so far", server.cli("explain", "x").stdout)
    server.stop()


def test_a_request_limit_holds_for_it(serve):
    settings = {"queue": {"request_limit": "1s", "patience": "500ms"}}
    server = with_commands(serve, "x", settings=settings, parallel=1).start()
    held = command.held(server, "x", server.folder / "never")
    waiting = server.stream(chat("x"))
    assert held.finish().end == "broken" and held.error["code"] == "request_limit"
    assert waiting.finish().end == "complete"
    server.stop()


@pytest.mark.parametrize("kind", ["data", "cgroup"])
def test_a_fence_holds_for_its_workers(serve, kind):
    from test_fences import fenced, leftovers
    server = with_commands(serve, "x", bytes_=64 * MIB, settings=fenced(kind))
    command.script(server, "x", worker_bytes=900 * MIB)  # 64 MiB and a quarter and 512 MiB
    server.start()
    # Which of its processes runs into it, and what the others make of it, is its own affair; the
    # machine keeps its memory.
    server.chat(chat("x"))
    held = sum(line["bytes"] for line in command.events(server, "x", "member"))
    assert held == 0
    server.stop()
    assert leftovers(server) == []

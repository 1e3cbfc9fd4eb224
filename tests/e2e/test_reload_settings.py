"""The configuration is read again: what counts at once, what is refused, what stays as it was."""

import hashlib
import json
import os
import signal

import pytest

from harness import stub
from harness.prompts import chat
from harness.waiting import wait_until

TWO = {"a": "tiny-1", "b": "tiny-2"}
NO_MODELS = {"added": [], "removed": [], "restarted": [], "changed": []}


def reload(server, headers=None, **tables):
    """Writes these settings over the present ones and has them read."""
    for table, values in tables.items():
        server.settings[table.replace("__", ".")].update(values)
    server.write_config()
    answer = server.post("/api/v1/reload", headers=headers)
    assert answer.status == 200, answer
    return answer.json


def changed(settings=(), restart_needed=(), **models):
    return {"changed": {"models": {**NO_MODELS, **models}, "settings": list(settings)},
            "restart_needed": list(restart_needed)}


def user(name, key, role="user", **more):
    lines = [f'name = "{name}"', f'key_sha256 = "{hashlib.sha256(key.encode()).hexdigest()}"',
             f'role = "{role}"', *(f"{key} = {value}" for key, value in more.items())]
    return "\n[[users]]\n" + "\n".join(lines) + "\n"


def with_key(key):
    return {"Authorization": f"Bearer {key}"}


def test_what_did_not_change_is_not_touched(serve):
    server = serve(TWO, stub.settings(**{'models."a"': {"ttl": "1h"}}))
    gate = server.folder / "gate"
    running = stub.held(server, "a", gate)
    pid = server.child_of("a")
    assert reload(server) == changed()
    server.wait_for_line("Configuration read again: nothing changed")
    assert reload(server, defaults={"ttl": "2h"}, queue={"max_waiting": 7}) == changed(
        ["queue.max_waiting", "defaults.ttl"], changed=["b"])
    assert reload(server, **{'models."a"': {"priority": 5, "aliases": ["first"]}}) == changed(
        changed=["a"])
    assert server.child_of("a") == pid and server.loaded() == ["a"]
    gate.touch()
    assert running.finish().end == "complete" and running.done
    assert server.chat(chat("first")).status == 200
    assert len(server.journal("spawn")) == 1 and server.journal("gate") == []
    lines = server.journal("reload")
    assert [line["settings"] for line in lines] == [[], ["queue.max_waiting", "defaults.ttl"], []]
    assert lines[2]["model_settings"] == ['models."a".aliases', 'models."a".priority']
    server.stop()


def test_a_shorter_patience_counts_for_those_who_wait(serve, room_for):
    settings = {**room_for(1, "tiny-1"), "queue": {"patience": "1000s", "turn": "1000s"}}
    server = serve(TWO, stub.settings(**settings))
    gate = server.folder / "gate"
    running = stub.held(server, "a", gate)
    waiting = server.stream(chat("b"))
    server.wait_active({"a": 1, "b": 1})
    assert server.journal("gate") == []
    assert reload(server, queue={"patience": "10ms", "turn": "10ms"}) == changed(
        ["queue.patience", "queue.turn"])
    wait_until(lambda: server.journal("gate", model="a"), "a's turn is over now")
    assert running.end is None
    gate.touch()
    assert running.finish().end == "complete"
    assert waiting.finish().status == 200
    server.stop()


def test_the_budget_grows_and_shrinks(serve, room_for):
    one, two = room_for(1, "tiny-1"), room_for(2, "tiny-1")
    server = serve(TWO, stub.settings(**one))
    server.load("a")
    assert reload(server, **two) == changed(["memory.budget"])
    server.load("b")
    assert server.loaded() == ["a", "b"]
    gate = server.folder / "gate"
    running = stub.held(server, "a", gate)
    reload(server, **one)
    server.wait_loaded("a")  # b is idle, a is not
    assert running.end is None
    gate.touch()
    assert running.finish().end == "complete"
    server.stop()


def test_flags_go_on_winning(serve, room_for):
    one, two = room_for(1, "tiny-1"), room_for(2, "tiny-1")
    server = serve(TWO, stub.settings(**one), started=False)
    other = server.folder / "other"
    other.mkdir()
    server.arguments += ["--budget", str(two["memory"]["budget"]),
                         "--models-dir", server.models_dir]
    server.start()
    assert reload(server, memory={"budget": 12345678}, **{"": {"models_dir": other}}) == changed()
    server.load("a", "b")
    assert server.loaded() == ["a", "b"]
    server.stop()


def test_keys_come_and_go(serve):
    server = serve(TWO, stub.settings(), started=False)
    admin = user("root", "k-root", "admin")
    server.extra_config = user("ann", "k-ann") + user("bob", "k-bob") + admin
    server.start()
    gate = server.folder / "gate"
    held = [stub.held(server, "a", gate, headers=with_key(key)) for key in ("k-ann", "k-bob")]
    assert server.post("/api/v1/reload", headers=with_key("k-bob")).status == 403
    assert server.post("/api/v1/reload").status == 401

    server.extra_config = user("eve", "k-eve", max_active=1) + user("bob", "k-bob", max_active=1)
    server.extra_config += admin
    assert reload(server, headers=with_key("k-root")) == changed(["users"])
    assert server.chat(chat("b"), headers=with_key("k-ann")).status == 401
    # bob's running answer counts for bob, ann's for nobody who is left.
    assert server.chat(chat("b"), headers=with_key("k-bob")).error["code"] == "user_limit"
    assert server.chat(chat("b"), headers=with_key("k-eve")).status == 200
    gate.touch()
    assert [stream.finish().end for stream in held] == ["complete", "complete"]
    server.stop()


def test_a_key_that_goes_while_its_request_arrives(serve):
    server = serve(TWO, stub.settings(), started=False)
    admin = user("root", "k-root", "admin")
    server.extra_config = user("ann", "k-ann") + admin
    server.start()
    body = json.dumps(chat("a")).encode()
    with server.connect() as slow:
        slow.send_raw(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                      b"Authorization: Bearer k-ann\r\n"
                      b"Content-Length: %d\r\n\r\n" % len(body) + body[:10])
        server.extra_config = admin
        assert reload(server, headers=with_key("k-root")) == changed(["users"])
        slow.send_raw(body[10:])
        assert slow.response().status == 401
    assert server.journal("spawn") == []
    server.stop()


def test_an_open_port_is_never_left_without_keys(serve):
    server = serve(TWO, stub.settings(), started=False)
    server.settings[""]["listen"] = "0.0.0.0:0"
    server.extra_config = user("root", "k-root", "admin")
    server.start()
    # A good file by itself, but the port stays open until a restart.
    server.settings[""]["listen"] = "127.0.0.1:0"
    server.extra_config = ""
    server.write_config()
    refused = server.post("/api/v1/reload", headers=with_key("k-root"))
    assert (refused.status, refused.error["code"]) == (422, "config_invalid")
    assert refused.error["message"].startswith("holdfast.toml: users: ")
    assert server.chat(chat("a")).status == 401
    server.stop()


def test_the_log_changes_its_language_and_form(serve):
    server = serve(TWO, stub.settings())
    assert reload(server, log={"language": "ru"}) == changed(["log.language"])
    server.wait_for_line(r"Конфигурация перечитана: настройки: \['log.language'\]")
    assert reload(server, log={"format": "json"}) == changed(["log.format"])
    line = server.wait_for_line('"message":')
    assert json.loads(line)["level"] == "info"
    server.load("a")
    server.post("/api/v1/models/a/unload")
    server.wait_for_line("🗑️ Модель a выгружена из памяти")
    server.stop()


def test_sighup(serve):
    server = serve(TWO, stub.settings())
    server.settings["queue"]["patience"] = "5s"
    server.write_config()
    os.kill(server.process.pid, signal.SIGHUP)
    server.wait_for_line(r"Configuration read again: settings: \['queue.patience'\]")
    assert server.journal("reload")[0]["settings"] == ["queue.patience"]
    assert reload(server) == changed()
    server.stop()


def test_a_mistake_changes_nothing_and_is_named_with_its_place(serve):
    server = serve(TWO, stub.settings())
    server.load("a")
    good = server.config_path.read_text()
    server.config_path.write_text('listen = "127.0.0.1:0"\n[queue]\npatients = "2s"\n')
    refused = server.post("/api/v1/reload")
    assert (refused.status, refused.error["code"]) == (422, "config_invalid")
    assert refused.error["message"].startswith('holdfast.toml:3:1: unknown key "patients"')
    assert str(server.folder) not in refused.body.decode()
    run = server.cli("reload")
    assert run.returncode == 1 and "holdfast.toml:3:1: " in run.stderr, run
    os.kill(server.process.pid, signal.SIGHUP)
    wait_until(lambda: sum("was not applied" in line for line in server.lines) == 3, "3 warnings")

    server.config_path.unlink()
    gone = server.post("/api/v1/reload")
    assert (gone.status, gone.error["code"]) == (422, "config_invalid")
    assert server.loaded() == ["a"] and server.journal("reload") == []
    server.config_path.write_text(good)
    assert server.post("/api/v1/reload").json == changed()
    server.stop()


def test_the_command(serve):
    server = serve(TWO, stub.settings())
    run = server.cli("reload")
    assert (run.returncode, run.stdout) == (0, "nothing changed\n"), run
    server.settings["queue"]["patience"] = "5s"
    server.settings[""]["drain"] = "7s"
    server.settings[""]["listen"] = "127.0.0.1:1"
    server.write_config()
    run = server.cli("reload")
    assert run.stdout == ("settings:        drain, queue.patience\n"
                          "needs a restart: listen\n"), run
    run = server.cli("reload", "--json")
    assert json.loads(run.stdout) == changed(restart_needed=["listen"]), "it still does"
    server.stop()


def test_only_a_post_reloads(serve):
    server = serve(TWO, stub.settings())
    answer = server.get("/api/v1/reload")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert server.journal("reload") == []
    server.stop()


def test_without_a_file(serve):
    server = serve(TWO, started=False)
    server.config_path = server.folder / "unused.toml"
    server.arguments = ["--listen", "127.0.0.1:0", "--models-dir", server.models_dir,
                        "--store", server.folder / "h.db", "--journal", server.journal_path,
                        "--llama-server", stub.settings()["engine"]["llama_server"]]
    server.start()
    refused = server.post("/api/v1/reload")
    assert (refused.status, refused.error["code"]) == (409, "no_config")
    # One that is there now is found as at the start.
    (server.folder / "holdfast.toml").write_text('[queue]\npatience = "5s"\n')
    assert server.post("/api/v1/reload").json == changed(["queue.patience"])
    server.stop()


def test_models_come_go_and_change(serve):
    server = serve({**TWO, "c": "tiny-3"}, stub.settings(), started=False)
    outside = server.folder / "outside.gguf"
    os.link(server.models_dir / "c.gguf", outside)
    server.settings['models."x"']["path"] = outside
    server.start()
    server.load("a", "b", "x")
    stay = server.child_of("b")
    del server.settings['models."x"']
    assert reload(server, **{'models."y"': {"path": outside},
                             'models."a"': {"context": 4096}}) == changed(
        added=["y"], removed=["x"], restarted=["a"])
    assert server.chat(chat("x")).status == 404
    server.wait_loaded("b")
    assert server.child_of("b") == stay
    assert {(line["model"], line["why"]) for line in server.journal("stop_signal")} == {
        ("x", "removed"), ("a", "spec_changed")}
    assert server.chat(chat("a")).status == 200
    assert server.chat(chat("y")).status == 200
    server.stop()


def test_a_rescan_does_not_undo_a_reload(serve):
    server = serve(TWO, stub.settings())
    for context in (4096, 2048, 1024) * 5:
        assert reload(server, **{'models."a"': {"context": context}}) == changed(restarted=["a"])
        models = server.get("/api/v1/models").json["models"]
        assert next(m for m in models if m["name"] == "a")["context"] == context
    server.stop()


def test_a_pin_of_the_file_goes_with_it_and_one_by_hand_stays(serve):
    server = serve(TWO, stub.settings())

    def pinned():
        return sorted(m["name"] for m in server.health()["cached_models"] if m["pinned"])

    both = {'models."a"': {"pin": True}, 'models."b"': {"pin": True}}
    assert reload(server, **both) == changed(changed=["a", "b"])
    server.wait_loaded("a", "b")
    wait_until(lambda: pinned() == ["a", "b"], "both are pinned")
    assert server.post("/api/v1/models/b/pin").status == 200
    for table in both:
        server.settings[table]["pin"] = False
    assert reload(server) == changed(changed=["a", "b"])
    wait_until(lambda: pinned() == ["b"], "only the pin by hand is left")
    assert server.loaded() == ["a", "b"]

    # A pinned model that must restart is loaded again without being asked.
    reload(server, **{'models."b"': {"context": 2048}})
    wait_until(lambda: len(server.journal("ready", model="b")) == 2, "b's next process")
    assert pinned() == ["b"]
    server.stop()


def test_preloads_follow_the_pinned_ones_in_the_order_of_the_file(serve, room_for):
    placed = {"a": "tiny-1", "b": "tiny-2", "c": "tiny-3", "d": "tiny-1"}
    settings = {'models."d"': {"preload": True}, 'models."b"': {"preload": True},
                'models."a"': {"preload": True}, 'models."c"': {"pin": True}}
    server = serve(placed, stub.settings(**room_for(3, "tiny-1"), **settings))
    server.wait_loaded("b", "c", "d")  # there is no room for a, and nobody goes for it
    assert [(line["model"], line["why"]) for line in server.journal("spawn")] == [
        ("c", "head_fits"), ("d", "preload"), ("b", "preload")]
    assert server.journal("stop_signal") == []
    # What nobody has used is the first to leave.
    assert server.chat(chat("d")).status == 200
    server.load("a")
    assert server.loaded() == ["a", "c", "d"]
    server.stop()


def test_a_reload_that_adds_a_preload_loads_it(serve):
    server = serve(TWO, stub.settings())
    assert reload(server, **{'models."b"': {"preload": True}}) == changed(changed=["b"])
    server.wait_loaded("b")
    assert server.journal("spawn")[0]["why"] == "preload"
    assert reload(server, **{'models."b"': {"priority": 1}}) == changed(changed=["b"])
    assert len(server.journal("spawn")) == 1
    server.stop()


@pytest.mark.parametrize("who", ["client", "signal"])
def test_reloads_at_once_come_one_after_another(serve, who):
    server = serve(TWO, stub.settings())
    server.settings["queue"]["patience"] = "5s"
    server.write_config()
    if who == "signal":
        os.kill(server.process.pid, signal.SIGHUP)
    connections = [server.connect() for _ in range(4)]
    for connection in connections:
        connection.send("POST", "/api/v1/reload", b"")
    answers = [connection.response() for connection in connections]
    assert [answer.status for answer in answers] == [200] * 4
    told = [line["settings"] for line in server.journal("reload")]
    assert told[0] == ["queue.patience"] and not any(told[1:])
    assert len(told) == (5 if who == "signal" else 4)
    server.stop()

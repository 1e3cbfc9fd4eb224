"""Who may do what, who uses what, and what somebody without a key learns: nothing."""

import json
import stat

import pytest

from harness import people, stub
from harness.people import with_key
from harness.prompts import chat
from harness.waiting import wait_until

TWO = {"a": "tiny-1", "b": "tiny-2"}
TEAM = (people.table("uma", "k-uma") + people.table("oda", "k-oda", "operator")
        + people.table("ada", "k-ada", "admin"))
MESSAGES = "/v1/messages"


def team(serve, settings=None, models=None, extra=""):
    server = serve(models or TWO, stub.settings(**(settings or {})), started=False)
    server.extra_config = TEAM + extra
    return server.start()


def active(server, key="k-ada"):
    return server.get("/health", headers=with_key(key)).json["active_model_requests"]


def wait_active(server, expected):
    wait_until(lambda: active(server) == expected, f"active_model_requests == {expected}")


def message(model):
    return {"model": model, "max_tokens": 4, "messages": [{"role": "user", "content": "x"}]}


# Roles

COMMANDS = {
    "/api/v1/models/a/load": "user",
    "/api/v1/models/a/pin": "operator",
    "/api/v1/models/a/unpin": "operator",
    "/api/v1/models/a/unload?drain=true": "operator",
    "/api/v1/models/a/unload": "operator",
    "/api/v1/cleanup": "operator",
    "/api/v1/cleanup?level=emergency": "operator",
    "/api/v1/models/a/unload?force=true": "admin",
    "/api/v1/reload": "admin",
}


def test_what_each_role_may_do(serve):
    server = team(serve)
    ranks = ["user", "operator", "admin"]
    for path, needed in COMMANDS.items():
        for role, key in zip(ranks, ("k-uma", "k-oda", "k-ada")):
            answer = server.post(path, headers=with_key(key))
            if ranks.index(role) < ranks.index(needed):
                assert answer.status == 403, (path, role)
                assert answer.error["code"] == f"{needed}_only"
                assert ("may unload" in answer.error["hint"]) == (role == "operator"), path
            else:
                assert answer.status in (200, 202), (path, role, answer)
    for key in ("k-uma", "k-oda", "k-ada"):
        assert server.chat(chat("a"), headers=with_key(key)).status == 200
    done = [(line["verb"], line["who"]) for line in server.journal("command")]
    assert ("pin", "oda") in done and ("cleanup", "ada") in done and ("unload", "oda") in done
    assert {verb for verb, who in done if who == "uma"} == {"load"}, "what was refused was not done"
    server.stop()


def test_the_journal_names_who_loads(serve):
    server = team(serve)
    for verb, key in (("load", "k-uma"), ("pin", "k-oda")):
        assert server.post(f"/api/v1/models/a/{verb}", headers=with_key(key)).status == 200
    assert server.post("/api/generate", {"model": "b"}, headers=with_key("k-uma")).status == 200
    done = [(line["verb"], line["who"], line["model"]) for line in server.journal("command")]
    assert done == [("load", "uma", "a"), ("pin", "oda", "a"), ("load", "uma", "b")]
    server.stop()


def test_what_an_operator_does_spares_who_is_in_use(serve):
    server = team(serve)
    gate = server.folder / "gate"
    running = stub.held(server, "a", gate, headers=with_key("k-uma"))
    operator = with_key("k-oda")
    refused = server.post("/api/v1/models/a/unload", headers=operator)
    assert (refused.status, refused.error["code"]) == (409, "model_in_use")
    cleaned = server.post("/api/v1/cleanup?level=emergency", headers=operator).json
    assert (cleaned["unloading"], cleaned["protected"]) == ([], ["a"])
    assert server.post("/api/v1/models/a/unload?drain=true", headers=operator).status == 202
    gate.touch()
    assert running.finish().end == "complete" and running.done
    server.stop()


# Who uses what

def test_operators_see_who_uses_and_who_waits(serve):
    server = team(serve, {"defaults": {"parallel": 1}}, extra=people.table("bob", "k-bob"))
    gate = server.folder / "gate"
    uma = stub.held(server, "a", gate, headers=with_key("k-uma"))
    waiting = [server.stream(chat("a", stub={"hold_until": str(gate)}), headers=with_key(key))
               for key in ("k-uma", "k-bob")]
    wait_active(server, {"a": 3})

    for key in ("k-oda", "k-ada"):
        model, = server.get("/health", headers=with_key(key)).json["cached_models"]
        ages = [use.pop("oldest_s") for use in model["users"]]
        assert model["users"] == [{"name": "uma", "running": 1, "waiting": 1},
                                  {"name": "bob", "running": 0, "waiting": 1}]
        assert ages[0] >= ages[1] >= 0
        assert ("pid" in model) == (key == "k-ada")
        listed = server.get("/api/v1/models", headers=with_key(key)).json["models"]
        assert [len(model["users"]) for model in listed] == [2, 0]
        story = server.get("/api/v1/explain?model=a", headers=with_key(key)).json
        # Whoever has nothing running is next.
        assert [request["user"] for request in story["requests"]] == ["bob", "uma"]
    for path in ("/health", "/api/v1/models", "/api/v1/explain?model=a"):
        seen = server.get(path, headers=with_key("k-uma")).body
        assert b"bob" not in seen and b"users" not in seen, "users do not see each other"

    shown = server.cli("ps", key="k-oda").stdout
    assert "USERS" in shown and "uma 1 + 1 waiting, bob 1 waiting" in shown
    assert "USERS" not in server.cli("ps", key="k-uma").stdout
    told = server.cli("explain", "a", key="k-oda").stdout
    assert "used by: uma 1 + 1 waiting, bob 1 waiting" in told and "1. bob for" in told
    gate.touch()
    for stream in (uma, *waiting):
        assert stream.finish().done
    server.stop()
    assert [line["user"] for line in server.journal("grant", model="a")] == ["uma", "bob", "uma"]


def test_without_keys_nobody_has_a_name(serve):
    server = serve(TWO, stub.settings())
    assert server.chat(chat("a")).status == 200
    assert "users" not in server.cached("a")
    assert "USERS" not in server.cli("ps").stdout
    server.stop()
    assert "user" not in server.journal("grant")[0]


# Limits

def test_max_active_counts_over_all_dialects(serve):
    server = team(serve, {"defaults": {"parallel": 4}},
                  extra=people.table("bob", "k-bob", max_active=2))
    gate = server.folder / "gate"
    held = [stub.held(server, "a", gate, headers=with_key("k-bob")) for _ in range(2)]
    for path, body in (("/v1/chat/completions", chat("b")), (MESSAGES, message("b")),
                       ("/v1/embeddings", {"model": "b", "input": "x"}),
                       ("/api/generate", {"model": "b", "prompt": "x"})):
        refused = server.post(path, body, headers={"x-api-key": "k-bob"})
        assert refused.status == 429, path
        assert int(refused.headers["retry-after"]) >= 1
        if path == "/api/generate":
            assert refused.json["code"] == "user_limit" and isinstance(refused.error, str)
            continue
        assert refused.error["code"] == "user_limit"
        if path == MESSAGES:
            assert refused.json["type"] == "error"
            assert refused.error["type"] == "rate_limit_error"
    assert server.chat(chat("b"), headers=with_key("k-uma")).status == 200
    gate.touch()
    for stream in held:
        assert stream.finish().done
    wait_active(server, {})
    assert server.chat(chat("b"), headers=with_key("k-bob")).status == 200
    server.stop()


def test_one_after_another_is_one_at_a_time(serve):
    server = team(serve, extra=people.table("bob", "k-bob", max_active=1))
    for _ in range(40):  # each on a connection of its own, right behind the last byte
        assert server.stream(chat("a", max_tokens=2), headers=with_key("k-bob")).finish().done
    server.stop()


def test_max_active_counts_loads_and_what_is_still_read(serve):
    server = team(serve, extra=people.table("bob", "k-bob", "operator", max_active=1))
    bob = with_key("k-bob")
    gate = server.folder / "gate"
    stub.script(server, "a", load_until=str(gate))
    large = {"model": "b", "prompt": "x", "unknown": " " * 1_000_000}
    asked = [("/api/v1/models/a/load", {}), ("/api/v1/models/b/pin", {}),
             ("/api/generate", {"model": "b"}), ("/api/generate", large), ("/api/chat", large),
             (MESSAGES, message("b"))]
    for first, body in (("/api/v1/models/a/load", {}), ("/api/generate", {"model": "a"})):
        with server.connect() as connection:
            headers = {**bob, "Content-Type": "application/json"}
            connection.send("POST", first, json.dumps(body).encode(), headers=headers)
            wait_active(server, {"a": 1})
            for path, more in asked:
                refused = server.post(path, more, headers=bob)
                assert (refused.status, "user_limit" in str(refused.json)) == (429, True), path
            assert active(server) == {"a": 1}, "what was refused waits for nothing"
        wait_active(server, {})  # its client left: the place is free
    gate.touch()
    assert server.post("/api/v1/models/a/load", headers=bob).status == 200
    assert server.post("/api/v1/models/b/pin", headers=bob).status == 200
    assert server.post("/api/generate", large, headers=bob).status == 200
    server.stop()


def test_a_full_queue_refuses_the_newest_of_the_greediest(serve):
    server = team(serve, {"queue": {"max_waiting": 4}, "defaults": {"parallel": 1}},
                  extra=people.table("bob", "k-bob"))
    gate = server.folder / "gate"
    # A stream that has begun with heartbeats would be told in the stream.
    plain = {"x-holdfast-heartbeat": "off"}
    greedy = [stub.held(server, "a", gate, headers=with_key("k-bob"))]
    for number in range(4):
        greedy.append(server.stream(chat("a"), headers={**plain, **with_key("k-bob")}))
        wait_active(server, {"a": number + 2})
    modest = server.stream(chat("a"), headers=with_key("k-uma"))
    newest = greedy.pop().finish()
    assert newest.status == 429
    assert json.loads(newest.body)["error"]["code"] == "user_limit"
    assert int(newest.headers["retry-after"]) >= 1
    gate.touch()
    for stream in (modest, *greedy):
        assert stream.finish().done
    server.stop()


# Without a key

# (method, path, body), with and without something behind them.
ASKED = [
    ("GET", "/v1/models", None), ("GET", "/v1/models/a", None), ("GET", "/v1/models/none", None),
    ("GET", "/api/v1/models", None), ("GET", "/api/v1/explain?model=a", None),
    ("GET", "/api/v1/explain?model=none", None), ("GET", "/nothing", None),
    ("DELETE", "/v1/models/a", None), ("PUT", "/health", b"{}"),
    ("POST", "/api/v1/models/a/load", b""), ("POST", "/api/v1/models/none/load", b""),
    ("POST", "/api/v1/models/a/unload?force=true", b""), ("POST", "/api/v1/cleanup", b""),
    ("POST", "/api/v1/reload", b""), ("POST", "/v1/chat/completions", chat("a")),
    ("POST", "/v1/chat/completions", chat("none")), ("POST", "/v1/embeddings", {"model": "a"}),
    ("POST", "/v1/chat/completions", b"not JSON"), ("OPTIONS", "/v1/chat/completions", None),
]
ASKED_OF_MESSAGES = [
    ("POST", MESSAGES, message("a")), ("POST", MESSAGES, message("none")), ("GET", MESSAGES, None),
    ("POST", "/v1/messages/count_tokens", message("a")), ("POST", "/v1/messages/none", b"{}"),
]
ASKED_OF_OLLAMA = [
    ("POST", "/api/chat", {"model": "a"}), ("POST", "/api/chat", {"model": "none"}),
    ("POST", "/api/generate", {"model": "a", "keep_alive": 0}), ("GET", "/api/tags", None),
    ("GET", "/api/ps", None), ("POST", "/api/show", {"model": "a"}), ("GET", "/api/version", None),
    ("POST", "/api/show", {"model": "none"}), ("DELETE", "/api/delete", None),
    ("POST", "/api/embed", b"{"),
]


@pytest.mark.parametrize("asked", [ASKED, ASKED_OF_MESSAGES, ASKED_OF_OLLAMA],
                         ids=["openai", "anthropic", "ollama"])
def test_without_a_key_every_path_and_every_model_answer_alike(serve, asked):
    server = team(serve)
    assert server.chat(chat("a"), headers=with_key("k-uma")).status == 200  # it is loaded
    answers = set()
    for key in ({}, with_key("wrong"), {"x-api-key": "wrong"}, with_key(people.digest("k-ada")),
                {"Authorization": "Basic a2V5"}, {"Cookie": "key=k-ada"}):
        for method, path, body in asked:
            answer = server.request(method, path, body, headers={"x-request-id": "same", **key})
            headers = {name: value for name, value in answer.headers.items()
                       if name != "connection"}  # closed where a body was not read
            answers.add((answer.status, json.dumps(headers, sort_keys=True), answer.body))
    (status, _, body), = answers
    assert status == 401
    told = json.loads(body)
    if asked is ASKED_OF_OLLAMA:
        assert isinstance(told["error"], str)
    else:
        assert told["error"]["type"] == "authentication_error"
        assert (told.get("type") == "error") == (asked is ASKED_OF_MESSAGES)
    assert set(server.get("/health").json) == {"status"}
    for path in ("/health?api_key=k-ada", "/v1/models?api_key=k-ada&key=k-ada"):
        assert b"cached_models" not in server.get(path).body
        assert b'"data"' not in server.get(path).body
    server.stop()


def test_one_good_key_of_two_is_enough(serve):
    server = team(serve)
    for headers in ({**with_key("wrong"), "x-api-key": "k-uma"},
                    {**with_key("k-uma"), "x-api-key": "wrong"},
                    {"Authorization": "Basic a2V5", "x-api-key": "k-uma"}):
        assert server.chat(chat("a"), headers=headers).status == 200, headers
    server.stop()


# holdfast user

def test_a_key_from_the_command_line_to_the_first_answer_and_back(serve):
    server = serve(TWO, stub.settings())
    before = server.config_path.read_text()
    config = ["--config", str(server.config_path)]
    added = server.cli("user", "add", "ann", "--role", "admin", *config)
    assert added.returncode == 0, added.stderr
    ann = added.stdout.strip()
    assert added.stdout == ann + "\n" and ann.startswith("holdfast_") and len(ann) == 52
    assert ann not in added.stderr and "holdfast reload" in added.stderr
    bob = json.loads(server.cli("user", "add", "bob", "--max-active", "3", "--json",
                                *config).stdout)
    assert (bob["name"], bob["role"], bob["max_active"]) == ("bob", "user", 3)

    text = server.config_path.read_text()
    assert text.startswith(before), "what was there stays byte for byte"
    assert ann not in text and bob["key"] not in text
    assert people.digest(ann) in text and people.digest(bob["key"]) in text

    assert server.chat(chat("a")).status == 200, "not before the file was read again"
    assert server.cli("reload").returncode == 0
    assert server.chat(chat("a")).status == 401
    for key in (ann, bob["key"]):
        assert server.chat(chat("a"), headers=with_key(key)).status == 200

    twice = server.cli("user", "add", "ann", *config)
    assert twice.returncode == 1 and "already" in twice.stderr and twice.stdout == ""
    assert server.config_path.read_text() == text
    listed = server.cli("user", "list", *config).stdout.splitlines()
    assert [line.split() for line in listed[1:]] == [["ann", "admin", "-"], ["bob", "user", "3"]]

    assert server.cli("user", "remove", "bob", *config).returncode == 0
    assert server.cli("reload", key=ann).returncode == 0
    assert server.chat(chat("a"), headers=with_key(bob["key"])).status == 401
    gone = server.cli("user", "remove", "bob", *config)
    assert gone.returncode == 1 and "no user" in gone.stderr
    last = server.cli("user", "remove", "ann", *config)
    assert last.returncode == 0 and "without a key" in last.stderr
    assert server.config_path.read_text() == before
    server.stop()


def test_the_first_user_makes_a_file_where_a_server_looks(serve):
    server = serve(TWO, started=False)  # for its folder and its environment: HOME is there
    server.port = 1
    added = server.cli("user", "add", "ann")
    assert added.returncode == 0, added.stderr
    made = server.folder / ".config" / "holdfast" / "holdfast.toml"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    assert "Nobody is an administrator yet" in added.stderr
    assert json.loads(server.cli("user", "list", "--json").stdout) == {
        "users": [{"name": "ann", "role": "user", "max_active": None}], "config_file": str(made)}


def test_a_bare_name_of_a_new_file_is_one_in_the_folder_we_are_in(serve):
    server = serve(TWO, started=False)
    server.port = 1
    added = server.cli("user", "add", "ann", "--config", "new.toml")
    assert added.returncode == 0, added.stderr
    assert "ann" in (server.folder / "new.toml").read_text()


def test_the_last_administrator_does_not_go_unnoticed(serve):
    server = serve(TWO, started=False)
    server.port = 1
    config = ["--config", "team.toml"]
    for name, role in (("ann", "admin"), ("joe", "admin"), ("bob", "user")):
        assert server.cli("user", "add", name, "--role", role, *config).returncode == 0
    first = server.cli("user", "remove", "joe", *config)
    assert "Nobody is an administrator" not in first.stderr and "holdfast reload" in first.stderr
    last = server.cli("user", "remove", "ann", *config)
    assert last.returncode == 0 and "Nobody is an administrator any more" in last.stderr
    assert "SIGHUP" in last.stderr and "restarts it" in last.stderr


def test_the_last_user_of_a_public_server_stays(serve):
    """Neither the command nor a reload leaves a port that others reach without keys."""
    server = serve(TWO, stub.settings(**{"": {"listen": "0.0.0.0:0"}}), started=False)
    server.extra_config = people.table("ada", "k-ada", "admin")
    server.start()
    removed = server.cli("user", "remove", "ada", "--config", str(server.config_path))
    assert removed.returncode == 2 and "nothing was changed" in removed.stderr
    assert "ada" in server.config_path.read_text()
    server.extra_config = ""
    server.write_config()
    refused = server.post("/api/v1/reload", headers=with_key("k-ada"))
    assert (refused.status, refused.error["code"]) == (422, "config_invalid")
    assert server.chat(chat("a")).status == 401
    server.stop()


@pytest.mark.parametrize("arguments", [
    ["add"], ["add", ""], ["add", "a\nb"], ["add", "x" * 101], ["add", "ann", "--role", "root"],
    ["add", "ann", "--max-active", "0"], ["remove"], []], ids=str)
def test_wrong_usage_makes_no_key(serve, arguments):
    server = serve(TWO, started=False)
    server.port = 1
    wrong = server.cli("user", *arguments)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert not (server.folder / ".config").exists()

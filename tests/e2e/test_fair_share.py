"""A user with 200 parallel requests beside one with a single request, measured."""

import json
import time

import pytest

from harness import people, stub
from harness.http import Connection
from harness.people import with_key
from harness.prompts import completion
from harness.waiting import wait_until

FLOOD = 200
SINGLES = 6
PATH = "/v1/completions"


def flood(server, body):
    """So many requests at once, each on a connection of its own."""
    connections = [Connection(server.port) for _ in range(FLOOD)]
    for connection in connections:
        connection.send("POST", PATH, json.dumps(body).encode(), with_key("k-flood"))
    return connections


def waiting(server):
    return sum(wait["requests"] for wait in
               server.get("/health", headers=with_key("k-single")).json["waiting"])


def turns_ms(journal):
    """How long each of the flood's answers held its slot."""
    begun = {line["request"]: line["t_ms"] for line in journal
             if line["event"] == "grant" and line["user"] == "flood"}
    return [line["t_ms"] - begun[line["request"]] for line in journal
            if line["event"] == "release" and line["request"] in begun]


def grants_first(journal, grant, waited_ms):
    """Grants of others between its arrival and its own. Both are on the server's clock, in whole
    milliseconds: what happened within the one of its arrival came before it."""
    at = journal.index(grant)
    arrived = grant["t_ms"] - waited_ms
    return [line for line in journal[:at]
            if line["event"] == "grant" and line["t_ms"] > arrived + 1]


@pytest.mark.parametrize("slots", [1, 4])
@pytest.mark.parametrize("engine", ["stub", "stock"])
def test_a_flood_delays_a_single_request_by_no_more_than_one_turn(serve, engine, slots):
    settings = {"queue": {"max_waiting": 300}, "defaults": {"parallel": slots, "context": 1024}}
    if engine == "stub":
        settings = stub.settings(**settings)
    server = serve({"a": "slow-1"}, settings, started=False)
    server.extra_config = people.table("flood", "k-flood") + people.table("single", "k-single")
    server.start()
    tokens = 10 if engine == "stub" else 40
    if engine == "stub":
        stub.script(server, "a", token_ms=20)
    body = completion("a", tokens)
    alone = server.post(PATH, body, headers=with_key("k-single"))
    begun = time.monotonic()
    alone = server.post(PATH, body, headers=with_key("k-single"))
    alone_s = time.monotonic() - begun
    assert alone.status == 200

    connections = flood(server, body)
    wait_until(lambda: waiting(server) > FLOOD // 2, "most of the flood waits")
    waited_ms, took_s = [], []
    for _ in range(SINGLES):
        begun = time.monotonic()
        answer = server.post(PATH, body, headers=with_key("k-single"))
        took_s.append(time.monotonic() - begun)
        assert answer.status == 200, answer
        waited_ms.append(int(answer.headers["x-holdfast-waited-ms"]))
    left = waiting(server)
    assert left > slots, "the flood was still there at the end"

    journal = server.journal("grant", "release")
    grants = [line for line in journal if line.get("user") == "single"][-SINGLES:]
    longest_turn_ms = max(turns_ms(journal))
    first = [len(grants_first(journal, grant, waited))
             for grant, waited in zip(grants, waited_ms)]
    print(json.dumps({"test": "fair_share", "engine": engine, "slots": slots, "flood": FLOOD,
                      "flood_left": left, "alone_s": round(alone_s, 3),
                      "single_s": [round(value, 3) for value in took_s],
                      "single_waited_ms": waited_ms, "grants_first": first,
                      "longest_turn_ms": longest_turn_ms}))
    assert first == [0] * SINGLES, "it gets the next free slot"
    assert max(waited_ms) <= longest_turn_ms + 1
    for connection in connections:
        connection.close()
    wait_until(lambda: server.get("/health", headers=with_key("k-single")).json[
        "active_model_requests"] == {}, "the flood has left")
    server.stop()

"""More of the peers' tests (see test_peers_catalogue.py): who goes, and how many stay."""

import contextlib
import json
import sqlite3
import threading
import time

import pytest

from harness import processes
from harness.load import Busy, ask, is_right, tokens_in
from harness.prompts import completion, endless
from harness.waiting import wait_until

TINY_TWO = {"a": "tiny-1", "b": "tiny-2"}
_SAMPLE_EVERY_S = 0.01


class MostChildren:
    """The largest number of living children at any sample while its block runs."""

    def __init__(self, server):
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.samples = 0
        self.most = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _look(self):
        while not self._over.wait(_SAMPLE_EVERY_S):
            self.most = max(self.most, len(processes.children_of(self._server.process.pid)))
            self.samples += 1


def victims(server):
    return [line["model"] for line in server.journal("stop_signal")]


def test_t19_the_model_that_nobody_used_for_long_goes(serve, room_for):
    """The ten minutes are written into the history: as long as a person would not wait. The long
    times themselves pass in tests/scenarios/victim_by_use.txt."""
    server = serve({"a": "tiny-1", "b": "tiny-2", "c": "tiny-3"}, room_for(2, "tiny-1"))
    for model in ("a", "b"):
        assert is_right(ask(server, completion(model, 1)))
    server.stop()
    with contextlib.closing(sqlite3.connect(server.folder / "history.db")) as history, history:
        changed = history.execute(
            "UPDATE model_stats SET last_use_ms = last_use_ms - 600000 WHERE name = 'b'")
        assert changed.rowcount == 1
    server.start()
    server.load("b", "a")  # a load is no use
    for _ in range(5):
        assert is_right(ask(server, completion("a", 1)))
    assert is_right(ask(server, completion("c", 1)))
    assert victims(server)[-1:] == ["b"]
    assert server.loaded() == ["a", "c"]
    server.stop()


def test_t19_the_idle_model_goes_although_the_busy_one_was_asked_before_it(serve, room_for):
    server = serve({"a": "slow-1", "b": "slow-2", "c": "slow-3"}, room_for(2))
    stream = server.stream(endless("a")).wait_for_tokens()
    assert is_right(ask(server, completion("b", 1)))  # younger than a's request, but idle
    assert is_right(ask(server, completion("c", 1)))
    assert victims(server) == ["b"]
    assert stream.end is None
    stream.close()
    server.stop()


@pytest.mark.parametrize("rounds", [15, pytest.param(100, marks=pytest.mark.long)])
def test_t20_never_more_than_the_limit_when_two_are_asked_at_once(serve, room_for, rounds):
    server = serve(TINY_TWO, room_for(1, "tiny-1"))
    together = threading.Barrier(2)
    asked = []

    def client(model):
        for _ in range(rounds):
            together.wait()
            asked.append(ask(server, completion(model, 1)))

    clients = [threading.Thread(target=client, args=(model,)) for model in TINY_TWO]
    with MostChildren(server) as children:
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
    assert len(asked) == 2 * rounds
    assert all(map(is_right, asked)), [one for one in asked if not is_right(one)][:3]
    print(json.dumps({"rounds": rounds, "samples": children.samples, "most": children.most,
                      "loads": len(server.journal("spawn"))}))
    assert children.most == 1
    assert children.samples > rounds
    server.stop()  # its audit knows whether a loading child was stopped


@pytest.mark.parametrize("busy_s", [2, pytest.param(40, marks=pytest.mark.long)])
def test_t20_a_pinned_and_busy_model_keeps_the_only_place(serve, room_for, busy_s):
    server = serve({"a": "slow-1", "b": "slow-2"}, room_for(1))
    assert server.post("/api/v1/models/a/pin").status == 200
    tokens = tokens_in(server, "a", 0.3)
    refused = []
    with MostChildren(server) as children, Busy(server, "a", 3, tokens) as busy:
        while time.monotonic() < busy.begun + busy_s:
            refused.append(ask(server, completion("b", 1)).answer)
            begun = len(busy.asked)
            wait_until(lambda: len(busy.asked) > begun, "a answers")
    assert {(answer.status, answer.error["code"]) for answer in refused} == {(422, "never_fits")}
    assert busy.wrong == [], busy.wrong[:3]
    assert children.most == 1
    assert [line["model"] for line in server.journal("spawn")] == ["a"]
    assert victims(server) == []
    server.stop()

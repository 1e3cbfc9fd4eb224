"""Models of kind command on cards: what they declare is reserved there, and what their workers hold
is theirs. With a fake driver."""

import pytest

from harness import command, processes, stub
from harness.cards import GIB, Cards
from harness.prompts import chat
from harness.waiting import wait_until


@pytest.fixture
def cards(tmp_path):
    return Cards(tmp_path)


def prepared(serve, cards, *names, placed=None, **keys):
    server = serve(placed or {}, cards.settings(), started=False)
    for name in names:
        command.add(server, name, **keys)
    return server


def domain(server, name):
    return next(each for each in server.health()["memory"]["domains"] if each["name"] == name)


def visible(server, name):
    return command.events(server, name, "start")[-1]["env"].get("CUDA_VISIBLE_DEVICES")


def test_it_makes_room_on_the_card_that_it_declares(serve, cards):
    server = prepared(serve, cards, "x", "y", gpu_bytes="5GiB", gpus=[1])
    command.add(server, "z", gpu_bytes=["1GiB", "2GiB"])
    command.add(server, "ram")
    server.start()
    server.load("x")
    assert domain(server, "cuda1")["reserved_bytes"] == 5 * GIB
    assert domain(server, "cuda0")["reserved_bytes"] == 0
    server.load("z", "ram")
    assert server.loaded() == ["ram", "x", "z"]
    server.load("y")  # 7.5 GiB: beside z, but not beside x
    assert server.loaded() == ["ram", "y", "z"]
    assert domain(server, "cuda1")["reserved_bytes"] == 7 * GIB
    assert [visible(server, name) for name in ("x", "z", "ram")] == ["1", "0,1", ""]
    assert server.cached("z")["bytes_by_domain"]["cuda1"]["reserved"] == 2 * GIB
    server.stop()


def test_cards_count_for_it_that_the_engine_cannot_use(serve, tmp_path):
    cards = Cards(tmp_path, devices=[])
    server = prepared(serve, cards, "x", placed={"a": "tiny-1"}, gpu_bytes="3GiB")
    server.start()
    server.load("x", "a")
    assert domain(server, "cuda0")["reserved_bytes"] == 3 * GIB
    words = stub.events(server, "a", "start")[-1]["args"]
    assert "--device" not in words, "the engine's own models stay in RAM"
    server.stop()


def test_what_its_workers_hold_on_a_card_is_its_own(serve, cards):
    server = prepared(serve, cards, "x", gpu_bytes="3GiB")
    command.script(server, "x", family=True)
    server.start()
    server.load("x")
    budget = domain(server, "cuda0")["budget_bytes"]
    family = command.family(server, "x")
    for pid in family[1:]:
        cards.held[0, pid] = GIB // 2
    cards.write()
    wait_until(lambda: server.cached("x")["bytes_by_domain"]["cuda0"]["measured"] == 3 * GIB // 2,
               "its workers' memory is measured")
    assert domain(server, "cuda0")["budget_bytes"] == budget, "it is nobody else's"
    # It is gone when the driver has it back.
    assert server.post("/api/v1/models/x/unload").status == 200
    wait_until(lambda: not any(map(processes.is_alive, family)), "its processes have ended")
    assert server.cached("x")["state"] == "stopping"
    cards.held.clear()
    cards.write()
    wait_until(lambda: server.cached("x") is None, "it is gone")
    assert domain(server, "cuda0")["budget_bytes"] == budget
    server.stop()


def test_a_card_that_is_not_there_is_said(serve, cards):
    server = prepared(serve, cards, "x", gpu_bytes="1GiB", gpus=[4]).start()
    refused = server.chat(chat("x"))
    assert (refused.status, refused.error["code"]) == (422, "model_broken")
    assert "it needs card 4, and 2 are counted here" in refused.error["message"]
    told = server.cli("doctor", "--config", str(server.config_path)).stdout
    assert "gpu_bytes: there is no card 4" in told
    server.stop()


def test_more_than_a_card_can_give_is_refused(serve, cards):
    server = prepared(serve, cards, "x", gpu_bytes="9GiB").start()
    refused = server.chat(chat("x"))
    assert (refused.status, refused.error["code"]) == (422, "never_fits")
    assert "`gpu_bytes`" in refused.error["hint"]
    server.stop()

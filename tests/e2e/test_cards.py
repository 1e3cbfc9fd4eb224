"""Cards: their budgets, where models go, and that their memory is awaited. With a fake driver."""

import os
import signal
import time

import pytest

from harness import models, processes, stub
from harness.cards import GIB, MIB, Cards
from harness.prompts import chat
from harness.waiting import wait_until


@pytest.fixture
def cards(tmp_path):
    return Cards(tmp_path)


def arguments(server, model):
    """The flags of the model's latest process, by name."""
    words = stub.events(server, model, "start")[-1]["args"]
    return {word: words[i + 1] if i + 1 < len(words) else "" for i, word in enumerate(words)}


def domains(server):
    return {domain["name"]: domain for domain in server.health()["memory"]["domains"]}


def test_models_are_dealt_out_over_the_cards_and_counted_there(serve, cards):
    server = serve({"a": "tiny-1", "b": "tiny-2"}, cards.settings())
    server.wait_for_line(r"budget of cuda0 \(Fake\): 7.50 GiB = 8.00 GiB - 0 B used by others")
    server.load("a", "b")
    assert arguments(server, "a")["--device"] == "CUDA0"
    assert arguments(server, "b")["--device"] == "CUDA1"
    assert arguments(server, "a")["--split-mode"] == "none"
    assert int(arguments(server, "a")["--n-gpu-layers"]) > 1
    seen = domains(server)
    assert list(seen) == ["host", "cuda0", "cuda1"]
    for card in ("cuda0", "cuda1"):
        assert seen[card]["total_bytes"] == 8 * GIB
        assert 500_000_000 < seen[card]["reserved_bytes"] < seen[card]["budget_bytes"]
    bytes_of_a = server.cached("a")["bytes_by_domain"]
    assert bytes_of_a["cuda0"]["reserved"] == seen["cuda0"]["reserved_bytes"]
    assert "cuda1" not in bytes_of_a
    assert "CARDS" in server.cli("ps").stdout
    child = processes.environment(server.child_of("a"))
    assert child["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    server.stop()


def test_a_card_that_is_full_makes_its_idle_model_leave(serve, cards):
    """A card of 2 GiB holds one model, not two; RAM would hold both."""
    cards.total = 2 * GIB
    cards.write()
    settings = cards.settings(defaults={"gpus": [0]}, memory={"gpu_budget": "1GiB"})
    server = serve({"a": "tiny-1", "b": "tiny-2"}, settings)
    server.load("a")
    server.load("b")
    server.wait_loaded("b")
    server.stop()


def test_a_child_is_gone_when_the_driver_has_its_memory_back(serve, cards):
    settings = cards.settings(defaults={"gpus": [0]}, memory={"gpu_budget": "1GiB"})
    server = serve({"a": "tiny-1", "b": "tiny-2"}, settings)
    server.load("a")
    pid = server.child_of("a")
    cards.held[0, pid] = 900 * MIB
    cards.write()
    wait_until(lambda: server.cached("a")["bytes_by_domain"]["cuda0"]["measured"] == 900 * MIB,
               "the card's memory is measured")
    asked = server.stream(chat("b", max_tokens=1))
    wait_until(lambda: not processes.is_alive(pid), "a's process has ended")
    assert server.cached("a")["state"] == "stopping"
    assert server.journal("exit", "spawn")[-1]["model"] == "a"  # its own spawn
    cards.held.clear()
    cards.write()
    assert asked.finish().end == "complete"
    assert [line["event"] for line in server.journal("exit", "spawn")] == ["spawn", "exit", "spawn"]
    assert not any("has not given back" in line for line in server.lines)
    assert server.get("/api/v1/models").json["models"][0]["bytes_estimated"] > 900 * MIB
    server.stop()


def test_a_driver_that_keeps_the_memory_is_not_waited_for_for_ever(serve, cards):
    settings = cards.settings(defaults={"gpus": [0]}, memory={"gpu_budget": "1GiB"})
    server = serve({"a": "tiny-1", "b": "tiny-2"}, settings)
    server.load("a")
    cards.held[0, server.child_of("a")] = 100 * MIB
    cards.write()
    wait_until(lambda: server.cached("a")["bytes_by_domain"]["cuda0"]["measured"], "it is measured")
    assert server.chat(chat("b", max_tokens=1)).status == 200
    server.wait_for_line("a ended 5.* ago and the driver has not given back its memory")
    server.stop()


def test_what_a_crashed_child_held_is_not_taken_for_somebody_elses_at_once(serve, cards):
    """In a container the driver does not list our processes: only what is in use tells of them."""
    server = serve({"a": "tiny-1"}, cards.settings(defaults={"gpus": [0]}))
    server.load("a")
    before = domains(server)["cuda0"]["budget_bytes"]
    cards.others[0] = domains(server)["cuda0"]["reserved_bytes"]
    cards.write()
    wait_until(lambda: domains(server)["cuda0"]["used_bytes"] == cards.others[0], "a look")
    assert domains(server)["cuda0"]["budget_bytes"] == before
    os.kill(server.child_of("a"), signal.SIGKILL)
    died = time.monotonic()
    wait_until(lambda: domains(server)["cuda0"]["budget_bytes"] < before, "nobody waits any more")
    assert time.monotonic() - died > 3, "the driver has 5 s to give it back"
    server.stop()


def listed(server):
    return [model["name"] for model in server.get("/api/v1/models").json["models"]]


def test_what_others_take_of_a_card_is_refused_for_now(serve, cards):
    """It would fit without them, so they are named, and it is served once they leave."""
    server = serve({"a": "tiny-1"}, cards.settings(defaults={"gpus": [0]}))
    before = domains(server)["cuda0"]["budget_bytes"]
    cards.others[0] = 7 * GIB + 256 * MIB
    cards.write()
    wait_until(lambda: domains(server)["cuda0"]["budget_bytes"] == 256 * MIB, "a smaller budget")
    for path in ("/v1/chat/completions", "/v1/messages", "/api/v1/models/a/load"):
        refused = server.post(path, chat("a"))
        assert (refused.status, refused.error["code"]) == (503, "card_taken"), path
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.error["available_bytes"] == 256 * MIB
        assert "on cuda0, and other programs leave 256 MiB there" in refused.error["message"]
    pinned = server.post("/api/v1/models/a/pin")
    assert (pinned.status, pinned.error["code"]) == (503, "card_taken")
    assert "on cuda0" in pinned.error["message"] and int(pinned.headers["retry-after"]) >= 1
    assert server.journal("spawn") == []
    assert "on card 0, and other programs leave 256 MiB" in server.journal("refuse")[0]["reason"]
    assert "other programs leave 256 MiB" in server.cli("explain", "a").stdout
    cards.others[0] = 0
    cards.write()
    wait_until(lambda: domains(server)["cuda0"]["budget_bytes"] == before, "the budget is back")
    assert server.chat(chat("a")).status == 200
    server.stop()


def test_who_waits_when_a_neighbour_comes_is_told_so_and_who_is_served_goes_on(serve, cards):
    settings = cards.settings(defaults={"gpus": [0]}, memory={"gpu_budget": "1GiB"})
    server = serve({"a": "tiny-1", "b": "tiny-2"}, settings)
    gate = server.folder / "go on"
    answer = stub.held(server, "a", gate)
    asked = server.stream(chat("b"))
    wait_until(lambda: server.health()["waiting"], "b waits for a's memory")
    cards.others[0] = 8 * GIB
    cards.write()
    assert asked.finish().status == 503
    assert server.journal("refuse")[0]["why"] == "card_taken"
    gate.touch()
    assert answer.finish().end == "complete"
    server.stop()


def test_what_would_not_fit_without_a_neighbour_is_refused_for_good(serve, cards):
    settings = cards.settings(defaults={"gpus": [0]}, memory={"gpu_budget": "1GiB"})
    server = serve({"a": "tiny-1", "b": "tiny-2"}, settings)
    assert server.post("/api/v1/models/a/pin").status == 200
    alone = server.chat(chat("b"))
    assert (alone.status, alone.error["code"]) == (422, "never_fits")
    assert "(now 1.00 GiB on cuda0)" in alone.error["hint"]
    assert "are pinned on cuda0" in alone.error["hint"]
    cards.others[0] = 8 * GIB
    cards.write()
    wait_until(lambda: domains(server)["cuda0"]["budget_bytes"] < GIB, "a smaller budget")
    beside = server.chat(chat("b"))
    assert (beside.status, beside.error) == (422, alone.error)
    server.stop()


def test_a_pin_of_the_file_waits_for_the_neighbour_to_leave(serve, cards):
    server = serve({"a": "tiny-1"}, cards.settings(defaults={"gpus": [0]}))
    cards.others[0] = 8 * GIB
    cards.write()
    wait_until(lambda: domains(server)["cuda0"]["budget_bytes"] == 0, "a smaller budget")
    server.settings['models."a"']["pin"] = True
    server.settings['models."a"']["gpu_layers"] = "all"
    server.write_config()
    assert server.post("/api/v1/reload").status == 200
    server.wait_for_line("a cannot be pinned: ")
    cards.others[0] = 0
    cards.write()
    server.wait_loaded("a")
    assert server.cached("a")["pinned"] is True
    server.stop()


def test_a_neighbour_that_leaves_is_noticed_though_the_driver_lists_no_child(serve, cards):
    """As in a container. Nobody comes or goes meanwhile, so what falls is the neighbour's."""
    server = serve({"a": "tiny-1"}, cards.settings(defaults={"gpus": [0]}))
    server.load("a")
    before = domains(server)["cuda0"]["budget_bytes"]
    held = domains(server)["cuda0"]["reserved_bytes"]
    cards.others[0] = held + 4 * GIB
    cards.write()
    wait_until(lambda: domains(server)["cuda0"]["budget_bytes"] <= before - 4 * GIB, "it came")
    cards.others[0] = held
    cards.write()
    wait_until(lambda: domains(server)["cuda0"]["budget_bytes"] == before, "it left")
    server.stop()


def test_a_reload_that_fails_leaves_models_to_be_placed_as_before(serve, cards):
    server = serve({"a": "tiny-1"}, cards.settings())
    cards.others[1] = 8 * GIB
    cards.write()
    wait_until(lambda: domains(server)["cuda1"]["budget_bytes"] == 0, "somebody takes cuda1")
    models_dir = server.settings[""]["models_dir"]
    server.settings[""]["models_dir"] = server.folder / "missing"
    server.write_config()
    assert server.post("/api/v1/reload").status == 422
    models.place("tiny-2", server.models_dir, "b")
    wait_until(lambda: "b" in listed(server), "b is known")
    assert server.chat(chat("b")).error["code"] == "card_taken", "cuda1 had more room at the start"
    server.settings[""]["models_dir"] = models_dir
    server.write_config()
    assert server.post("/api/v1/reload").status == 200
    assert server.chat(chat("b")).status == 200
    assert arguments(server, "b")["--device"] == "CUDA0"
    server.stop()


def test_hidden_cards_are_not_used(serve, tmp_path):
    cards = Cards(tmp_path, devices=["CUDA0"])
    server = serve({"a": "tiny-1"}, cards.settings(), {"CUDA_VISIBLE_DEVICES": "GPU-0001"})
    cards.others[1] = GIB
    cards.write()
    wait_until(lambda: domains(server)["cuda0"]["used_bytes"] == GIB, "cuda0 is the second card")
    server.load("a")
    assert arguments(server, "a")["--device"] == "CUDA0"
    server.stop()


def test_an_engine_for_the_cpu_only_counts_no_card(serve, tmp_path):
    cards = Cards(tmp_path, devices=[])
    server = serve({"a": "tiny-1"}, cards.settings(**{'models."a"': {"gpu_layers": 5}}))
    server.wait_for_line("gpu_layers of a changes nothing in the budget: this engine computes on")
    server.load("a")
    assert list(domains(server)) == ["host"]
    assert "--device" not in arguments(server, "a")
    assert "CARDS" not in server.cli("ps").stdout
    server.stop()


def test_a_card_that_falls_off_is_told_and_hurts_nobody(serve, cards):
    server = serve({"a": "tiny-1"}, cards.settings())
    server.load("a")
    cards.extra = "fail nvmlDeviceGetMemoryInfo 15\n"
    cards.write()
    server.wait_for_line("cuda0 is gone: its figures are old")
    assert server.chat(chat("a")).status == 200
    assert "cuda0 cannot be read: its figures are old" in server.health()["warnings"]
    cards.extra = ""
    cards.write()
    server.wait_for_line("cuda0 is back")
    server.stop()


def test_a_slow_driver_keeps_nobody_waiting(serve, cards):
    """Each look takes two seconds; answers, health and new files do not wait for it."""
    server = serve({"a": "tiny-1"}, cards.settings())
    cards.extra = "delay nvmlDeviceGetCount_v2 2000\n"
    cards.write()
    assert server.chat(chat("a")).status == 200
    assert server.get("/health", timeout=1).status == 200
    server.stop()


def test_a_driver_that_hangs_does_not_hold_up_the_end(serve, cards):
    server = serve({"a": "tiny-1"}, cards.settings())
    server.load("a")
    cards.extra = "hang nvmlDeviceGetCount_v2\n"
    cards.write()
    wait_until(cards.hangs, "a look hangs in the driver")
    assert server.chat(chat("a")).status == 200
    asked = time.monotonic()
    server.stop()
    assert time.monotonic() - asked < 15, "2 s for the driver, and the rest on a busy machine"
    assert any("its thread is left behind" in line for line in server.lines)


def test_nor_does_one_that_hangs_when_it_is_closed(serve, cards):
    cards.extra = "hang nvmlShutdown\n"
    cards.write()
    server = serve({"a": "tiny-1"}, cards.settings())
    server.stop()
    assert cards.hangs() and any("its thread is left behind" in line for line in server.lines)


def test_a_server_that_uses_no_card_closes_the_driver_at_once(serve, tmp_path):
    """A driver that hangs then is left behind, and is remembered until the end."""
    cards = Cards(tmp_path, devices=[])
    cards.extra = "hang nvmlShutdown\n"
    cards.write()
    server = serve({"a": "tiny-1"}, cards.settings())
    assert cards.hangs() and server.chat(chat("a")).status == 200
    server.stop()
    assert any("its thread is left behind" in line for line in server.lines)

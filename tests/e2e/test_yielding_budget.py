"""Other programs use more than when the server started: a budget that was computed yields to them,
so that models are not thrown out and fetched back in turns, and grows back when they leave."""

import re

from harness import models, page_cache
from harness.hog import Hog
from harness.prompts import chat, count, count_text
from harness.units import bytes_of_text
from harness.waiting import wait_until

MIB = 1024 * 1024
GIB = 1024 * MIB
NAMES = ("a", "b", "c", "d")


def memory(server):
    return server.health()["memory"]


def wait_for_budget(server, expected, tolerance):
    wait_until(lambda: abs(memory(server)["budget_bytes"] - expected) <= tolerance,
               f"a budget of {expected}")


def fits(server, full):
    """It has yielded, and what is loaded fits what is left."""
    now = memory(server)
    return now["reserved_bytes"] <= now["budget_bytes"] < full


def last_budget(server):
    return server.journal("budget")[-1]


def test_it_yields_with_its_arithmetic_and_grows_back(serve):
    server = serve({"a": "slow-1", "b": "tiny-1"}, {"memory": {"budget": None}})
    full = memory(server)["full_budget_bytes"]
    assert memory(server)["budget_bytes"] == full
    assert abs(full - (64 * 0.6 * GIB)) < GIB  # 30 % used by others, 10 % in reserve
    running = server.stream(count("a", 300)).wait_for_tokens()

    server.machine.use(60.0)
    wait_for_budget(server, full - 64 * 0.3 * GIB, GIB)
    line = server.wait_for_line("budget: .* for now instead of")
    terms = re.search(r"budget: (\S+ \S+) for now instead of (\S+ \S+): RAM (\S+ \S+) - (\S+ \S+) "
                      r"used by others - (\S+ \S+) in reserve$", line)
    assert terms, line
    now, was, ram, others, reserve = map(bytes_of_text, terms.groups())
    assert abs(now - (ram - others - reserve)) < GIB and abs(was - full) < GIB
    assert last_budget(server)["bytes"] == memory(server)["budget_bytes"]
    assert memory(server)["full_budget_bytes"] == full

    # Less than a needs: it stays at what the largest model needs, and nobody is refused.
    server.machine.use(89.95)
    wait_until(lambda: memory(server)["budget_bytes"] < GIB, "it yields as far as it may")
    server.wait_for_line("in reserve, but what the largest model needs$")
    assert (running.finish().end, running.text) == ("complete", count_text(300))
    for name in ("b", "a"):
        assert server.chat(chat(name)).status == 200
    assert "never_fits" not in [line["why"] for line in server.journal("refuse")]
    models.place("middle-1", server.models_dir, "new")  # it needs more than is left
    wait_until(lambda: "new" in server.get("/v1/models").body.decode(), "a new model")
    assert server.chat(chat("new")).status == 200

    server.machine.use(30.0)
    wait_for_budget(server, full, 0)
    server.stop()


def test_a_configured_budget_is_a_decision(serve):
    server = serve({"a": "tiny-1"})
    server.machine.use(80.0)
    wait_until(lambda: memory(server)["used_percent"] == 80.0, "a reading")
    assert server.chat(chat("a")).status == 200
    assert memory(server)["budget_bytes"] == memory(server)["full_budget_bytes"] == 64 * GIB
    assert server.journal("budget") == []
    server.stop()


def test_a_neighbour_who_stays_does_not_make_models_come_and_go(serve, memory_group, bytes_of):
    """Four models fit the full budget; beside the neighbour they would be above the high mark. They
    are swapped for each other instead, and the machine stays below its marks."""
    options = {"context": 1024, "parallel": 2, "load_mode": "none"}
    group = memory_group(512 * MIB + int(4.2 * bytes_of("middle-1", **options)))
    server = serve({}, {"memory": {"budget": None, "proc_root": None}, "defaults": options},
                   started=False)
    for seed, name in enumerate(NAMES, 1):
        file = server.models_dir / f"{name}.gguf"
        models.generate(file, "--size", "210MB", "--seed", str(seed), "--context", "8192")
        page_cache.forget(file)
    server.group = group
    server.start()
    server.load(*NAMES)
    full = memory(server)["full_budget_bytes"]
    assert memory(server)["budget_bytes"] == full, "its own models are no neighbours"
    assert len(server.loaded()) == 4

    with Hog(group) as hog:
        hog.push_to(91.0)
        # By all that it took: a sample that came while it grew yields a part only.
        left = full - hog.held_mib * MIB + 64 * MIB
        wait_until(lambda: memory(server)["level"] == "normal" and fits(server, left),
                   "it yields, and the pressure is over")
        before = len(server.journal("stop_signal"))
        for name in (*NAMES, *NAMES):
            assert server.chat(chat(name)).status == 200
            assert memory(server)["level"] == "normal"
        whys = {line["why"] for line in server.journal("stop_signal")[before:]}
        assert whys == {"idle_victim"}, whys
        assert group.oom_kills() == 0
    wait_for_budget(server, full, 0)
    server.load(*NAMES)
    assert len(server.loaded()) == 4
    server.stop()


def test_a_reload_that_says_nothing_of_the_budget_leaves_it_yielded(serve):
    server = serve({"a": "tiny-1"}, {"memory": {"budget": None}})
    full = memory(server)["full_budget_bytes"]
    server.machine.use(60.0)
    wait_for_budget(server, full - 64 * 0.3 * GIB, GIB)
    yielded = memory(server)["budget_bytes"]
    server.settings["queue"]["patience"] = "20s"
    server.write_config()
    assert server.post("/api/v1/reload").status == 200
    assert memory(server)["budget_bytes"] == yielded
    server.stop()


def test_what_fits_once_a_pin_is_gone_is_not_measured_by_what_a_neighbour_left(serve, bytes_of):
    """b fits the full budget, but not beside the pinned a: the budget yields below it. Then a's pin
    goes, and b comes at once."""
    server = serve({"a": "tiny-1", "b": "middle-1"},
                   {"memory": {"budget": None}, "models.a": {"pin": True}}, started=False)
    room = bytes_of("middle-1") + bytes_of("tiny-1") // 2
    server.machine.use(round(90 - 100 * room / (64 * GIB), 2))
    server.start()
    server.wait_loaded("a")
    full = memory(server)["full_budget_bytes"]
    assert bytes_of("middle-1") < full < bytes_of("middle-1") + bytes_of("tiny-1")
    server.machine.use(89.99)
    wait_until(lambda: memory(server)["budget_bytes"] < bytes_of("middle-1"), "it yields")
    assert server.chat(chat("b")).status == 422
    assert server.post("/api/v1/models/a/unpin").status == 200
    assert server.chat(chat("b")).status == 200
    server.stop()

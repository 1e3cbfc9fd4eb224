"""U11, afterwards: `holdfast advise` replays what was recorded under other budgets."""

import json
import sqlite3
import subprocess
import xml.etree.ElementTree

from harness import paths
from harness.prompts import chat
from harness.waiting import wait_until

TWO = {"a": "tiny-1", "b": "tiny-2"}
ROUNDS = 12


def take_turns(server, rounds=ROUNDS):
    for _ in range(rounds):
        for name in ("a", "b"):
            assert server.chat(chat(name)).status == 200


def recorded(server):
    """Rows of the history so far; the server writes while this reads."""
    history = sqlite3.connect(f"file:{server.folder / 'history.db'}?mode=ro", uri=True)
    try:
        return history.execute("SELECT count(*) FROM requests").fetchone()[0]
    finally:
        history.close()


def advise(server, *flags):
    run = server.cli("advise", "--json", *flags)
    assert run.returncode == 0, run
    return json.loads(run.stdout)


def budgets(advice):
    """factor → the scenario of that budget."""
    return {entry["factor"]: entry for entry in advice["scenarios"] if entry["kind"] == "budget"}


def test_other_budgets_against_what_really_happened(serve, room_for):
    server = serve(TWO, room_for(1, "tiny-1"))
    take_turns(server)
    wait_until(lambda: recorded(server) == 2 * ROUNDS, "all requests are in the history")
    svg = server.folder / "advice.svg"
    advice = advise(server, "--svg", svg)  # beside the running server
    spawns = len(server.journal("spawn"))
    assert spawns == 2 * ROUNDS

    by_factor = budgets(advice)
    assert sorted(by_factor) == [0.5, 0.75, 1, 1.5, 2, 3, 4]
    assert advice["enough"] and advice["history"]["requests"] == 2 * ROUNDS
    assert advice["recorded"]["loads"] == len(server.journal("ready"))
    assert abs(by_factor[1]["loads"] - spawns) <= 2
    assert by_factor[1]["budget_bytes"] == server.health()["memory"]["budget_bytes"]
    assert by_factor[2]["loads"] == 2, "there is room for both"
    assert by_factor[2]["wait_s"]["sum"] < by_factor[1]["wait_s"]["sum"]
    assert by_factor[0.5]["not_served"] == 2 * ROUNDS, "neither fits"
    # A load here takes tenths of a second: the record and the replay agree to a few seconds.
    replayed, real = by_factor[1]["wait_s"]["sum"], advice["recorded"]["wait_s"]["sum"]
    assert abs(replayed - real) < 0.5 * real + 2 * ROUNDS * 0.3, (replayed, real)
    assert advice["trust"] == "good"
    print(json.dumps({"spawns": spawns, "replayed": by_factor[1]["loads"],
                      "waited_s": real, "replayed_s": replayed}))

    root = xml.etree.ElementTree.parse(svg).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    words = "".join(root.itertext())
    assert "Cold loads" in words and " of waiting" in words and "now: " in words
    server.stop()
    assert budgets(advise(server)) == by_factor, "without a server the same"


def test_the_table_leads_with_the_verdict_in_the_language_of_the_log(serve, room_for):
    server = serve(TWO, {**room_for(1, "tiny-1"), "log": {"language": "ru"}})
    take_turns(server)
    server.stop()
    text = server.cli("advise").stdout
    assert "Насколько этому верить" in text and "ЗАГРУЗКИ" in text
    server.settings["log"]["language"] = "en"
    server.write_config()
    text = server.cli("advise").stdout
    assert "How far to trust this" in text and "COLD LOADS" in text
    assert text.index("cold loads") < text.index("WHAT")


def test_restarts_cost_loads_that_no_budget_saves(serve):
    server = serve(TWO)
    take_turns(server, ROUNDS // 2)
    server.stop()
    server.start()
    take_turns(server, ROUNDS // 2)
    server.stop()
    advice = advise(server)
    assert advice["recorded"]["loads"] == 4
    assert {entry["loads"] for factor, entry in budgets(advice).items() if factor >= 1} == {4}
    assert advice["advised"]["more_memory"] is None


def test_nothing_is_recorded_when_switched_off(serve):
    server = serve(TWO, {"store": {"history": "off"}})
    take_turns(server)
    server.stop()
    assert recorded(server) == 0
    run = server.cli("advise")
    assert run.returncode == 0
    assert "too little history" in run.stdout and "at least 20" in run.stdout
    assert advise(server)["enough"] is False


def test_what_was_recorded_is_deleted_when_it_is_switched_off(serve):
    server = serve(TWO)
    take_turns(server, 2)
    server.stop()
    assert recorded(server) == 4
    server.settings["store"]["history"] = "off"
    server.start()
    assert recorded(server) == 0
    server.stop()


def test_only_numbers_are_recorded(serve):
    server = serve(TWO)
    secret = "a sentence that nobody else should read"
    talk = [{"role": "user", "content": secret}]
    assert server.chat(chat("a", messages=talk, user="somebody@example.org")).status == 200
    server.stop()
    assert recorded(server) == 1
    for file in server.folder.glob("history.db*"):
        content = file.read_bytes()
        assert secret.encode() not in content and b"somebody" not in content


def test_mistakes_are_said_plainly(serve, room_for):
    server = serve(TWO, room_for(1, "tiny-1"))
    run = server.cli("advise", "--history", "nowhere.db")
    assert run.returncode == 1 and "there is no such file" in run.stderr
    (server.folder / "text.db").write_text("this is no database, but it is long enough for one")
    run = server.cli("advise", "--history", "text.db")
    assert run.returncode == 1 and "text.db" in run.stderr
    assert server.cli("advise", "--since", "soon").returncode == 2
    assert server.cli("advise", "--budget", "much").returncode == 2
    take_turns(server)
    server.stop()
    assert advise(server, "--since", "1ms")["history"]["requests"] == 0
    half = advise(server, "--budget", "4GiB")
    assert budgets(half)[1]["budget_bytes"] == 4 * 2**30
    run = subprocess.run(
        [paths.holdfast(), "advise", "--svg", "advice.svg"], cwd=server.folder, check=False,
        capture_output=True, text=True, timeout=60, env={"PATH": str(server.folder)})
    assert run.returncode == 1 and "gnuplot-nox" in run.stderr
    assert not (server.folder / "advice.svg").exists()

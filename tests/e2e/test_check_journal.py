"""The auditor of journals finds what it must find, in good and in bad journals."""

import importlib.util
import json

import pytest

from harness import paths

_SPEC = importlib.util.spec_from_file_location("check_journal", paths.tool("check_journal.py"))
check_journal = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(check_journal)


def spawn(model="a", generation=1, pid=100):
    return {"event": "spawn", "model": model, "generation": generation, "pid": pid, "leases": 0}


def respawn(model="a", generation=1, pid=100):
    return {"event": "respawn", "model": model, "generation": generation, "pid": pid}


def ready(model="a", generation=1):
    return {"event": "ready", "model": model, "generation": generation, "leases": 0}


def grant(request, leases, model="a", generation=1):
    return {"event": "grant", "model": model, "generation": generation, "request": request,
            "leases": leases}


def release(request, leases, model="a", event="release"):
    return {"event": event, "model": model, "request": request, "leases": leases}


def stop(why="idle_victim", leases=0, model="a", generation=1):
    return {"event": "stop_signal", "model": model, "generation": generation, "leases": leases,
            "why": why}


def gone(model="a", generation=1):
    return {"event": "exit", "model": model, "generation": generation}


def rules(events, open_ended=False):
    """The rules broken, in order; time passes by itself."""
    lines = [json.dumps({"t_ms": number, **event}) for number, event in enumerate(events)]
    return [finding.rule for finding in check_journal.audit(lines, open_ended).findings]


LIFE = [spawn(), ready(), grant("1", 1), grant("2", 2), release("1", 1), release("2", 0),
        stop(), gone()]

GOOD = {
    "a life": LIFE,
    "two generations": [*LIFE, spawn(generation=2, pid=101), ready(generation=2),
                        stop(generation=2), gone(generation=2)],
    "two models side by side": [spawn(), spawn("b", 1, 200), ready("b"), grant("1", 1, "b"),
                                ready(), grant("2", 1), release("1", 0, "b"), release("2", 0),
                                stop(), stop(model="b"), gone("b"), gone()],
    "a crash and its cut requests": [spawn(), ready(), grant("1", 1), gone(),
                                     release("1", 0, event="cut"), spawn(generation=2, pid=101),
                                     ready(generation=2), grant("2", 1, generation=2),
                                     release("2", 0), stop(generation=2), gone(generation=2)],
    "force": [spawn(), ready(), grant("1", 1), release("1", 0, event="cut"),
              stop("forced_by_hand"), gone()],
    "a server that starts again": [*LIFE, {"event": "shutdown"},
                                   *({**event, "t_ms": 0} for event in LIFE)],
    "a server that was killed": [*LIFE[:3], {"event": "start"}, *LIFE],
    "a load ended by the shutdown": [spawn(), stop("shutdown"), gone()],
    "a failed load": [spawn(), gone(), spawn(generation=2, pid=101), gone(generation=2)],
    "another process in the same generation": [spawn(), respawn(pid=101), {**ready(), "pid": 101},
                                               stop(), gone()],
    "other events": [{"event": "cleanup", "level": "emergency"}, *LIFE,
                     {"event": "refuse", "model": "a", "request": "9"}],
}

BAD = {
    "a signal while in use": ([spawn(), ready(), grant("1", 1), stop(leases=1), release("1", 0),
                               gone()], ["no-signal-in-use"]),
    "a signal while it loads": ([spawn(), stop(), gone()], ["no-signal-loading"]),
    "two children": ([spawn(), ready(), spawn(generation=2, pid=101), stop(generation=2),
                      gone(generation=2)], ["one-child", "no-signal-loading"]),
    "a generation twice": ([*LIFE, spawn(), ready(), stop(), gone()], ["one-child"]),
    "a child during the shutdown": ([spawn(), ready(), {"event": "shutdown"}, spawn(), ready(),
                                     stop(), gone()], ["one-child", "one-child"]),
    "a grant before ready": ([spawn(), grant("1", 1), ready(), release("1", 0), stop(), gone()],
                             ["grant-when-ready"]),
    "a grant after the signal": ([spawn(), ready(), stop(), grant("1", 1), release("1", 0), gone()],
                                 ["grant-when-ready"]),
    "a grant after the exit": ([*LIFE, grant("3", 1), release("3", 0)], ["grant-when-ready"]),
    "a grant of an old generation": ([spawn(), gone(), spawn(generation=2, pid=101),
                                      ready(generation=2), grant("1", 1), stop(generation=2),
                                      gone(generation=2)], ["order"]),
    "no release": ([spawn(), ready(), grant("1", 1), gone()], ["one-outcome"]),
    "two releases": ([spawn(), ready(), grant("1", 1), release("1", 0), release("1", 0), stop(),
                      gone()], ["one-outcome"]),
    "released and cut": ([spawn(), ready(), grant("1", 1), release("1", 0),
                          release("1", 0, event="cut"), stop(), gone()], ["one-outcome"]),
    "granted twice": ([spawn(), ready(), grant("1", 1), release("1", 0), grant("1", 1),
                       release("1", 0), stop(), gone()], ["one-outcome"]),
    "released on another model": ([spawn(), ready(), grant("1", 1), release("1", 0, "b"), stop(),
                                   gone()], ["order"]),
    "a wrong count": ([spawn(), ready(), grant("1", 2), release("1", 0), stop(), gone()],
                      ["lease-count"]),
    "a child that stays": ([spawn(), ready()], ["order"]),
    "another pid": ([spawn(), {**ready(), "pid": 7}, stop(), gone()], ["order"]),
    "a respawn after it was ready": ([spawn(), ready(), respawn(pid=101), stop(), gone()],
                                     ["order"]),
    "a respawn of nothing": ([respawn(pid=101)], ["order"]),
    "time goes back": ([{**spawn(), "t_ms": 5}, {**ready(), "t_ms": 3}, {**stop(), "t_ms": 6},
                        {**gone(), "t_ms": 7}], ["order"]),
}


@pytest.mark.parametrize("name", GOOD)
def test_good_journals(name):
    assert rules(GOOD[name]) == []


@pytest.mark.parametrize("name", BAD)
def test_bad_journals(name):
    events, expected = BAD[name]
    assert rules(events) == expected


def test_what_still_runs_is_no_fault_when_said():
    events = [spawn(), ready(), grant("1", 1)]
    assert rules(events) == ["one-outcome", "order"]
    assert rules(events, open_ended=True) == []


def test_lines_that_are_no_events():
    audit = check_journal.audit(["", "[]", '{"t_ms": 1}', '{"event": "spawn"'])
    assert [finding.rule for finding in audit.findings] == ["order"] * 4
    assert [finding.line for finding in audit.findings] == [1, 2, 3, 4]


def test_the_command(tmp_path, capsys):
    journal = tmp_path / "journal.jsonl"
    journal.write_text("".join(json.dumps({"t_ms": 1, **event}) + "\n" for event in LIFE))
    assert check_journal.main([str(journal)]) == 0
    assert "0 rules broken" in capsys.readouterr().out
    journal.write_text("".join(json.dumps({"t_ms": 1, **event}) + "\n" for event in LIFE[:-3]))
    assert check_journal.main([str(journal)]) == 1
    assert "one-outcome" in capsys.readouterr().out
    journal.write_text("")
    assert check_journal.main([str(journal)]) == 1, "an empty journal proves nothing"
    assert check_journal.main([str(tmp_path / "none")]) == 1

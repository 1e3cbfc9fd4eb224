"""What the kernel says about memory, by every mechanism and without each of them."""

import pathlib
import time

import pytest

from harness.prompts import chat, endless
from harness.waiting import wait_until

GIB = 1024 ** 3


def memory(server):
    return server.health()["memory"]


def wait_for_memory(server, **expected):
    return wait_until(lambda: {**(shown := memory(server)), **expected} == shown and shown,
                      f"memory with {expected}")


class Stalls:
    """Tasks on the fake machine stand still for this share of the time, from now on."""

    def __init__(self, server, share):
        self._machine = server.machine
        self._share = share
        self._begun = time.monotonic()

    def go_on(self):
        passed = time.monotonic() - self._begun
        self._machine.stand_still(int(passed * self._share * 1e6), avg10=100 * self._share)
        return passed


def test_health_shows_the_machine(serve):
    server = serve({"a": "tiny-1"})
    server.machine.use(40.0)
    shown = wait_for_memory(server, used_percent=40.0)
    assert shown["total_bytes"] == 64 * GIB
    assert shown["available_bytes"] == pytest.approx(64 * GIB * 0.6, rel=1e-6)
    assert (shown["limit"], shown["limit_bytes"]) == ("ram", 64 * GIB)
    assert shown["stall"] == {"some_avg10": 0.0, "stalled": False, "source": "psi"}
    assert shown["refaults_per_s"] is None and shown["oom_kills"] is None, "there is no vmstat"


def test_refaults_and_kills_are_counted(serve):
    server = serve({"a": "tiny-1"})
    server.machine.count(workingset_refault_file=1000, pgmajfault=5, oom_kill=7)
    wait_for_memory(server, oom_kills=0, refaults_per_s=0.0)  # what was before counts for nothing
    server.machine.count(workingset_refault_file=900000, pgmajfault=5, oom_kill=8)
    wait_until(lambda: memory(server)["refaults_per_s"] > 100000, "refaults in a second")
    wait_for_memory(server, oom_kills=1)
    server.wait_for_line(r"the kernel killed 1 process\(es\) for want of memory in this machine")


def test_one_burst_is_no_stall_and_a_steady_one_is(serve):
    server = serve({"a": "tiny-1"})
    burst = Stalls(server, 1.0)
    wait_until(lambda: burst.go_on() > 0.4, "a burst")
    steady_since = time.monotonic()
    wait_until(lambda: memory(server)["stall"]["stalled"] or time.monotonic() - steady_since > 3,
               "three quiet seconds")
    assert not memory(server)["stall"]["stalled"]
    stalls = Stalls(server, 0.3)
    server.machine.stand_still(0)
    took = wait_until(lambda: (stalls.go_on() if memory(server)["stall"]["stalled"]
                               else stalls.go_on() and None), "a stall is seen")
    assert took < 4.5 + 1.0, "two windows and a reading"
    wait_until(lambda: not memory(server)["stall"]["stalled"], "it is over")


def test_stalls_unload_an_idle_model_and_none_in_use(serve):
    server = serve({"a": "slow-1", "b": "slow-2", "c": "tiny-1"})
    server.load("a", "b")
    stream = server.stream(endless("a")).wait_for_tokens()
    stalls = Stalls(server, 0.3)
    wait_until(lambda: stalls.go_on() and server.cached("b") is None, "the idle model goes",
               timeout=10)
    assert [line["model"] for line in server.journal("stop_signal")] == ["b"]
    assert server.cached("a")["state"] == "ready"
    waiter = server.stream(chat("c", max_tokens=1))
    wait_until(lambda: stalls.go_on() and server.health()["waiting"], "somebody waits")
    assert [(wait["model"], wait["waiting_for"], wait["eta_s"])
            for wait in server.health()["waiting"]] == [("c", "pressure", None)]
    assert server.journal("spawn", model="c") == [], "nothing is loaded while tasks stand still"
    waiter.close()
    stream.close()
    server.stop()


# Every rung of the ladder, by switching off the better ones.


@pytest.mark.parametrize("without, source", [([], "psi"), (["psi_trigger"], "psi"),
                                             (["psi"], "none")])
def test_the_pressure_alarm_without(serve, without, source):
    server = serve({"a": "tiny-1"}, {"memory": {"without": without}})
    assert memory(server)["stall"]["source"] == source
    assert (memory(server)["stall"]["some_avg10"] is None) == (source == "none")
    instead = "PSI totals" if source == "psi" else "marks alone"
    server.wait_for_line(f"pressure alarm: {instead} instead of PSI trigger ")
    # The marks work on every rung.
    server.load("a")
    server.machine.use(96.2)
    server.wait_loaded()
    server.stop()


@pytest.mark.parametrize("without", [[], ["psi_trigger"]])
def test_the_pressure_alarm_of_this_machine(serve, without):
    server = serve({"a": "tiny-1"}, {"memory": {"proc_root": "/", "without": without}})
    source = memory(server)["stall"]["source"]
    if not pathlib.Path("/proc/pressure/memory").exists():
        assert source == "none"
    elif without:
        assert source == "psi"
    else:  # by kernel and rights; the log tells why, if it is not the best
        assert source == "psi_trigger" or any("instead of PSI trigger" in line
                                              for line in server.lines)
    assert memory(server)["oom_kills"] == 0


@pytest.mark.parametrize("without, limit", [([], 8 * GIB), (["cgroup_v2"], 16 * GIB),
                                            (["cgroup_v1"], 8 * GIB),
                                            (["cgroup_v2", "cgroup_v1"], None)])
def test_the_memory_limit_without(serve, without, limit):
    server = serve({"a": "tiny-1"}, {"memory": {"without": without}}, started=False)
    server.machine.limit(2, 8 * GIB, GIB, oom_kills=3)
    server.machine.limit(1, 16 * GIB, GIB, oom_kills=3)
    server.start()
    shown = memory(server)
    assert shown["limit"] == ("cgroup" if limit else "ram")
    assert shown["limit_bytes"] == (limit or 64 * GIB)
    server.machine.limit(2, 8 * GIB, 8 * GIB - 1, oom_kills=4)
    server.machine.limit(1, 16 * GIB, 16 * GIB - 1, oom_kills=4)
    wait_for_memory(server, level="critical" if limit else "normal",
                    oom_kills=1 if limit else None)
    assert server.get("/health/live").status == 200


def test_without_meminfo_pressure_is_not_watched_and_models_are_served(serve):
    server = serve({"a": "tiny-1"}, {"memory": {"without": ["meminfo"]}})
    server.wait_for_line("machine memory: nothing instead of /proc/meminfo")
    wait_until(lambda: "memory cannot be read: pressure is not watched"
               in server.health()["warnings"], "a warning")
    assert memory(server)["total_bytes"] is None
    assert server.chat(chat("a")).status == 200
    server.stop()


def test_without_vmstat(serve):
    server = serve({"a": "tiny-1"}, {"memory": {"without": ["vmstat"]}}, started=False)
    server.machine.count(workingset_refault_file=1, oom_kill=1)
    server.start()
    server.wait_for_line("thrash counters: nothing instead of /proc/vmstat")
    assert memory(server)["oom_kills"] is None


@pytest.mark.parametrize("without", [[], ["smaps_rollup"]])
def test_a_childs_memory_without_smaps_rollup(serve, without):
    server = serve({"a": "tiny-1"}, {"memory": {"without": without}})
    server.load("a")
    wait_until(lambda: server.cached("a")["bytes_measured"] > 0, "it is measured")
    told = any("RssAnon + RssFile instead of RssAnon + Pss_File" in line for line in server.lines)
    assert told or not without
    server.stop()


@pytest.mark.parametrize("without, known", [([], True), (["cachestat"], True),
                                            (["cachestat", "mincore"], False)])
def test_the_page_cache_without(serve, without, known):
    server = serve({"a": "tiny-1"}, {"memory": {"without": without}})
    server.load("a")

    def costs():
        return server.get("/api/v1/explain?model=a").json["costs"]

    wait_until(lambda: costs()["load_cached_s"] is not None, "its load was measured")
    if known:
        wait_until(lambda: costs()["page_cache_share"] is not None, "the share is known")
    else:
        assert costs()["page_cache_share"] is None
    server.stop()


def test_unknown_words_are_mistakes_that_list_the_known_ones(serve):
    server = serve({}, {"memory": {"without": ["psi", "smaps"]}}, started=False)
    server.write_config()
    run = server.cli("config", "check", str(server.config_path))
    assert run.returncode == 2
    assert 'memory.without: "smaps" is not known here' in run.stderr
    assert '"smaps_rollup"' in run.stderr and '"mincore"' in run.stderr

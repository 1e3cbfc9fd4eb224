"""`holdfast doctor`: what it finds out without a server, and beside one."""

import json
import subprocess

import pytest

from harness import paths
from harness.prompts import endless
from harness.waiting import PATIENT_S, wait_until

GIB = 1024 ** 3
NOBODY = "127.0.0.1:1"
FLOORS = {"pressure alarm": "marks alone", "machine memory": "nothing",
          "memory limit": "RAM alone", "thrash counters": "nothing",
          "a model's memory": "RssAnon + RssFile", "page cache share": "averages",
          "card memory": "none"}
EVERYTHING = ["meminfo", "cgroup_v2", "cgroup_v1", "psi_trigger", "psi", "vmstat", "smaps_rollup",
              "cachestat", "mincore", "nvml", "amdgpu"]


def doctor(server, *arguments, status=0, host=NOBODY):
    """Runs it with the server's configuration; the server need not run."""
    server.write_config()
    run = subprocess.run([paths.holdfast(), "doctor", "--config", server.config_path, *arguments],
                         env={"PATH": "/usr/bin:/bin", "HOME": str(server.folder),
                              "LANG": "C.UTF-8", "HOLDFAST_HOST": host},
                         cwd=server.folder, capture_output=True, text=True, timeout=PATIENT_S,
                         check=False)
    assert run.returncode == status, run
    return run.stdout


def report(server, *arguments, **more):
    return json.loads(doctor(server, *arguments, "--json", **more))


def findings(result, severity):
    return [finding["text"] for finding in result["findings"] if finding["severity"] == severity]


def standing(result):
    return {need["need"]: need["standing"] for need in result["ladder"]}


def prepared(serve, placed, settings=None):
    """A server that is not started, whose budget is computed unless it is set."""
    settings = settings or {}
    settings["memory"] = {"budget": "auto", **settings.get("memory", {})}
    return serve(placed, settings, started=False)


def test_a_good_machine(serve):
    server = prepared(serve, {"a": "tiny-1", "sub/b": "tiny-2"})
    text = doctor(server)
    for part in ("Machine\n", "Engine\n", "Memory\n", "Models in ", "How memory is watched\n",
                 "Files\n", "  server            none answers\n", "<- the tightest limit",
                 "Holdfast can serve 2 of 2 models here."):
        assert part in text, text
    assert "\x1b" not in text, "no colour where nobody looks"
    result = report(server)
    assert result["good"] and result["server"] is None
    assert result["engine"]["program"] == str(paths.llama_server())
    assert result["engine"]["options"] > 50
    assert [model["name"] for model in result["models"]] == ["a", "sub/b"]
    assert not (server.folder / "history.db").exists(), "it makes nothing"
    assert not server.journal_path.exists()


def test_the_budget_with_its_arithmetic(serve):
    server = prepared(serve, {"a": "tiny-1"})
    budget = report(server)["budget"]
    computed = budget["computed"]
    assert budget["source"] == "computed" and computed["limit"] == "ram"
    assert computed["limit_bytes"] == 64 * GIB
    assert computed["others_bytes"] == pytest.approx(64 * GIB * 0.3, rel=1e-6)
    assert budget["bytes"] == computed["bytes"] == (
        computed["limit_bytes"] - computed["others_bytes"] - computed["reserve_bytes"])
    assert report(server, "--budget", "5GiB")["budget"]["bytes"] == 5 * GIB
    assert report(server, "--budget", "5GiB")["budget"]["source"] == "configured"


@pytest.mark.parametrize("version", [1, 2])
def test_a_cgroup_is_the_tightest_limit(serve, version):
    server = prepared(serve, {"a": "tiny-1"})
    server.machine.limit(version, 6 * GIB, GIB, oom_kills=2)
    result = report(server)
    assert result["memory"]["limit"] == "cgroup"
    assert result["memory"]["cgroup"]["limit_bytes"] == 6 * GIB
    assert result["memory"]["cgroup"]["oom_kills"] == 2
    assert result["budget"]["computed"]["limit"] == "cgroup"
    assert result["budget"]["computed"]["limit_bytes"] == 6 * GIB
    assert standing(result)["memory limit"] == f"cgroup version {version}"
    assert any("killed 2 processes" in text for text in findings(result, "warning"))


def test_its_prediction_is_what_the_server_reserves(serve):
    server = prepared(serve, {"a": "slow-1"}, {"memory": {"budget": "1GiB"}})
    [model] = report(server)["models"]
    assert model["fits"] and model["can_be_served"]
    parts = ("weights", "kv_cache", "compute", "cache_ram", "checkpoints", "overhead")
    assert sum(model[f"{part}_bytes"] for part in parts) == model["total_bytes"]
    server.start()
    [served] = server.get("/api/v1/models").json["models"]
    assert served["bytes_estimated"] == model["total_bytes"]
    assert served["context"] == model["context"]


def test_a_context_that_was_shrunk_so_that_it_fits(serve, bytes_of):
    budget = bytes_of("slow-1", context=2048) + 1024 * 1024
    server = prepared(serve, {"a": "slow-1"},
                      {"memory": {"budget": budget}, "defaults": {"context": "auto"}})
    result = report(server)
    [model] = result["models"]
    assert (model["wanted_context"], model["context"], model["fits"]) == (8192, 2048, True)
    assert "a: context shrunk from 8192 to 2048 so that it fits" in findings(result, "note")
    assert "fits (shrunk from 8192)" in doctor(server)


def test_models_that_cannot_be_served(serve, bytes_of):
    server = prepared(serve, {"good": "tiny-1", "broken": "truncated", "large": "slow-1"},
                      {"memory": {"budget": bytes_of("tiny-1") + 1024 * 1024}})
    result = report(server)
    assert {model["name"]: model["can_be_served"] for model in result["models"]} == {
        "good": True, "broken": False, "large": False}
    warnings = "\n".join(findings(result, "warning"))
    assert "broken cannot be served" in warnings and "large needs" in warnings
    (server.models_dir / "good.gguf").unlink()
    result = report(server, status=1)
    assert not result["good"]
    assert findings(result, "problem") == ["none of the models can be served"]
    for name in ("broken", "large"):
        (server.models_dir / f"{name}.gguf").unlink()
    assert "problem: there is no model in" in doctor(server, status=1)


def test_an_engine_that_is_not_there(serve):
    server = prepared(serve, {"a": "tiny-1"}, {"engine": {"llama_server": "/nowhere/llama-server"}})
    text = doctor(server, status=1)
    assert "problem: engine: " in text and "Holdfast cannot serve here" in text
    assert "Models in " in text, "all else is told too"


def test_wrong_usage(serve):
    server = prepared(serve, {}, {"memory": {"high": 120}})
    doctor(server, status=2)
    doctor(server, "--no-such-flag", status=2)


def test_every_rung_can_be_switched_off(serve):
    server = prepared(serve, {"a": "tiny-1"},
                      {"memory": {"budget": "5GiB", "without": EVERYTHING}})
    result = report(server)
    assert standing(result) == FLOORS
    for need in result["ladder"]:
        for rung in need["rungs"]:
            off = rung["why_not"] == "switched off"
            assert rung["can_be_used"] != off and off == ("[memory] without" in rung["remedy"])
    assert any(text.startswith("memory cannot be read") for text in findings(result, "warning"))
    # Without a budget and without a reading nothing can be served.
    server.settings["memory"]["budget"] = "auto"
    assert not report(server, status=1)["good"]


def test_swap_and_overcommit(serve):
    server = prepared(serve, {"a": "tiny-1"})
    server.machine.write("proc/sys/vm/overcommit_memory", "2\n")
    text = (server.machine.root / "proc/meminfo").read_text()
    server.machine.write("proc/meminfo", text.replace("SwapTotal:               0 kB",
                                                      "SwapTotal:         4194304 kB"))
    warnings = "\n".join(findings(report(server), "warning"))
    assert "there is swap" in warnings and "vm.overcommit_memory is 2" in warnings


def test_beside_a_running_server(serve):
    server = prepared(serve, {"a": "tiny-1"})
    server.start()
    stream = server.stream(endless("a")).wait_for_tokens()
    before = server.health()["memory"]
    server.machine.use(60.0)  # as if the models' memory were counted among the others'
    wait_until(lambda: server.health()["memory"]["used_percent"] == 60.0, "the next reading")
    result = report(server, host=f"127.0.0.1:{server.port}")
    assert result["server"]["here"] and result["server"]["loaded"] == 1
    assert result["server"]["reserved_bytes"] == before["reserved_bytes"] > 0
    assert result["budget"]["source"] == "server"
    assert result["budget"]["bytes"] == before["budget_bytes"]
    assert result["budget"]["computed"]["bytes"] < result["budget"]["bytes"]
    text = doctor(server, host=f"127.0.0.1:{server.port}")
    assert "1 model loaded" in text and "as the running server computed it" in text
    assert server.active() == {"a": 1}
    stream.close()
    server.stop()

"""The commands a person types, their --json, their exit status."""

import json
import subprocess

from harness import paths
from harness.prompts import chat, count, count_text, endless
from harness.waiting import wait_until

TWO = {"a": "slow-1", "b": "tiny-1"}


def as_json(run):
    assert run.returncode == 0, run
    return json.loads(run.stdout)


def test_version(serve):
    server = serve(TWO)
    assert server.cli("version").stdout.startswith("holdfast ")
    assert as_json(server.cli("version", "--json"))["version"]


def test_ps_load_unload(serve):
    server = serve(TWO)
    assert as_json(server.cli("ps", "--json"))["cached_models"] == []
    assert as_json(server.cli("load", "a", "--json"))["state"] == "ready"
    run = server.cli("ps")
    assert run.returncode == 0 and "a" in run.stdout and "ready" in run.stdout
    assert "\x1b" not in run.stdout, "no colour where nobody looks"
    everything = as_json(server.cli("ps", "--all", "--json"))["models"]
    assert [model["name"] for model in everything] == ["a", "b"]
    assert server.cli("unload", "a").returncode == 0
    wait_until(lambda: server.cached("a") is None, "a is gone")
    assert "not loaded" in server.cli("unload", "a").stdout
    run = server.cli("load", "nobody")
    assert run.returncode == 1 and "nobody" in run.stderr
    server.stop()


def test_a_model_in_use_is_not_unloaded(serve):
    server = serve(TWO)
    stream = server.stream(count("a", 150)).wait_for_tokens()
    answer = server.post("/api/v1/models/a/unload")
    assert (answer.status, answer.error["code"]) == (409, "model_in_use")
    assert answer.error["active_requests"] == 1
    run = server.cli("unload", "a")
    assert run.returncode == 1 and "in use" in run.stderr, run
    assert stream.finish().text == count_text(150)
    assert server.journal("stop_signal") == []
    server.stop()


def test_drain_lets_the_answer_end_first(serve):
    server = serve(TWO)
    child = server.load("a") or server.child_of("a")
    stream = server.stream(count("a", 150)).wait_for_tokens()
    answer = server.post("/api/v1/models/a/unload?drain=true")
    assert answer.status == 202, answer
    assert server.cached("a")["state"] == "gated"
    behind = server.stream(count("a", 5))
    assert stream.finish().text == count_text(150)
    assert stream.end == "complete"
    assert behind.finish().text == count_text(5)  # from the next generation
    assert server.child_of("a") != child
    server.stop()


def test_force_cuts_with_an_error_and_says_who(serve):
    server = serve(TWO)
    stream = server.stream(endless("a")).wait_for_tokens()
    assert server.cli("unload", "a", "--force").returncode == 0
    stream.finish()
    assert stream.end == "broken" and not stream.done
    assert stream.error["code"] == "forced"
    server.wait_for_line(r"forced by 127\.0\.0\.1")
    server.wait_loaded()
    assert server.chat(chat("a")).status == 200
    server.stop()


def test_a_pinned_model_stays(serve, room_for):
    server = serve({"a": "tiny-1", "b": "tiny-2", "c": "tiny-3"}, room_for(2, "tiny-1"))
    assert as_json(server.cli("pin", "a", "--json"))["pinned"] is True
    for _ in range(3):
        for name in ("b", "c"):
            assert server.chat(chat(name)).status == 200
    assert server.cli("cleanup", "--emergency").returncode == 0
    server.wait_loaded("a")
    assert server.cached("a")["pinned"] is True
    assert server.cli("unpin", "a").returncode == 0
    assert server.cli("cleanup", "--emergency").returncode == 0
    server.wait_loaded()
    server.stop()


def test_a_pin_that_cannot_fit_is_a_conflict(serve, room_for):
    server = serve({"a": "tiny-1", "b": "tiny-2"}, room_for(1, "tiny-1"))
    assert server.cli("pin", "a").returncode == 0
    answer = server.post("/api/v1/models/b/pin")
    assert (answer.status, answer.error["code"]) == (409, "never_fits")
    assert server.loaded() == ["a"]
    assert server.chat(chat("b")).status == 422
    assert server.cli("unload", "a").returncode == 0  # clears the pin
    assert server.chat(chat("b")).status == 200
    server.stop()


def test_cleanup_normal_and_its_report(serve):
    server = serve(TWO)
    server.load("a", "b")
    stream = server.stream(endless("a")).wait_for_tokens()
    report = as_json(server.cli("cleanup", "--emergency", "--json"))
    assert (report["unloading"], report["kept"], report["protected"]) == (["b"], ["a"], ["a"])
    stream.close()
    server.wait_active({})
    assert server.cli("cleanup").returncode == 0
    server.stop()


def test_explain_tells_what_was_decided(serve, room_for):
    server = serve({"a": "tiny-1", "b": "tiny-2"}, room_for(1, "tiny-1"))
    assert server.chat(chat("a")).status == 200
    assert server.chat(chat("b")).status == 200
    story = as_json(server.cli("explain", "a", "--json"))
    stop = next(entry for entry in story["decisions"] if entry["event"] == "stop")
    assert stop["reason"] == "idle_victim" and "b" in stop["text"]
    assert "idle" in server.cli("explain", "a").stdout
    assert server.cli("explain", "nobody").returncode == 1
    server.stop()


def test_ttl_unloads_what_nobody_asks_for(serve):
    server = serve(TWO, {"defaults": {"ttl": "1s"}})
    stream = server.stream(count("a", 150)).wait_for_tokens()
    assert server.chat(chat("b")).status == 200
    wait_until(lambda: server.journal("stop_signal", model="b"), "b's time to live is over")
    stream.finish()
    assert (stream.end, stream.text) == ("complete", count_text(150))
    server.wait_loaded()
    assert {line["why"] for line in server.journal("stop_signal")} == {"idle_too_long"}
    server.stop()


def test_no_server_is_said_plainly(serve):
    server = serve(TWO)
    server.stop()
    run = server.cli("ps")
    assert run.returncode == 1
    assert "no server answers" in run.stderr and "holdfast serve" in run.stderr


def test_simulate_replays_a_trace(tmp_path):
    trace = tmp_path / "trace.csv"
    trace.write_text("t_seconds,model,user,prompt_tokens,output_tokens\n"
                     "0,a,ann,2500,100\n1,b,ben,0,200\n")
    sizes = tmp_path / "sizes.csv"
    sizes.write_text("model,bytes\na,2GB\nb,4GB\n")

    def simulate(*arguments):
        return subprocess.run([paths.holdfast(), "simulate", *arguments], capture_output=True,
                              text=True, timeout=30, check=False)

    for policy in ("holdfast", "lru", "lfu", "gdsf", "largest"):
        told = as_json(simulate("--trace", trace, "--sizes", sizes, "--budget", "5GB",
                                "--policy", policy, "--json"))
        assert told["policy"] == policy
        assert (told["loads"], told["load_s"], told["evictions"]) == (2, 6.0, 1)
        assert told["wait_s"]["max"] == 7.0, "a answers until 4.5 s, then b loads for 3.5 s"
        assert told["bytes_loaded"] == 6_000_000_000
        assert told["bound_violations"] == 0
    assert "evictions 1" in simulate("--trace", trace, "--sizes", sizes, "--budget", "5GB").stdout
    assert as_json(simulate("--trace", trace, "--sizes", "7", "--budget", "5GB", "--json"))
    trace.write_text("t_seconds,model,user,prompt_tokens,output_tokens\n0,a,ann,many,1\n")
    run = simulate("--trace", trace, "--budget", "5GB")
    assert run.returncode == 1 and f"{trace}:2: prompt_tokens" in run.stderr
    assert simulate("--trace", tmp_path / "none.csv", "--budget", "5GB").returncode == 1
    for wrong in (["--seed", "1", "--trace", trace, "--budget", "5GB"], ["--budget", "5GB"],
                  ["--trace", trace], ["--trace", trace, "--budget", "5GB", "--policy", "best"]):
        assert simulate(*wrong).returncode == 2, wrong

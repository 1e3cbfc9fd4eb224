"""Pins what src/process relies on in the stock llama-server, which its authors do not promise: the
state lines for its router, how it ends, and what its socket leaves behind. A new version that
changes one of these must fail here, not in somebody's conversation. Engine:
$HOLDFAST_LLAMA_SERVER, else build/llama-server; a missing engine is a failure, not a skip."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
ENGINE = os.environ.get("HOLDFAST_LLAMA_SERVER", str(ROOT / "build" / "llama-server"))
STATE = b"cmd_child_to_router:state:"
EXIT_LINE = b"cmd_router_to_child:exit\n"
DEADLINE_S = 60  # only a failing test waits so long


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.gguf"
    maker = ROOT / "tools" / "make_gguf.py"
    command = [sys.executable, maker, path, "--size", "tiny"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return path


class Engine:
    def __init__(self, model, sock, router=True, log=subprocess.DEVNULL, options=()):
        environment = {"LANG": "C.UTF-8"}
        if router:
            environment["LLAMA_SERVER_ROUTER_PORT"] = "1"
        self.sock = sock
        command = [
            ENGINE, "-m", model, "--host", sock, "--alias", "m", "--offline", "--no-ui",
            "--no-slots", "--ctx-size", "512",
            "--parallel", "1", "--cache-ram", "0", "--fit", "off", *options,
        ]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            env=environment)

    def states(self):
        """The state lines up to the ready line or the end of the output."""
        seen = []
        for line in self.process.stdout:
            if line.startswith(STATE):
                seen.append(json.loads(line[len(STATE):]))
                if seen[-1]["state"] == "ready":
                    break
        return seen

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(DEADLINE_S)
        connection.sock.connect(str(self.sock))
        connection.request(method, path, body)
        status = connection.getresponse().status
        connection.close()
        return status

    def health(self):
        return self.ask("GET", "/health")

    def wait_until_it_runs(self):
        """Ready and through one request. It says that it is ready just before it enters its loop,
        and loses an order to end that comes in between; an answer proves that the loop runs."""
        assert self.states()[-1]["state"] == "ready"
        assert self.ask("POST", "/v1/completions", '{"prompt": "a", "max_tokens": 1}') == 200

    def end(self):
        # Reads on, so that a full pipe cannot keep it from ending.
        self.process.stdout.read()
        return self.process.wait(DEADLINE_S)


@pytest.fixture
def start(model, tmp_path):
    engines = []

    def starter(sock="e.sock", router=True, **more):
        engines.append(Engine(model, tmp_path / sock, router, **more))
        return engines[-1]

    yield starter
    for engine in engines:
        engine.process.kill()
        engine.process.stdin.close()
        engine.process.stdout.close()
        engine.process.wait(DEADLINE_S)


def test_prints_progress_then_ready_and_then_serves(start):
    engine = start()
    states = engine.states()
    loading = [state["payload"] for state in states if state["state"] == "loading"]
    assert loading, states
    assert loading[0]["stages"] == ["text_model"]
    assert loading[0]["current"] == "text_model"
    assert loading[0]["value"] == 0.0
    assert loading[-1]["value"] == 1.0
    assert states[-1]["state"] == "ready"
    assert states[-1]["payload"]["id"] == "m"
    assert engine.health() == 200


def test_ends_by_the_exit_line_with_status_0(start):
    engine = start()
    engine.wait_until_it_runs()
    engine.process.stdin.write(EXIT_LINE)
    engine.process.stdin.flush()
    assert engine.end() == 0


def test_ends_when_its_input_closes(start):
    engine = start()
    engine.wait_until_it_runs()
    engine.process.stdin.close()
    assert engine.end() == 1


def test_ends_by_sigterm_followed_by_the_exit_line(start):
    # With the router variable SIGTERM alone does not end it: it then waits for its input.
    engine = start()
    engine.wait_until_it_runs()
    engine.process.send_signal(signal.SIGTERM)
    engine.process.stdin.write(EXIT_LINE)
    engine.process.stdin.flush()
    assert engine.end() == 0


def test_prints_no_state_lines_without_the_router_variable_and_ends_by_sigterm(start):
    engine = start(router=False)
    serves = False
    while not serves:  # the fallback of src/process: ask until it answers 200
        assert engine.process.poll() is None
        try:
            serves = engine.health() == 200
        except OSError:
            pass
    assert engine.ask("POST", "/v1/completions", '{"prompt": "a", "max_tokens": 1}') == 200
    engine.process.send_signal(signal.SIGTERM)
    output = engine.process.stdout.read()
    assert engine.process.wait(DEADLINE_S) == 0
    assert STATE not in output


def test_leaves_its_socket_file_which_blocks_the_next_bind(start):
    first = start()
    first.wait_until_it_runs()
    first.process.stdin.write(EXIT_LINE)
    first.process.stdin.flush()
    assert first.end() == 0
    assert first.sock.exists()
    second = start()
    assert second.states() == []
    assert second.end() == 1


def test_a_broken_file_ends_it_without_ready(model, tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(model.read_bytes()[:1000])
    engine = Engine(broken, tmp_path / "b.sock")
    assert "ready" not in [state["state"] for state in engine.states()]
    assert engine.end() == 1
    engine.process.stdin.close()


STAMP = r"\d+\.\d\d\.\d{3}\.\d{3} I slot +"


def test_logs_what_an_answer_took(start, tmp_path):
    # The form that src/process/timing_line.cc reads, on standard error, without any option.
    with open(tmp_path / "log", "w+", encoding="utf-8") as log:
        engine = start(log=log)
        engine.wait_until_it_runs()
        body = json.dumps({"prompt": "a b c d " * 20, "max_tokens": 20, "ignore_eos": True})
        assert engine.ask("POST", "/v1/completions", body) == 200
        engine.process.stdin.write(EXIT_LINE)
        engine.process.stdin.flush()
        assert engine.end() == 0
        log.seek(0)
        lines = log.read()
    timing = STAMP + r"print_timing: id +0 \| task \d+ \| "
    assert re.search(timing + r"prompt eval time = +[\d.]+ ms / +\d+ tokens \(", lines), lines
    assert re.search(timing + r" +eval time = +[\d.]+ ms / +20 tokens \(", lines), lines


def test_logs_when_an_embedding_begins_and_ends(tmp_path):
    # No times are logged for it: src/process/speed_meter.cc subtracts the stamps.
    path = tmp_path / "embedding.gguf"
    maker = ROOT / "tools" / "make_gguf.py"
    subprocess.run([sys.executable, maker, path, "--size", "tiny", "--embedding"], check=True,
                   stdout=subprocess.DEVNULL)
    with open(tmp_path / "log", "w+", encoding="utf-8") as log:
        engine = Engine(path, tmp_path / "e.sock", log=log, options=["--embeddings"])
        try:
            assert engine.states()[-1]["state"] == "ready"
            assert engine.ask("POST", "/v1/embeddings", '{"input": "a b c d e f"}') == 200
            # It answers first and writes this line then.
            wait_until(lambda: "stop processing" in (tmp_path / "log").read_text(
                encoding="utf-8"), "the end of the task is logged")
        finally:
            engine.process.kill()
            engine.process.stdin.close()
            engine.process.stdout.close()
            engine.process.wait(DEADLINE_S)
        log.seek(0)
        lines = log.read()
    begun = re.search(STAMP + r"launch_slot_: id +0 \| task (\d+) \| processing task", lines)
    assert begun, lines
    ended = STAMP + rf"release: id +0 \| task {begun.group(1)} \| stop processing: n_tokens = \d+,"
    assert re.search(ended, lines), lines
    assert "eval time" not in lines


def test_its_help_names_the_options_we_pass():
    result = subprocess.run(
        [ENGINE, "--help"], env={"LANG": "C.UTF-8"}, capture_output=True, text=True,
        timeout=DEADLINE_S, check=True)
    for flag in [
            "--model", "--host", "--alias", "--load-mode", "--cache-ram", "--ctx-checkpoints",
            "--fit", "--no-ui", "--no-slots", "--offline", "--swa-full", "--slot-save-path"]:
        assert flag in result.stdout, flag

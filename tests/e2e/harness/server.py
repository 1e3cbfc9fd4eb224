"""A running `holdfast serve` with a folder, a port and files of its own."""

import collections
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from . import http, journal, models, paths, processes
from .fake_machine import FakeMachine
from .stream import Stream
from .waiting import PATIENT_S, wait_until

CHAT = "/v1/chat/completions"

# One compute thread a child: an engine's threads spin at barriers, so that two children with two
# threads each crawl on two cores. Small caches, so that a budget counts models.
DEFAULTS = {"context": 8192, "parallel": 2, "cache_ram": 0,
            "args": ["--threads", "1", "--threads-batch", "1"]}


def toml(tables):
    """{"": {key: value}, "memory": {…}, 'models."x"': {…}} as TOML. None: not set."""
    lines = []
    for name, table in tables.items():
        lines += [f"[{name}]"] if name else []
        lines += [f"{key} = {_toml_value(value)}" for key, value in table.items()
                  if value is not None]
    return "\n".join(lines) + "\n"


def _toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    return str(value) if isinstance(value, (int, float)) else json.dumps(str(value))


class Server:
    """Made by the `serve` fixture. `placed`: model name → recipe; `settings`: table → keys."""

    def __init__(self, placed, settings=None, environment=None):
        # Not pytest's folder: a unix socket's path may have 107 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-e2e-"))
        self.models_dir = self.folder / "models"
        self.models_dir.mkdir()
        self.journal_path = self.folder / "journal.jsonl"
        self.config_path = self.folder / "holdfast.toml"
        self.machine = FakeMachine(self.folder / "machine")
        self.placed = dict(placed)
        for name, recipe in placed.items():
            models.place(recipe, self.models_dir, name)
        self.settings = collections.defaultdict(dict)
        self.settings[""] = {"listen": "127.0.0.1:0", "models_dir": self.models_dir}
        self.settings["memory"] = {"budget": "64GiB", "proc_root": self.machine.root}
        self.settings["engine"] = {"llama_server": paths.llama_server()}
        self.settings["defaults"] = dict(DEFAULTS)
        self.settings["store"] = {"path": self.folder / "history.db", "journal": self.journal_path}
        for table, values in (settings or {}).items():
            self.settings[table].update(values)
        self.extra_config = ""  # TOML that the tables above cannot say
        self.arguments = ["--config", self.config_path]
        self.group = None  # a MemoryGroup to live in
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder),
                             "XDG_RUNTIME_DIR": str(self.folder), "LANG": "C.UTF-8",
                             **(environment or {})}
        self._changed = threading.Condition()
        self.lines = []
        self.process = None
        self.port = None
        self.known_children = set()

    # Life

    def write_config(self):
        """The settings as they are now, for the next start or reload."""
        text = toml(self.settings) + self.extra_config
        self.config_path.write_text(text, encoding="utf-8")

    def start(self):
        self.write_config()
        self.process = subprocess.Popen(
            [paths.holdfast(), "serve", *self.arguments], env=self._environment,
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace",
            preexec_fn=self.group.adopt_caller if self.group else None)
        self._reader = threading.Thread(target=self._read_log, args=(self.process.stderr,),
                                        daemon=True)
        begun = len(self.lines)
        self._reader.start()
        found = self.wait_for_line(_LISTENING, after=begun)
        self.port = int(re.search(_LISTENING, found).group(1))
        wait_until(lambda: self.get("/health/live").status == 200, "the server answers")
        return self

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout=PATIENT_S):
        """Its exit status; negative: killed by that signal."""
        status = self.process.wait(timeout)
        self._reader.join(PATIENT_S)
        return status

    def stop(self):
        """SIGTERM, a good end, and an impeccable journal."""
        self.terminate()
        assert self.wait() == 0, f"exit status {self.process.returncode}\n{self.log_tail()}"
        return journal.check(self.journal_path)

    def kill9(self):
        self.process.kill()
        return self.wait()

    def dispose(self):
        """For the fixture: leaves nothing behind, whatever happened."""
        children = self.children() if self.is_running else []
        if self.is_running:
            self.process.kill()
            self.process.wait(PATIENT_S)
        for pid in {*children, *self.known_children}:
            # A number may have been given to somebody else's process since.
            if str(self.folder) in " ".join(processes.command_line(pid)):
                processes.kill(pid)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    # Its log

    def _read_log(self, pipe):
        for line in pipe:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def wait_for_line(self, pattern, timeout=PATIENT_S, after=0):
        """The first log line from number `after` on that matches; fails if none comes in time."""
        matching = re.compile(pattern)
        deadline = time.monotonic() + timeout
        seen = after
        while True:
            with self._changed:
                fresh = self.lines[seen:]
                seen += len(fresh)
                found = next((line for line in fresh if matching.search(line)), None)
                if found is not None:
                    return found
                if self.process.poll() is not None and not self._reader.is_alive():
                    raise AssertionError(f"ended ({self.process.returncode}) without "
                                         f"{pattern!r} in its log\n{self.log_tail()}")
                if time.monotonic() > deadline:
                    raise AssertionError(f"no line like {pattern!r}\n{self.log_tail()}")
                self._changed.wait(0.2)

    def log_tail(self, count=60):
        return "\n".join(self.lines[-count:])

    # Questions

    def request(self, method, path, body=None, headers=None, timeout=120):
        return http.ask(self.port, method, path, body, headers, timeout)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, body if body is not None else b"", **more)

    def chat(self, body, **more):
        return self.post(CHAT, body, **more)

    def stream(self, body, path=CHAT, headers=None):
        return Stream(self.port, path, body, headers)

    def connect(self):
        return http.Connection(self.port)

    def health(self):
        answer = self.get("/health")
        assert answer.status in (200, 503), answer
        return answer.json

    def cached(self, name):
        """The entry of /health's cached_models, or None."""
        return next((entry for entry in self.health()["cached_models"] if entry["name"] == name),
                    None)

    def loaded(self):
        """Names of the models that can answer now."""
        return sorted(entry["name"] for entry in self.health()["cached_models"]
                      if entry["state"] == "ready")

    def active(self):
        return self.health()["active_model_requests"]

    def wait_active(self, expected):
        return wait_until(lambda: self.active() == expected or None,
                          f"active_model_requests == {expected}")

    def wait_loaded(self, *names):
        wait_until(lambda: self.loaded() == sorted(names), f"exactly {names} are loaded")

    def load(self, *names):
        for name in names:
            answer = self.post(f"/api/v1/models/{name}/load")
            assert answer.status == 200, answer

    def journal(self, *events, model=None):
        """The journal's lines so far, of these events and this model only."""
        return [line for line in journal.read(self.journal_path)
                if (not events or line["event"] in events)
                and (model is None or line.get("model") == model)]

    def cli(self, *arguments, timeout=PATIENT_S, key=None):
        """Runs `holdfast ARGUMENTS` against this server."""
        environment = {**self._environment, "HOLDFAST_HOST": f"127.0.0.1:{self.port}"}
        if key is not None:
            environment["HOLDFAST_API_KEY"] = key
        return subprocess.run([paths.holdfast(), *arguments], env=environment, cwd=self.folder,
                              capture_output=True, text=True, timeout=timeout, check=False)

    def cli_without_server(self, *arguments, timeout=PATIENT_S):
        """Runs `holdfast ARGUMENTS`, which prints JSON, where no server can be found."""
        environment = {**self._environment, "HOLDFAST_HOST": "127.0.0.1:1"}
        run = subprocess.run([paths.holdfast(), *arguments], env=environment, cwd=self.folder,
                             capture_output=True, text=True, timeout=timeout, check=False)
        return json.loads(run.stdout)

    # Its children

    def children(self):
        found = processes.children_of(self.process.pid)
        self.known_children.update(found)
        return found

    def child_of(self, model):
        """The pid of the model's process, or None."""
        file = f"{self.models_dir}/{model}.gguf"
        return next((pid for pid in self.children() if file in processes.command_line(pid)), None)

    def begin_frozen_load(self, model):
        """Starts a load that does not end: a request in the background and its stopped child."""
        stream = self.stream({**_ONE_TOKEN, "model": model})
        pid = wait_until(lambda: self.child_of(model), f"a child of {model}")
        processes.freeze(pid)
        assert self.journal("ready", model=model) == [], "the load was faster than this test"
        return stream, pid


_LISTENING = r"https?://(?:127\.0\.0\.1|0\.0\.0\.0):([1-9]\d*)"
_ONE_TOKEN = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 1}

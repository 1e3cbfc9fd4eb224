"""The server that the clients talk to: the real small model beside generated ones, and people
with keys."""

import hashlib
import os
import pathlib
import socket
import threading

from harness import command, models, processes
from harness.server import DEFAULTS, Server
from harness.waiting import wait_until
from drivers.answer import Connection

REAL_FILE = "gemma-3-270m-q4_k_m.gguf"

# The real model's name is that of its file. `caller` is the same file with a template for tools:
# what has none is never forced to call one. `copier` has another form of calls, which a base model
# copies. `talker` never ends an answer by itself, whatever its context, `held` is loaded when a
# test says so, `short` has a small context, `echo` says what it is forced to, fast, and `listener`
# reads of tools without having to call one. `thinker` has a template with a switch for thinking,
# `filler` the tokens to fill in, `eyes` a projector, and `studio` is a stand-in for a server of
# sound and pictures.
REAL = REAL_FILE.removesuffix(".gguf")
CALLER, COPIER = "caller", "copier"
TALKER, HELD, SHORT, ECHO, LISTENER = "talker", "held", "short", "echo", "listener"
WORDS, RANKER = "words", "ranker"
THINKER, FILLER, EYES, STUDIO = "thinker", "filler", "eyes", "studio"
GENERATED = {TALKER: "slow-1", HELD: "slow-2", SHORT: "tiny-1", ECHO: "tiny-2",
             LISTENER: "plain", WORDS: "embedding", RANKER: "reranker", THINKER: "tools",
             FILLER: "fill-in", EYES: "tiny-3"}
ALL_MODELS = sorted([REAL, CALLER, COPIER, STUDIO, *GENERATED])
TOKENS_A_PICTURE = 16
REAL_CONTEXT, SHORT_CONTEXT = 1024, 256
TEMPLATES = {CALLER: "tools.jinja", COPIER: "tools_marked.jinja", ECHO: "tools.jinja",
             LISTENER: "tools_marked.jinja", THINKER: "thinking.jinja"}

_LOOKS = 20  # an engine that computes rests now and then, for less than one look's interval

PEOPLE = [f"person-{number}" for number in range(8)]
NARROW = "narrow"  # may have one request at a time
ADMIN = "boss"


def key_of(name):
    return f"key of {name}".replace(" ", "-")


class Box(Server):
    """Questions of the harness are the administrator's."""

    max_waiting = 16

    def __init__(self):
        super().__init__({**GENERATED, f"mmproj-{EYES}": "projector"}, {
            "defaults": {"context": 4096, "parallel": 4},
            "queue": {"max_waiting": self.max_waiting},
            f'models."{TALKER}"': {"args": [*DEFAULTS["args"], "--context-shift"]},
            f'models."{SHORT}"': {"context": SHORT_CONTEXT, "parallel": 1},
            f'models."{REAL}"': {"context": REAL_CONTEXT, "parallel": 8},
            **{f'models."{name}"': _with_template(file) for name, file in TEMPLATES.items()},
        })
        for name in (CALLER, COPIER):
            self.settings[f'models."{name}"']["path"] = REAL_FILE
        command.add(self, STUDIO)
        place_real_model(self.models_dir)
        for name in [*PEOPLE, NARROW, ADMIN]:
            self.extra_config += user(name)

    def connection(self, name=PEOPLE[0], **more):
        return Connection(f"http://127.0.0.1:{self.port}", key_of(name), **more)

    def request(self, method, path, body=None, headers=None, timeout=120):
        return super().request(method, path, body, {**_KEY, **(headers or {})}, timeout)

    def stream(self, body, path="/v1/chat/completions", headers=None):
        return super().stream(body, path, {**_KEY, **(headers or {})})

    def active_requests(self):
        """All that wait or run, of whatever model."""
        return sum(self.active().values())

    def wait_quiet(self):
        """Nobody waits and nobody is answered."""
        wait_until(lambda: self.active_requests() == 0, "active_requests is 0")

    def wait_at_rest(self, model):
        """Its engine computes no more: seen so, many times in a row."""
        pid, looks = self.child_of(model), 0

        def rests():
            nonlocal looks
            looks = 0 if processes.is_computing(pid) else looks + 1
            return looks == _LOOKS
        wait_until(rests, f"the engine of {model} is at rest")

    def unload(self, model):
        """An answer that has just ended may hold it for a moment still."""
        wait_until(lambda: self.post(f"/api/v1/models/{model}/unload").status == 200,
                   f"{model} is unloaded")

    def held_load(self, begin=None):
        """begin(): asks for HELD; by default the administrator's command does."""
        return HeldLoad(self, HELD, begin or self._command_load)

    def _command_load(self):
        threading.Thread(target=self.post, args=(f"/api/v1/models/{HELD}/load",),
                         daemon=True).start()


def _with_template(file):
    return {"context": REAL_CONTEXT, "parallel": 8,
            "args": [*DEFAULTS["args"], "--chat-template-file",
                     pathlib.Path(__file__).with_name(file)]}


class HeldLoad:
    """A load that does not end before its block says so, by thaw(), or is over."""

    def __init__(self, box, model, begin):
        self._box = box
        self._model = model
        self._begin = begin
        self._pid = None

    def __enter__(self):
        while self._pid is None:
            wait_until(self._has_ended, "its process has ended")
            self._begin()
            pid = wait_until(lambda: self._box.child_of(self._model), "the load has begun")
            processes.freeze(pid)
            if self._box.cached(self._model)["is_loading"]:
                self._pid = pid
            else:  # it was faster than we are
                processes.thaw(pid)
        return self

    def _has_ended(self):
        """Whoever asked for it last may still be counted: asked again until it can go."""
        if self._box.child_of(self._model) is not None:
            self._box.unload(self._model)
        return self._box.child_of(self._model) is None

    def thaw(self):
        """And waits until it is loaded."""
        if self._pid is not None:
            processes.thaw(self._pid)
            self._pid = None
            wait_until(lambda: self._model in self._box.loaded(), "it is loaded")

    def __exit__(self, *_):
        self.thaw()


class Tap:
    """A server in front of the server, which notes the status of each answer that passes and how
    many requests came: what a client's own retries keep to themselves."""

    def __init__(self, port):
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.statuses = []
        self.requests = 0
        self.answers = b""  # whatever came from the server
        threading.Thread(target=self._accept, daemon=True).start()

    def reach(self, connection):
        """The same connection, through here."""
        return connection.but(url=f"http://127.0.0.1:{self.port}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            for source, sink, note in ((client, server, self._note_request),
                                       (server, client, self._note_answer)):
                threading.Thread(target=_pump, args=(source, sink, note), daemon=True).start()

    def _note_request(self, data):
        self.requests += data.startswith((b"GET ", b"POST ", b"HEAD "))

    def _note_answer(self, data):
        self.answers += data
        if data.startswith(b"HTTP/1.1 "):
            self.statuses.append(int(data[9:12]))


def _pump(source, sink, note):
    """Until one side ends; then the other one ends, too."""
    try:
        while data := source.recv(65536):
            note(data)
            sink.sendall(data)
    except OSError:
        pass
    for end in (sink, source):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def place_real_model(models_dir):
    target = models_dir / REAL_FILE
    source = real_model()
    try:
        os.link(source, target)
    except OSError:  # another file system
        target.symlink_to(source)


def real_model():
    """Where scripts/model.sh keeps it. Errors: models.Missing… with the remedy."""
    path = models.paths.ROOT / "models" / REAL_FILE
    if not path.exists():
        raise models.paths.MissingProgram(f"{path} is not there: run scripts/model.sh")
    return path.resolve()


def user(name, **more):
    digest = hashlib.sha256(key_of(name).encode()).hexdigest()
    lines = [f'name = "{name}"', f'key_sha256 = "{digest}"']
    lines += ['role = "admin"'] if name == ADMIN else []
    lines += ["max_active = 1"] if name == NARROW else []
    return "\n".join(["[[users]]", *lines, ""])


_KEY = {"Authorization": f"Bearer {key_of(ADMIN)}"}

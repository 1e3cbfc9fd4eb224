#!/usr/bin/env python3
"""A server of another kind than llama-server, for models with a `command`: speaks enough of the
OpenAI API to be asked for text, sound and pictures, and misbehaves as its script says.

  openai_stub.py --state PATH (--port N | --uds PATH) [--ready PATH] [ANYTHING…]

PATH.script, if it is there when it starts, is a JSON object:
  print           lines that it prints first, {argv} and {env} filled in
  exit            ends with this status before it listens
  taken           so many starts end as if somebody had the port already
  listen_when     listens only once this file exists
  ready_when      answers 503 until this file exists
  ready_status    what the readiness path answers (200)
  family          starts three processes that ignore SIGTERM: one in its group, one in a session of
                  its own, one whose parent has gone
  worker_bytes    starts a process that holds so much memory
  ignore_sigterm  does not end by SIGTERM
  chat            the field "stub" of every chat that has none
A chat's field "stub" may say:
  hold_until      no further word until this file exists
  words           how many come before that
  die             ends after so many words
  wait_for        answers once this file exists
  fail            an error event after so many words; ends with hold_until, if that is there
  whole           no stream, even if one was asked for
  refuse          answers with this status and an error
  error           that error object
  headers         further ones of that answer
  missing         bytes of that answer that do not come until hold_until

PATH.log gets a JSON line for each event: start, member, request.
"""

import argparse
import base64
import hashlib
import http.server
import json
import os
import pathlib
import signal
import socket
import socketserver
import sys
import threading
import time

WORDS = "one two three four five six seven eight".split()
PIXEL = base64.b64encode(b"\x89PNG not really").decode()
SPEECH = b"RIFF" + bytes(range(256)) * 40


def until(path):
    while not os.path.exists(path):
        time.sleep(0.005)  # tidy: allow(test-sleep) a stand-in for a server, which waits on a file


class State:
    def __init__(self, path):
        self.path = path
        script = pathlib.Path(path + ".script")
        self.script = json.loads(script.read_text("utf-8")) if script.exists() else {}

    def log(self, event, **fields):
        line = json.dumps({"event": event, "pid": os.getpid(), **fields}) + "\n"
        with open(self.path + ".log", "a", encoding="ascii") as log:
            log.write(line)

    def starts(self):
        with open(self.path + ".log", encoding="ascii") as log:
            return sum(json.loads(line)["event"] == "start" for line in log)


def stay(state, role, held_bytes=0):
    """A member of the family; never returns."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    memory = bytearray(os.urandom(4096)) * (held_bytes // 4096)
    state.log("member", role=role, bytes=len(memory))
    while True:
        signal.pause()


def start_family(state):
    if os.fork() == 0:
        stay(state, "group")
    if os.fork() == 0:
        os.setsid()
        stay(state, "session")
    between = os.fork()
    if between == 0:
        os.setsid()
        if os.fork() == 0:
            stay(state, "orphan")
        os._exit(0)
    os.waitpid(between, 0)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state = None
    ready_path = "/health"

    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass

    def do_GET(self):
        script = self.state.script
        if self.path == self.ready_path:
            waits = script.get("ready_when")
            loading = waits is not None and not os.path.exists(waits)
            self.answer({"status": "ok"}, 503 if loading else script.get("ready_status", 200))
        elif self.path.startswith("/v1/realtime") and self.headers["Upgrade"] == "websocket":
            self.echo()
        else:
            self.answer({"error": {"message": "nothing here"}}, 404)

    def echo(self):
        """Speaks the beginning of a WebSocket (RFC 6455), then gives back what comes."""
        self.state.log("request", path=self.path,
                       headers={k.lower(): v for k, v in self.headers.items()})
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        self.close_connection = True
        while piece := self.connection.recv(65536):
            self.connection.sendall(piece)
        self.state.log("closed")

    def do_POST(self):
        body = self.read_body()
        self.state.log("request", path=self.path, sha256=hashlib.sha256(body).hexdigest(),
                       length=len(body), headers={k.lower(): v for k, v in self.headers.items()})
        path = self.path.split("?")[0]
        if path.startswith("/v1/audio/") and path != "/v1/audio/speech":
            self.answer({"text": "heard", "length": len(body),
                         "sha256": hashlib.sha256(body).hexdigest(),
                         "content_type": self.headers["Content-Type"]})
        elif path == "/v1/audio/speech":
            self.answer_bytes(SPEECH, "audio/wav")
        elif path.startswith("/v1/images/"):
            self.answer({"created": 1, "data": [{"b64_json": PIXEL}], "length": len(body),
                         "sha256": hashlib.sha256(body).hexdigest()})
        elif path == "/v1/chat/completions":
            self.chat(json.loads(body))
        else:
            self.answer({"path": self.path, "sha256": hashlib.sha256(body).hexdigest()})

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def chat(self, request):
        stub = request.get("stub", self.state.script.get("chat", {}))
        if "wait_for" in stub:
            until(stub["wait_for"])
        if "refuse" in stub:
            self.refuse(stub)
            return
        if stub.get("whole") or not request.get("stream"):
            message = {"role": "assistant", "content": " ".join(WORDS)}
            self.answer({"object": "chat.completion", "model": request["model"],
                         "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.event({"choices": [{"index": 0, "delta": {"role": "assistant"},
                                 "finish_reason": None}]})
        for number, word in enumerate(WORDS):
            if stub.get("die") == number:
                os._exit(9)
            if stub.get("fail") == number:
                self.event({"error": {"message": "CUDA out of memory"}})
                if "hold_until" in stub:
                    until(stub["hold_until"])
                break
            if "hold_until" in stub and number == stub.get("words", 2):
                until(stub["hold_until"])
            self.event({"choices": [{"index": 0, "delta": {"content": word + " "},
                                     "finish_reason": None}]})
        else:
            self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            self.chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def refuse(self, stub):
        body = json.dumps({"error": stub.get("error", {"message": "slow down"})}).encode()
        self.send_response(stub["refuse"])
        for name, value in stub.get("headers", {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + stub.get("missing", 0)))
        self.end_headers()
        self.wfile.write(body)
        if "missing" in stub:
            until(stub["hold_until"])

    def event(self, value):
        self.chunk(b"data: " + json.dumps(value).encode() + b"\n\n")

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def answer(self, value, status=200):
        self.answer_bytes(json.dumps(value).encode(), "application/json", status)

    def answer_bytes(self, data, content_type, status=200):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class TcpServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def server_bind(self):  # without a look-up of names
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "stub", 0


class UnixServer(TcpServer):
    address_family = socket.AF_UNIX


def misbehave(state):
    script = state.script
    for line in script.get("print", []):
        print(line.replace("{argv}", " ".join(sys.argv))
              .replace("{env}", json.dumps(dict(os.environ))), file=sys.stderr, flush=True)
    if state.starts() <= script.get("taken", 0):
        sys.exit("OSError: [Errno 98] Address already in use")
    if "exit" in script:
        sys.exit(script["exit"])
    if script.get("family"):
        start_family(state)
    if script.get("worker_bytes") and os.fork() == 0:
        stay(state, "worker", script["worker_bytes"])
    if script.get("ignore_sigterm"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "listen_when" in script:
        until(script["listen_when"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--uds")
    parser.add_argument("--ready", default="/health")
    options, _ = parser.parse_known_args()
    state = State(options.state)
    state.log("start", argv=sys.argv[1:], env=dict(os.environ))
    misbehave(state)
    Handler.state = state
    Handler.ready_path = options.ready
    server = UnixServer(options.uds, Handler) if options.uds else \
        TcpServer(("127.0.0.1", options.port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        signal.pause()


if __name__ == "__main__":
    main()

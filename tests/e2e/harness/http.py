"""A small HTTP/1.1 client on raw sockets: it sees what a library hides, as a broken transfer."""

import json
import socket
from typing import NamedTuple, Optional


class Broken(Exception):
    """The transfer ended before its declared end."""


class Response(NamedTuple):
    """A whole answer. Header names are in lower case."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]


def request_bytes(method, path, host, body=None, headers=None):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    fields = dict(headers or {})
    if body is not None:
        fields.setdefault("Content-Type", "application/json")
        fields.setdefault("Content-Length", str(len(body)))
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


class Connection:
    """One connection; Errors: OSError, Broken. Not for several threads, but close() and reset()."""

    def __init__(self, port, timeout=120):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._host = f"127.0.0.1:{port}"
        self._rest = 0  # bytes left of the chunk or of the whole body
        self._chunked = False
        self._until_close = False
        self._to_head = False
        self.status: Optional[int] = None
        self.headers = {}

    def send(self, method, path, body=None, headers=None):
        self._to_head = method == "HEAD"
        self._socket.sendall(request_bytes(method, path, self._host, body, headers))

    def send_raw(self, data):
        self._socket.sendall(data)

    def read_head(self):
        """Reads status line and headers."""
        self._until_head_end()
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            self.headers[name.strip().lower()] = value.strip()
        self._chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        length = self.headers.get("content-length")
        self._until_close = not self._chunked and length is None
        self._rest = int(length or 0)
        if self._to_head:  # its length is that of the answer to a GET
            self._chunked = self._until_close = False
            self._rest = 0

    def read_some(self):
        """The next piece of the body, b"" at its proper end."""
        if self._chunked and self._rest == 0:
            size = int(self._line().split(b";")[0], 16)
            if size == 0:
                while self._line():
                    pass  # trailers
                self._chunked = False
                return b""
            self._rest = size
        if self._until_close:
            return self._take_any() or self._receive()
        if self._rest == 0:
            return b""
        piece = (self._take_any() or self._receive_or_break())
        piece, extra = piece[:self._rest], piece[self._rest:]
        self._buffer = extra + self._buffer
        self._rest -= len(piece)
        if self._chunked and self._rest == 0 and self._line():
            raise Broken("no line end after a chunk")
        return piece

    def response(self):
        """Head and whole body."""
        self.read_head()
        pieces = []
        while piece := self.read_some():
            pieces.append(piece)
        return Response(self.status, self.headers, b"".join(pieces))

    def at_end(self):
        """True when the server has closed the connection. Blocks until it closes or sends."""
        try:
            return self._buffer == b"" and self._socket.recv(1, socket.MSG_PEEK) == b""
        except ConnectionResetError:
            return True

    def close(self):
        """Leaves as a program that ends does: also a reader in another thread returns."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def reset(self):
        """Leaves with a RST, as a crashed machine's connection does."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        # Wakes a reader in another thread, whose call would keep the connection open.
        self._socket.shutdown(socket.SHUT_RD)
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _receive(self):
        return self._socket.recv(65536)

    def _receive_or_break(self):
        data = self._receive()
        if not data:
            raise Broken("closed before the end of the answer")
        return data

    def _take_any(self):
        data, self._buffer = self._buffer, b""
        return data

    def _until_head_end(self):
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self._receive_or_break()

    def _line(self):
        while b"\r\n" not in self._buffer:
            self._buffer += self._receive_or_break()
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line


def ask(port, method, path, body=None, headers=None, timeout=120):
    """One request on a connection of its own."""
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
    with Connection(port, timeout) as connection:
        connection.send(method, path, body, headers)
        return connection.response()

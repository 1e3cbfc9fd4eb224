"""A server of files that behaves as it is told, as Hugging Face does: lists, redirects, keys."""

import collections
import hashlib
import http.server
import json
import ssl
import threading
import urllib.parse


class File:
    """What is served under one path, and how."""

    def __init__(self, content, **how):
        self.content = content
        self.etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        self.blind = False      # True: a range is given whatever If-Range says
        self.replaced_by = None  # the file that is there after the first cut
        self.ranges = True      # False: the whole file, whatever was asked
        self.length = True      # False: no Content-Length; the end of the connection is its end
        self.head = True        # False: HEAD is refused
        self.head_length = None  # what HEAD says instead of the length
        self.cuts = []          # the next answers end after so many bytes of theirs
        self.hold_after = None  # bytes of an answer after which it waits for `released`
        self.released = threading.Event()
        self.statuses = []      # of the next answers, before any content
        self.headers = {}
        self.media_type = "application/octet-stream"
        for name, value in how.items():
            assert hasattr(self, name), name
            setattr(self, name, value)


class _QuietServer(http.server.ThreadingHTTPServer):
    """Clients that are killed, or do not trust it, are what the tests are about."""

    def handle_error(self, _request, _client_address):
        pass


class FakeHub:
    """`files`: path → File; `redirects`: path → address. `requests` remembers what was asked."""

    def __init__(self, host="127.0.0.1", certificate=None):
        self.files = {}
        self.redirects = {}
        self.pages = {}  # path → (status, headers, text)
        self.requests = []
        hub = self

        class Handler(_Handler):
            """With its hub."""
            owner = hub

        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.address = f"{scheme}://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,),
                                        daemon=True)
        self._thread.start()

    def close(self):
        for file in self.files.values():
            file.released.set()
        self._server.shutdown()
        self._server.server_close()

    def put(self, path, content, **how):
        """A file by itself; returns its address."""
        self.files[path] = File(content, **how)
        return self.address + path

    def publish(self, repository, files, elsewhere=None, page_size=1000, revision="main"):
        """A repository whose files lie here or, by a redirect, on another server."""
        entries = [{"type": "directory", "path": "sub", "oid": "0", "size": 0}]
        for path, content in files.items():
            quoted = urllib.parse.quote(path)
            here = f"/{repository}/resolve/{revision}/{quoted}"
            if elsewhere:
                self.redirects[here] = elsewhere.put(f"/blobs/{quoted}", content) + "?sig=secret-1"
            else:
                self.put(here, content)
            entries.append({"type": "file", "path": path, "oid": "1", "size": 134, "lfs": {
                "oid": hashlib.sha256(content).hexdigest(), "size": len(content)}})
        base = f"/api/models/{repository}/tree/{revision}?recursive=true"
        pages = [entries[i:i + page_size] for i in range(0, len(entries), page_size)]
        for number, page in enumerate(pages):
            headers = {}
            if number + 1 < len(pages):
                headers["Link"] = f'<{self.address}{base}&cursor={number + 1}>; rel="next"'
            self.pages[base + (f"&cursor={number}" if number else "")] = (
                200, headers, json.dumps(page))

    def asked(self, path, method="GET"):
        """The headers of the requests for a path, in order."""
        return [headers for how, what, headers in self.requests
                if how == method and what.split("?")[0] == path]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner = None

    def log_message(self, *_arguments):
        """Quiet."""

    def do_HEAD(self):
        self._answer(False)

    def do_GET(self):
        self._answer(True)

    def _answer(self, with_body):
        hub = self.owner
        headers = collections.defaultdict(lambda: None)
        headers.update({name.lower(): value for name, value in self.headers.items()})
        hub.requests.append((self.command, self.path, headers))
        path = self.path.split("?")[0]
        if self.path in hub.pages or path in hub.pages:
            status, more, text = hub.pages.get(self.path) or hub.pages[path]
            return self._page(status, text.encode(), more, with_body)
        if path in hub.redirects:
            return self._page(302, b"elsewhere", {"Location": hub.redirects[path]}, with_body)
        file = hub.files.get(path)
        if file is None or (not with_body and not file.head):
            return self._page(404 if file is None else 403, b"no", {}, with_body)
        if with_body and file.statuses:
            return self._page(file.statuses.pop(0), b"<html>later</html>", file.headers, with_body)
        return self._file(path, file, headers, with_body)

    def _page(self, status, content, more, with_body):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def _file(self, path, file, headers, with_body):
        begin, size = 0, len(file.content)
        ranged = headers["range"] if file.ranges else None
        if ranged and (file.blind or headers["if-range"] in (None, file.etag)):
            begin = int(ranged.removeprefix("bytes=").rstrip("-"))
        if begin >= size > 0:
            return self._page(416, b"", {"Content-Range": f"bytes */{size}"}, with_body)
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{size - 1}/{size}")
        if file.etag:
            self.send_header("ETag", file.etag)
        self.send_header("Content-Type", file.media_type)
        if file.length:
            said = None if with_body else file.head_length
            self.send_header("Content-Length", str(size - begin if said is None else said))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if with_body:
            if file.cuts and file.replaced_by:
                self.owner.files[path] = file.replaced_by
            self._content(file, file.content[begin:])

    def _content(self, file, content):
        cut = file.cuts.pop(0) if file.cuts else None
        if cut is not None:
            content = content[:cut]
            self.close_connection = True
        try:
            hold = file.hold_after
            if hold is not None:
                self.wfile.write(content[:hold])
                file.released.wait()
                content = content[hold:]
            self.wfile.write(content)
        except OSError:
            self.close_connection = True

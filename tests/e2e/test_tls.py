"""HTTPS by certificate files: clients, cut answers, new certificates, mistakes."""

import concurrent.futures
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import time

import pytest

from harness import paths, processes
from harness.prompts import chat, count, count_text, endless
from harness.server import CHAT
from harness.waiting import PATIENT_S, wait_until

KEY = "k-admin"


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True,
                   timeout=PATIENT_S)


class Authority:
    """A CA of the test and what it signs."""

    def __init__(self, folder, name="ca"):
        self.folder = pathlib.Path(folder)
        self.name = name
        self.file = self.folder / f"{name}.pem"
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-days", "30", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                "-out", f"{name}.pem")

    def sign(self, name, hosts, days=30):
        """(chain, key) of a certificate for these hosts."""
        openssl(self.folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text("subjectAltName=" + ",".join(hosts))
        openssl(self.folder, "x509", "-req", "-in", f"{name}.csr", "-CA", self.file, "-CAkey",
                f"{self.name}.key", "-CAcreateserial", "-days", str(days), "-extfile",
                f"{name}.ext", "-out", f"{name}.pem")
        chain = self.folder / f"{name}.chain.pem"
        chain.write_text((self.folder / f"{name}.pem").read_text() + self.file.read_text())
        return chain, self.folder / f"{name}.key"

    def context(self):
        return ssl.create_default_context(cafile=str(self.file))


def own_address():
    """An address of this machine that is not loopback, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return None
        address = probe.getsockname()[0]
        return None if address.startswith("127.") else address


HOSTS = ["DNS:localhost", "IP:127.0.0.1"] + (
    [f"IP:{own_address()}"] if own_address() else [])


@pytest.fixture(name="authority", scope="module")
def _authority():
    folder = tempfile.mkdtemp(prefix="hf-tls-")
    yield Authority(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(name="pair", scope="module")
def _pair(authority):
    return authority.sign("server", HOSTS)


@pytest.fixture(name="secure")
def _secure(serve, pair):
    """secure(placed) → a server with the certificate as files of its own, to be replaced."""
    def start(placed, settings=None, started=True):
        server = serve(placed, settings, started=False)
        install(server, pair)
        server.settings["tls"] = {"certificate": "cert.pem", "key": "key.pem"}
        return server.start() if started else server
    return start


def install(server, pair):
    for name, source in zip(("cert.pem", "key.pem"), pair):
        target = server.folder / name
        shutil.copy(source, target.with_suffix(".new"))
        os.chmod(target.with_suffix(".new"), 0o600)
        target.with_suffix(".new").rename(target)


def ask(server, authority, method="GET", path="/health", body=None, host="localhost"):
    connection = http.client.HTTPSConnection(host, server.port, timeout=PATIENT_S,
                                             context=authority.context())
    try:
        connection.request(method, path, body and json.dumps(body),
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class RawStream:
    """A streamed answer as it comes, to tell a good end from a cut."""

    def __init__(self, server, authority, body, version="1.1"):
        plain = socket.create_connection(("127.0.0.1", server.port), PATIENT_S)
        self.socket = authority.context().wrap_socket(plain, server_hostname="localhost",
                                                      suppress_ragged_eofs=False)
        text = json.dumps({**body, "stream": True}).encode()
        self.socket.sendall(
            f"POST {CHAT} HTTP/{version}\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Connection: close\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text)
        self.received = b""

    def read_until(self, mark):
        while mark not in self.received:
            self.received += self.socket.recv(65536)

    def read_to_end(self):
        """True: the server said good-bye; False: the stream was cut."""
        try:
            while piece := self.socket.recv(65536):
                self.received += piece
            return True
        except (ssl.SSLError, ConnectionResetError):
            return False
        finally:
            self.socket.close()


# Clients


def test_both_are_spoken_on_loopback(secure, authority):
    server = secure({"a": "tiny-1"})
    server.wait_for_line(r"listening on http://127\.0\.0\.1:\d+ \(and https\)")
    server.wait_for_line(r"certificate for localhost, 127\.0\.0\.1.*, until 20\d\d-\d\d-\d\d")
    assert server.health()["status"] == "ok"
    status, body = ask(server, authority)
    assert status == 200 and json.loads(body)["status"] == "ok"
    status, body = ask(server, authority, "POST", CHAT, chat("a", 3))
    assert status == 200 and json.loads(body)["usage"]["completion_tokens"] == 3
    run = server.cli("ps")
    assert run.returncode == 0 and "a" in run.stdout
    server.stop()


def test_curl_streams(secure, authority):
    server = secure({"a": "tiny-1"})
    body = json.dumps({**count("a", 30), "stream": True})
    run = subprocess.run(
        ["curl", "-sSN", "--fail", "--cacert", authority.file, "-H",
         "Content-Type: application/json", "-d", body,
         f"https://localhost:{server.port}{CHAT}"],
        capture_output=True, text=True, timeout=PATIENT_S, check=True)
    events = [line.removeprefix("data: ") for line in run.stdout.splitlines() if line]
    assert events[-1] == "[DONE]"
    text = "".join(json.loads(event)["choices"][0]["delta"].get("content") or ""
                   for event in events[:-1] if json.loads(event)["choices"])
    assert text == count_text(30)
    server.stop()


def test_who_comes_from_elsewhere_must_encrypt(secure, authority):
    address = own_address()
    if address is None:
        pytest.skip("this machine has loopback addresses only")
    server = secure({"a": "tiny-1"}, {"": {"listen": "0.0.0.0:0"}}, started=False)
    server.extra_config = (f'[[users]]\nname = "admin"\nrole = "admin"\nkey_sha256 = '
                           f'"{hashlib.sha256(KEY.encode()).hexdigest()}"\n')
    server.start()
    server.wait_for_line(r"listening on https://0\.0\.0\.0:")
    plain = http.client.HTTPConnection(address, server.port, timeout=PATIENT_S)
    plain.request("GET", "/health", headers={"Authorization": f"Bearer {KEY}"})
    answer = plain.getresponse()
    assert answer.status == 400
    assert "this port speaks HTTPS" in json.loads(answer.read())["error"]["message"]
    plain.close()
    status, body = ask(server, authority, host=address)
    assert status == 200 and json.loads(body)["status"] == "ok"
    server.stop()


def test_64_handshakes_at_once(secure, authority):
    server = secure({"a": "tiny-1"})
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda _: ask(server, authority, path="/health/live"), range(64)))
    print(json.dumps({"handshakes": 64, "seconds": round(time.monotonic() - begun, 3)}))
    assert {status for status, _ in answers} == {200}
    server.stop()


@pytest.mark.parametrize("environment, words", [
    ({}, "in certificate chain\n  if the certificate is your own: HOLDFAST_CA=FILE"),
    ({"HOLDFAST_CA": "/nothing.pem"}, "HOLDFAST_CA: the file with authorities' certificates"),
])
def test_commands_verify_the_server(secure, environment, words):
    server = secure({"a": "tiny-1"})
    run = command(server, "ps", host=f"https://localhost:{server.port}", **environment)
    assert run.returncode == 1 and words in run.stderr, run.stderr


def command(server, *arguments, host, **environment):
    return subprocess.run([paths.holdfast(), *arguments],
                          env={"PATH": "/usr/bin:/bin", "HOME": str(server.folder),
                               "HOLDFAST_HOST": host, **environment},
                          cwd=server.folder, capture_output=True, text=True, timeout=PATIENT_S,
                          check=False)


def test_commands_speak_https(secure, authority, pair):
    server = secure({"a": "tiny-1"})
    for host in ("localhost", "127.0.0.1"):
        for trusted in (authority.file, pair[0]):
            run = command(server, "load", "a", host=f"https://{host}:{server.port}",
                          HOLDFAST_CA=str(trusted))
            assert run.returncode == 0 and "a is ready" in run.stdout, run.stderr
    install(server, authority.sign("elsewhere", ["DNS:elsewhere.example"]))
    assert server.post("/api/v1/reload").status == 200
    run = command(server, "ps", host=f"https://localhost:{server.port}",
                  HOLDFAST_CA=str(authority.file))
    assert run.returncode == 1 and "hostname mismatch" in run.stderr
    run = command(server, "ps", host=f"https://127.0.0.1:{server.port}",
                  HOLDFAST_CA=str(authority.file))
    assert run.returncode == 1 and "IP address mismatch" in run.stderr


def test_a_command_that_meets_plain_http_says_so(serve, authority):
    server = serve({"a": "tiny-1"})
    run = command(server, "ps", host=f"https://localhost:{server.port}",
                  HOLDFAST_CA=str(authority.file))
    assert run.returncode == 1 and "does it speak HTTPS there?" in run.stderr


# Cut answers


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_cut_answer_looks_cut(secure, authority, version):
    server = secure({"a": "slow-1"})
    stream = RawStream(server, authority, endless("a"), version)
    stream.read_until(b"data: ")
    processes.kill(server.child_of("a"))
    assert stream.read_to_end() is False
    assert b"[DONE]" not in stream.received


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_whole_answer_ends_with_a_goodbye(secure, authority, version):
    server = secure({"a": "tiny-1"})
    stream = RawStream(server, authority, count("a", 10), version)
    assert stream.read_to_end() is True
    assert b"[DONE]" in stream.received
    server.stop()


def test_a_client_that_leaves_frees_its_slot(secure, authority):
    server = secure({"a": "slow-1"})
    stream = RawStream(server, authority, endless("a"))
    stream.read_until(b"data: ")
    server.wait_active({"a": 1})
    with pytest.raises(ssl.SSLError):  # the answer was not whole, so none comes back
        stream.socket.unwrap()  # a good-bye, while the socket stays
    server.wait_active({})
    server.stop()


# New certificates and mistakes


def serial_at(server, authority):
    with socket.create_connection(("127.0.0.1", server.port), PATIENT_S) as plain:
        with authority.context().wrap_socket(plain, server_hostname="localhost") as secured:
            return secured.getpeercert()["serialNumber"]


def test_a_new_certificate_while_a_stream_runs(secure, authority):
    server = secure({"a": "slow-1"})
    before = serial_at(server, authority)
    stream = RawStream(server, authority, count("a", 120))
    stream.read_until(b"data: ")
    install(server, authority.sign("second", HOSTS))
    assert server.post("/api/v1/reload").status == 200
    assert serial_at(server, authority) != before
    assert stream.read_to_end() is True
    assert b"[DONE]" in stream.received, "on the connection that it began with"
    server.stop()


def test_a_mistake_keeps_the_old_certificate(secure, authority):
    server = secure({"a": "tiny-1"})
    before = serial_at(server, authority)
    _, key = authority.sign("third", HOSTS)
    shutil.copy(key, server.folder / "key.pem")
    refused = server.post("/api/v1/reload")
    assert refused.status == 422
    assert refused.error["message"] == (
        "holdfast.toml: tls.key: the key belongs to another certificate than tls.certificate")
    assert str(server.folder) not in refused.body.decode()
    (server.folder / "cert.pem").unlink()
    assert "tls.certificate: the file cannot be read" in (
        server.post("/api/v1/reload").error["message"])
    assert serial_at(server, authority) == before
    server.stop()


def test_encryption_may_be_switched_on_and_off_by_a_reload(serve, pair, authority):
    server = serve({"a": "tiny-1"})
    install(server, pair)
    server.settings["tls"] = {"certificate": "cert.pem", "key": "key.pem"}
    server.write_config()
    assert server.post("/api/v1/reload").status == 200
    assert ask(server, authority)[0] == 200
    del server.settings["tls"]
    server.write_config()
    assert server.post("/api/v1/reload").status == 200
    server.wait_for_line("new connections are not encrypted any more")
    with pytest.raises((ssl.SSLError, OSError)):
        ask(server, authority)
    assert server.health()["status"] == "ok"
    server.stop()


def test_the_checks_and_the_start_say_the_same(secure, authority):
    server = secure({"a": "tiny-1"}, started=False)
    server.write_config()
    good = command(server, "config", "check", "holdfast.toml", host="")
    assert good.returncode == 0 and good.stderr == ""
    _, key = authority.sign("fourth", HOSTS)
    encrypted = server.folder / "encrypted.pem"
    openssl(server.folder, "pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out",
            encrypted)
    for wrong, words in ((key, "tls.key: the key belongs to another certificate"),
                         (encrypted, "tls.key: the key is encrypted")):
        shutil.copy(wrong, server.folder / "key.pem")
        for arguments in (["config", "check", "holdfast.toml"],
                          ["serve", "--config", "holdfast.toml"]):
            run = command(server, *arguments, host="")
            assert run.returncode == 2 and words in run.stderr, run
        run = command(server, "doctor", "--config", "holdfast.toml", host="127.0.0.1:1")
        assert run.returncode == 1 and words in run.stdout, run.stdout


def test_warnings_of_certificates(secure, authority):
    server = secure({"a": "tiny-1"}, started=False)
    server.write_config()
    install(server, authority.sign("short", HOSTS, days=3))
    os.chmod(server.folder / "key.pem", 0o644)
    late = "the certificate expires within 3 days"
    is_open = "every user of this machine may read the key"
    run = command(server, "config", "check", "holdfast.toml", "--json", host="")
    result = json.loads(run.stdout)
    assert result["good"] and run.returncode == 0
    assert late in result["warnings"][0] and is_open in result["warnings"][1]
    run = command(server, "doctor", "--config", "holdfast.toml", host="127.0.0.1:1")
    assert late in run.stdout and is_open in run.stdout
    server.start()
    server.wait_for_line(late)
    server.wait_for_line(is_open)
    wait_until(lambda: ask(server, authority)[0] == 200, "it serves all the same")
    server.stop()

"""What a child is given, what it can reach, and what never leaves us."""

import hashlib
import pathlib
import re
import stat

from harness import processes
from harness.prompts import chat, endless

SECRET = "sk-canary-5f1e0c77"


def test_a_child_gets_an_empty_environment_and_no_port(serve):
    server = serve({"a": "slow-1"}, environment={
        "LLAMA_ARG_HOST": "0.0.0.0", "LLAMA_ARG_TOOLS": "all", "LLAMA_API_KEY": SECRET,
        "HOLDFAST_API_KEY": SECRET, "LD_LIBRARY_PATH": "/nonexistent"})
    assert server.chat(chat("a")).status == 200
    child = server.child_of("a")
    assert set(processes.environment(child)) == {"LANG", "LLAMA_SERVER_ROUTER_PORT"}
    assert processes.tcp_listeners(child) == []
    line = processes.command_line(child)
    for flag in ("--cache-ram", "--ctx-checkpoints", "--fit", "--ctx-size", "--parallel",
                 "--no-ui", "--alias", "--no-slots"):
        assert flag in line, line
    assert line[line.index("--ctx-size") + 1] == str(8192 * 2)
    assert len(processes.tcp_listeners(server.process.pid)) == 1
    server.stop()


def test_its_socket_is_in_a_private_folder(serve):
    server = serve({"a": "tiny-1"})
    server.load("a")
    line = processes.command_line(server.child_of("a"))
    socket = pathlib.Path(line[line.index("--host") + 1])
    assert stat.S_ISSOCK(socket.stat().st_mode)
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    server.stop()
    assert not socket.exists()


def test_children_are_direct_and_ours_only(serve):
    first, second = serve({"a": "tiny-1"}), serve({"a": "tiny-1"})
    for server in (first, second):
        server.load("a")
    other = second.child_of("a")
    assert first.child_of("a") != other
    first.stop()
    assert processes.is_alive(other)
    assert second.chat(chat("a")).status == 200
    second.stop()


def test_secrets_stay_out_of_logs_and_of_the_engine(serve):
    server = serve({"a": "tiny-1"}, {"log": {"level": "debug"}})
    headers = {"Authorization": f"Bearer {SECRET}", "x-api-key": SECRET, "Cookie": f"k={SECRET}"}
    assert server.chat(chat("a"), headers=headers).status == 200
    assert server.chat(chat("nobody"), headers=headers).status == 404
    # What people ask is private too.
    prompt = chat("a", messages=[{"role": "user", "content": SECRET}])
    assert server.chat(prompt).status == 200
    server.stop()
    assert SECRET not in "\n".join(server.lines)
    assert SECRET not in server.journal_path.read_text()


def test_keys(serve):
    def digest(key):
        return hashlib.sha256(key.encode()).hexdigest()
    server = serve({"a": "tiny-1"}, started=False)
    text = "".join(f'[[users]]\nname = "{name}"\nkey_sha256 = "{digest(name)}"\nrole = "{role}"\n'
                   for name, role in (("ann", "admin"), ("bob", "user")))
    server.extra_config = text + "max_active = 1\n"
    server.start()
    ann = {"Authorization": "Bearer ann"}
    bob = {"x-api-key": "bob"}
    assert server.chat(chat("a")).status == 401
    assert server.chat(chat("a"), headers={"Authorization": "Bearer eve"}).status == 401
    assert server.chat(chat("a"), headers=bob).status == 200
    assert set(server.get("/health").json) == {"status"}
    assert "pid" not in server.get("/health", headers=bob).json["cached_models"][0]
    assert "pid" in server.get("/health", headers=ann).json["cached_models"][0]
    assert server.post("/api/v1/cleanup?level=emergency", headers=bob).status == 403
    assert server.post("/api/v1/models/a/unload?force=true", headers=bob).status == 403

    held = server.stream(endless("a"), headers=bob).wait_for_tokens()
    refused = server.chat(chat("a"), headers=bob)
    assert (refused.status, refused.error["code"]) == (429, "user_limit")
    assert int(refused.headers["retry-after"]) >= 1
    assert server.chat(chat("a"), headers=ann).status == 200
    held.close()
    assert server.post("/api/v1/models/a/unload?force=true", headers=ann).status == 200
    server.stop()
    assert not re.search(r"\b(ann|bob)\b.*key", "\n".join(server.lines))


def test_other_sites_pages_are_refused(serve):
    server = serve({"a": "tiny-1"})
    assert server.chat(chat("a"), headers={"Origin": "https://evil.example"}).status == 403
    assert server.chat(chat("a"), headers={"Origin": "http://localhost:3000"}).status == 200
    with server.connect() as connection:
        connection.send_raw(b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        assert connection.response().status == 403
    server.stop()

"""[engine] fence: a child that grows without end dies alone, and that is called out of memory."""

import pathlib

import pytest

from harness import stub
from harness.prompts import chat

GIB = 1024**3
# More than the fence of a tiny model: 1.25 times its some 100 MiB, and 512 MiB.
BOMB = 1536 * 1024 * 1024


def v1_home():
    """Our own memory cgroup of version 1, or None where there is none to be used."""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            home = pathlib.Path("/sys/fs/cgroup/memory" + path)
            return home if (home / "memory.limit_in_bytes").exists() else None
    return None


def fenced(kind):
    if kind == "cgroup" and v1_home() is None:
        pytest.skip("no memory controller of version 1 here: version 2 needs a delegated cgroup")
    return {"engine": {"fence": kind}}


def leftovers(server):
    home = v1_home()
    return [] if home is None else list(home.glob(f"holdfast-{server.process.pid}-*"))


@pytest.mark.parametrize("kind", ["data", "cgroup"])
def test_a_child_that_grows_without_end_ends_at_its_fence(serve, kind):
    settings = fenced(kind)
    settings["engine"]["llama_server"] = stub.settings()["engine"]["llama_server"]
    server = serve({"bomb": "tiny-1", "good": "tiny-2"}, settings)
    assert server.chat(chat("good")).status == 200
    good = server.child_of("good")
    stub.script(server, "bomb", load_bytes=BOMB)
    answer = server.chat(chat("bomb"))
    assert (answer.status, answer.error["code"]) == (503, "load_failed"), answer
    server.wait_for_line("of bomb ended unexpectedly .* because it ran into its fence")
    assert len(server.journal("spawn", model="bomb")) == 2  # once more with a quarter more
    assert server.child_of("good") == good
    assert server.chat(chat("good")).status == 200
    server.stop()
    assert leftovers(server) == []


@pytest.mark.parametrize("kind", ["data", "cgroup"])
def test_a_sound_model_lives_behind_a_fence(serve, kind):
    server = serve({"a": "slow-1"}, fenced(kind))
    assert server.chat(chat("a", max_tokens=8)).status == 200
    child = server.child_of("a")
    if kind == "data":
        limits = pathlib.Path(f"/proc/{child}/limits").read_text()
        data = next(line for line in limits.splitlines() if line.startswith("Max data size"))
        assert 512 * 1024**2 < int(data.split()[3]) < 2 * GIB
    else:
        (own,) = leftovers(server)
        assert str(child) in (own / "cgroup.procs").read_text().split()
        limit = int((own / "memory.limit_in_bytes").read_text())
        reserved = server.cached("a")["bytes_reserved"]
        assert 0 <= reserved * 5 // 4 + 512 * 1024**2 - limit < 8192  # whole pages
    server.stop()
    assert leftovers(server) == []


def test_without_a_fence_there_is_none(serve):
    server = serve({"a": "tiny-1"})
    server.load("a")
    limits = pathlib.Path(f"/proc/{server.child_of('a')}/limits").read_text()
    assert "Max data size             unlimited" in limits
    assert leftovers(server) == []
    server.stop()

"""Fixtures and the time limit of every test. See ../README.md."""

import functools
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness import paths  # noqa: E402  (needs the path above)
from harness.cgroup import MemoryGroup, NoMemoryGroup  # noqa: E402
from harness.server import Server  # noqa: E402

DEFAULT_LIMIT_S = 180


def pytest_sessionstart(session):
    """Fails at once, with the remedy, where a program is missing."""
    if session.config.option.collectonly:
        return
    try:
        paths.holdfast()
        paths.llama_server()
    except paths.MissingProgram as missing:
        pytest.exit(str(missing), returncode=1)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """The alarm is delivered to the main thread, which runs the test."""
    marker = item.get_closest_marker("limit")
    seconds = marker.args[0] if marker else DEFAULT_LIMIT_S

    def on_alarm(_number, _frame):
        raise TimeoutError(f"the test took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failed test shows what its servers said."""
    report = (yield).get_result()
    if report.failed:
        for server in getattr(item, "servers", []):
            report.sections.append((f"log of {server.folder}", server.log_tail()))


@pytest.fixture
def memory_group():
    """memory_group(bytes) → a MemoryGroup with that limit; skips where the kernel gives us none."""
    groups = []

    def make(limit_bytes):
        try:
            groups.append(MemoryGroup(limit_bytes))
        except NoMemoryGroup as error:
            pytest.skip(f"no memory cgroup can be made here: {error}")
        return groups[-1]

    yield make
    for group in groups:
        group.remove()


@pytest.fixture
def serve(request, memory_group):  # a group goes after the servers that live in it
    """serve(placed, settings…) → a running Server, taken down after the test."""
    servers = request.node.servers = []

    def run(placed, settings=None, environment=None, started=True):
        server = Server(placed, settings, environment)
        servers.append(server)
        return server.start() if started else server

    yield run
    for server in servers:
        server.dispose()


@functools.lru_cache(maxsize=None)
def _estimate(recipe, context, parallel, load_mode):
    server = Server({"one": recipe}, {"defaults": {"context": context, "parallel": parallel,
                                                   "load_mode": load_mode}})
    try:
        models = server.start().get("/api/v1/models").json["models"]
        return models[0]["bytes_estimated"]
    finally:
        server.dispose()


@pytest.fixture(scope="session")
def bytes_of():
    """bytes_of(recipe) → what the ledger will reserve for it at first."""
    def look(recipe, context=8192, parallel=2, load_mode=None):
        return _estimate(recipe, context, parallel, load_mode)
    return look


@pytest.fixture(scope="session")
def room_for(bytes_of):
    """room_for(count, recipe) → settings of a budget that holds so many alike, and not one more."""
    def settings(count, recipe="slow-1", **more):
        budget = int(bytes_of(recipe, **more) * (count + 0.5))
        return {"memory": {"budget": budget}}
    return settings

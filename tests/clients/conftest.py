"""Fixtures, and the record of what was proved. See ../README.md."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import box as boxes  # noqa: E402  (needs the path above)
from drivers import calls, langchain_node, node, ollama_node  # noqa: E402
from drivers.anthropic_python import AnthropicPython  # noqa: E402
from drivers.curl import Curl  # noqa: E402
from drivers.langchain_python import LangChainOllama, LangChainOpenAI  # noqa: E402
from drivers.ollama_python import OllamaPython  # noqa: E402
from drivers.openai_python import OpenAIPython  # noqa: E402
from harness import paths  # noqa: E402

DEFAULT_LIMIT_S = 120
RECORD = paths.ROOT / "build" / "conformance.json"

PYTHON = (OpenAIPython, AnthropicPython, OllamaPython, LangChainOpenAI, LangChainOllama, Curl)
NODE = (node.OpenAINode, node.AnthropicNode, ollama_node.OllamaNode,
        langchain_node.LangChainOpenAINode, langchain_node.LangChainOllamaNode)
DRIVERS = {driver.name: driver for driver in (*PYTHON, *NODE)}


def pytest_sessionstart(session):
    """Fails at once, with the remedy, where a program is missing."""
    session.config.stash[_PROVED] = []
    if session.config.option.collectonly:
        return
    try:
        paths.holdfast()
        paths.llama_server()
        boxes.real_model()
    except paths.MissingProgram as missing:
        pytest.exit(str(missing), returncode=1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """The alarm is delivered to the main thread, which runs the test. A test that proves something
    of a client that it never called has failed."""
    marker = item.get_closest_marker("limit")
    seconds = marker.args[0] if marker else DEFAULT_LIMIT_S

    def on_alarm(_number, _frame):
        raise TimeoutError(f"the test took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(seconds)
    calls.begin()
    try:
        result = yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    for _, driver in _proofs(item):
        _assert_called(driver)
    return result


# What was proved, for tools/conformance.py

_PROVED = pytest.StashKey()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed and "box" in getattr(item, "funcargs", {}):
        report.sections.append(("log of the server", item.funcargs["box"].log_tail()))
    if report.when != "call" or report.skipped:
        return
    for marker, driver in _proofs(item):
        endpoint, feature = marker.args
        _note(item.config, driver.endpoints.get(endpoint, endpoint), feature, driver.name,
              marker.kwargs.get("state", "passes") if report.passed else "fails",
              marker.kwargs.get("note", ""))


def _proofs(item):
    """(marker, driver) of each row that the test makes."""
    name = item.callspec.params.get("client") if hasattr(item, "callspec") else None
    return [(marker, DRIVERS[marker.kwargs.get("client") or name])
            for marker in item.iter_markers("proves")]


def _assert_called(driver):
    assert calls.made_by(driver.name), f"the test says what {driver.name} does, and never called it"


def _note(config, endpoint, feature, client, state, note=""):
    config.stash[_PROVED].append({"endpoint": endpoint, "feature": feature, "client": client,
                                  "state": state, "note": note})


@pytest.fixture
def record_proof(request, client):
    """record_proof(endpoint, feature, state, note): a row whose endpoint the test decides; proved
    if the block ends well."""
    @contextlib.contextmanager
    def recording(endpoint, feature, state="passes", note=""):
        try:
            yield
            _assert_called(client)
        except BaseException:
            _note(request.config, endpoint, feature, client.name, "fails")
            raise
        _note(request.config, endpoint, feature, client.name, state, note)

    return recording


def pytest_sessionfinish(session):
    if session.config.option.collectonly:
        return
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    part = RECORD.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(session.config.stash[_PROVED], indent=1) + "\n", encoding="utf-8")
    part.rename(RECORD)


# The server and its clients

@pytest.fixture(scope="session")
def shared_box():
    box = boxes.Box()
    try:
        yield box.start()
        box.stop()
    finally:
        box.dispose()


@pytest.fixture
def box(shared_box):
    """The server, at rest before and after each test: a client that leaves something running
    fails the test that drove it."""
    yield shared_box
    shared_box.wait_quiet()


@pytest.fixture(scope="session")
def clients_folder():
    """Where scripts/clients.sh put the npm clients."""
    script = paths.ROOT / "scripts" / "clients.sh"
    return subprocess.run([script], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="session")
def node_process(clients_folder, tmp_path_factory):
    process = node.Node(clients_folder, tmp_path_factory.mktemp("node") / "log")
    yield process
    process.end()


@pytest.fixture(scope="session")
def driver_of(request):
    """driver_of(name) → the driver."""
    def make(name):
        driver = DRIVERS[name]
        return driver(request.getfixturevalue("node_process")) if driver in NODE else driver()
    return make


@pytest.fixture
def client(request, driver_of):
    """The driver whose name the test is parametrised with; see which.each."""
    return driver_of(request.param)

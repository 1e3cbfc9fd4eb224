"""Clients that come again: refused for now, or with a time limit shorter than a load."""

import contextlib
import functools

import pytest

from background import InBackground
from box import ADMIN, HELD, NARROW, PEOPLE, SHORT, TALKER, Tap
from drivers import calls as made
from drivers import ollama_python, openai_python
from drivers.answer import Ask, Refused
from harness.prompts import endless
from harness.waiting import PATIENT_S, wait_until
from which import ALL, ANTHROPIC, OLLAMA, OPENAI, each

RETRYING = [*OPENAI, *ANTHROPIC]
SHORT_LIMIT_S = 1


@each([*RETRYING, *OLLAMA])
@pytest.mark.proves("chat", "own limit reached: 429")
def test_a_limit_is_told(box, client):
    with pytest.raises(Refused) as refused:
        with _the_only_one_of(box):
            client.chat(box.connection(NARROW), Ask(SHORT, max_tokens=1))
    assert refused.value.kind == client.refusals["limit"]
    assert refused.value.status == 429


@each(RETRYING)
@pytest.mark.proves("chat", "429: the client comes again by itself")
def test_a_client_comes_again_after_429(box, client):
    with Tap(box.port) as tap:
        reach = tap.reach(box.connection(NARROW, retries=20))
        with _the_only_one_of(box):
            asking = InBackground(lambda: client.chat(reach, Ask(SHORT, max_tokens=4)))
            wait_until(lambda: 429 in tap.statuses, "it was refused")
        assert asking.result().completion_tokens > 0
        assert tap.statuses[-1] == 200


@each(RETRYING)
@pytest.mark.proves("chat", "503: the client comes again by itself")
def test_a_client_comes_again_after_503(box, client, full_line):
    with Tap(box.port) as tap:
        # Whose requests fill the line: another one's would take a place from these.
        reach = tap.reach(box.connection(ADMIN, retries=20))
        with full_line:
            asking = InBackground(lambda: client.chat(reach, Ask(HELD, max_tokens=4)))
            wait_until(lambda: 503 in tap.statuses, "it was refused")
        assert asking.result().completion_tokens > 0
        assert tap.statuses[-1] == 200


@each(RETRYING)
@pytest.mark.proves("chat", "short time limit: comes again with its age, finds the model loaded")
def test_a_short_time_limit_during_a_long_load(impatient, client):
    attempts, answer = impatient(client.name)
    assert attempts >= 3, "it had left twice at least"
    assert answer.result().completion_tokens > 0


@pytest.fixture(scope="module")
def impatient(shared_box, driver_of):
    """impatient(name) → (requests, call) of a client whose time limit is shorter than the load it
    waits for. All of them wait for the same load, which they began, each for another person."""
    taps, calls = {}, {}

    def begin():
        for name, person in zip(RETRYING, PEOPLE):
            taps[name].requests = 0
            reach = taps[name].reach(
                shared_box.connection(person, timeout_s=SHORT_LIMIT_S, retries=30))
            calls[name] = InBackground(functools.partial(
                driver_of(name).chat, reach, Ask(HELD, max_tokens=1)))

    with contextlib.ExitStack() as stack:
        for name in RETRYING:
            taps[name] = stack.enter_context(Tap(shared_box.port))
        load = stack.enter_context(shared_box.held_load(begin))
        wait_until(lambda: all(tap.requests >= 3 for tap in taps.values()),
                   "each has come again twice")
        oldest = wait_until(lambda: _oldest_wait(shared_box, HELD), "somebody waits again")
        assert oldest > 2 * SHORT_LIMIT_S, "it is older than any attempt"
        assert shared_box.cached(HELD)["is_loading"]
        load.thaw()
        for call in calls.values():
            call.join(PATIENT_S)
        return lambda name: (taps[name].requests, _called_before(name, calls[name]))


def _called_before(name, call):
    """A fixture has called it, for all tests of the module."""
    made.note(name)
    return call


def _oldest_wait(box, model):
    return next((wait["oldest_s"] for wait in box.health()["waiting"]
                 if wait["model"] == model and wait["requests"]), None)


@each(ALL)
@pytest.mark.proves("chat", "heartbeats while a model loads disturb no stream")
def test_heartbeats_disturb_no_stream(hearing, client):
    heard, stream = hearing(client.name)
    assert _HEARTBEAT[client.endpoints["chat"]] in heard
    answer = stream.result()
    assert answer.completion_tokens == 8 and answer.pieces >= 6
    assert "holdfast" not in answer.text


_HEARTBEAT = {"POST /v1/chat/completions": b"\n: holdfast ", "POST /v1/messages": b"event: ping",
              "POST /api/chat": b'"done":false'}


@pytest.fixture(scope="module")
def hearing(shared_box, driver_of):
    """hearing(name) → (what had come when the load ended, call) of a stream of each client that
    began while its model was loading. All of them wait for the same load."""
    taps, calls = {}, {}
    with contextlib.ExitStack() as stack:
        load = stack.enter_context(shared_box.held_load())
        for name in ALL:
            taps[name] = stack.enter_context(Tap(shared_box.port))
            reach = taps[name].reach(shared_box.connection())
            calls[name] = InBackground(functools.partial(
                driver_of(name).stream, reach, Ask(HELD, max_tokens=8)))
        wait_until(lambda: all(_HEARTBEAT[driver_of(name).endpoints["chat"]] in tap.answers
                               or calls[name].is_over for name, tap in taps.items()),
                   "each has heard something, or has given up")
        heard = {name: tap.answers for name, tap in taps.items()}
        load.thaw()
        for call in calls.values():
            call.join(PATIENT_S)
        return lambda name: (heard[name], _called_before(name, calls[name]))


CUT = "an answer that is cut ends with the client's own error"


@each(ALL)
@pytest.mark.proves("chat", CUT)
def test_an_answer_that_is_cut(box, client):
    _assert_told(box, lambda reach: client.stream(reach, Ask(TALKER, max_tokens=10_000_000)))


@each(["openai (Python)"])
@pytest.mark.proves("POST /v1/completions", CUT)
def test_a_completion_that_is_cut(box, client):
    def read(reach):
        with openai_python.refusing():
            list(openai_python.client(reach).completions.create(
                model=TALKER, prompt="x", max_tokens=10_000_000, stream=True))

    _assert_told(box, read)


@each(["openai (Python)"])
@pytest.mark.proves("POST /v1/responses", CUT)
def test_a_response_that_is_cut(box, client):
    def read(reach):
        with openai_python.refusing():
            list(openai_python.client(reach).responses.create(
                model=TALKER, input="x", max_output_tokens=10_000_000, stream=True))

    _assert_told(box, read)


@each(["ollama (Python)"])
@pytest.mark.proves("POST /api/generate", CUT)
def test_a_text_that_is_cut(box, client):
    def read(reach):
        with ollama_python.refusing():
            list(ollama_python.client(reach).generate(
                model=TALKER, prompt="x", stream=True, options={"num_predict": -1}))

    _assert_told(box, read)


def _assert_told(box, read):
    """read(connection) raises what was told in the middle of its stream."""
    with Tap(box.port) as tap:
        stream = InBackground(lambda: read(tap.reach(box.connection())))
        wait_until(lambda: len(tap.answers) > 3000, "some of its answer has come")
        assert box.post(f"/api/v1/models/{TALKER}/unload?force=true").status == 200
        with pytest.raises(Refused) as refused:
            stream.result()
    assert "administrator" in refused.value.message, "it says why"


@each(RETRYING)
@pytest.mark.proves("chat", "time limit without retries: the client's own error")
def test_a_time_limit_without_retries(box, client):
    with box.held_load():
        with pytest.raises(Refused) as refused:
            client.chat(box.connection(timeout_s=1), Ask(HELD, max_tokens=4))
        assert refused.value.status is None
    assert "time" in str(refused.value).lower()


class _the_only_one_of:
    """The narrow user's one request runs, and is over when the block is."""

    def __init__(self, box):
        self._box = box

    def __enter__(self):
        key = self._box.connection(NARROW).key
        self._stream = self._box.stream(endless(TALKER),
                                        headers={"Authorization": f"Bearer {key}"})
        self._stream.wait_for_tokens(1)

    def __exit__(self, *_):
        self._stream.close()


class _FullLine:
    """As many requests as may wait for a model that loads."""

    def __init__(self, box, count):
        self._box, self._count = box, count

    def __enter__(self):
        self._load = self._box.held_load().__enter__()
        body = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 1, "model": HELD}
        self._streams = [self._box.stream(body) for _ in range(self._count)]
        wait_until(lambda: self._box.active().get(HELD) == self._count, "the line is full")

    def __exit__(self, *error):
        self._load.__exit__(*error)
        for stream in self._streams:
            stream.finish()


@pytest.fixture
def full_line(box):
    return _FullLine(box, box.max_waiting)

"""Clients that come again: refused for now, or with a time limit shorter than a load."""

import contextlib
import functools
import threading

import pytest

from box import ADMIN, HELD, NARROW, PEOPLE, SHORT, TALKER, Tap
from drivers.answer import Ask, Refused
from harness.prompts import endless
from harness.waiting import PATIENT_S, wait_until
from which import ANTHROPIC, OLLAMA, OPENAI, each

RETRYING = [*OPENAI, *ANTHROPIC]
SHORT_LIMIT_S = 1


class InBackground(threading.Thread):
    """A call whose result somebody asks for later."""

    def __init__(self, call):
        super().__init__(daemon=True)
        self._call = call
        self._outcome = None
        self.start()

    def run(self):
        try:
            self._outcome = (self._call(), None)
        except BaseException as error:  # told by result()
            self._outcome = (None, error)

    def result(self):
        self.join(PATIENT_S)
        assert self._outcome, "it did not end"
        value, error = self._outcome
        if error:
            raise error
        return value


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
@pytest.mark.proves("chat", "short time limit: keeps its age, finds the model loaded")
def test_a_short_time_limit_during_a_long_load(impatient, client):
    attempts, waited_ms, answer = impatient(client.name)
    assert attempts >= 3, "it had left twice at least"
    assert waited_ms > 2 * SHORT_LIMIT_S * 1000, "it is as old as its first attempt"
    assert answer.result().completion_tokens > 0


@pytest.fixture(scope="module")
def impatient(shared_box, driver_of):
    """impatient(name) → (requests, waited_ms, call) of a client whose time limit is shorter than
    the load it waits for. All of them wait for the same load, each for another person."""
    taps, calls = {}, {}
    with contextlib.ExitStack() as stack:
        load = stack.enter_context(shared_box.held_load())
        for name, person in zip(RETRYING, PEOPLE):
            taps[name] = stack.enter_context(Tap(shared_box.port))
            reach = taps[name].reach(
                shared_box.connection(person, timeout_s=SHORT_LIMIT_S, retries=30))
            calls[name] = InBackground(functools.partial(
                driver_of(name).chat, reach, Ask(HELD, max_tokens=1)))
        wait_until(lambda: all(tap.requests >= 3 for tap in taps.values()),
                   "each has come again twice")
        assert shared_box.cached(HELD)["is_loading"]
        load.thaw()
        for call in calls.values():
            call.join(PATIENT_S)
        return lambda name: (taps[name].requests, taps[name].waited_ms, calls[name])


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

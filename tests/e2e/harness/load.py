"""Clients by the dozen: some keep one model busy, some ask at random."""

import random
import threading
import time
from typing import NamedTuple

from .http import Response
from .prompts import completion

COMPLETIONS = "/v1/completions"


class Asked(NamedTuple):
    """One request and its answer; seconds as the client measured them."""

    body: dict
    answer: Response
    took_s: float

    @property
    def model(self):
        return self.body["model"]

    @property
    def is_refusal(self):
        """Not now, and it says when to come back."""
        return (self.answer.status in (429, 503)
                and int(self.answer.headers.get("retry-after", 0)) >= 1)

    @property
    def service_s(self):
        """Without the wait for the grant."""
        return self.took_s - int(self.answer.headers["x-holdfast-waited-ms"]) / 1000


def ask(server, body, path=COMPLETIONS):
    begun = time.monotonic()
    answer = server.post(path, body)
    return Asked(body, answer, time.monotonic() - begun)


def is_right(asked):
    """A completion by the model that was asked, of the length that was asked."""
    return (asked.answer.status == 200
            and asked.answer.headers["x-holdfast-model"] == asked.model
            and asked.answer.json["usage"]["completion_tokens"] == asked.body["max_tokens"])


def tokens_in(server, model, seconds):
    """How many tokens the model gives one client in so many seconds."""
    answer = server.post(COMPLETIONS, completion(model, 50))
    assert answer.status == 200, answer
    return max(2, round(seconds * answer.json["timings"]["predicted_per_second"]))


class Busy:
    """Keeps a model busy while its block runs: clients that ask again as soon as they are answered,
    each time for a random length in [tokens / 2, 2 tokens], so that they never fall into step."""

    def __init__(self, server, model, clients, tokens, seed=0):
        self._server = server
        self._model = model
        self._tokens = tokens
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._loop, args=(random.Random(f"{seed} {n}"),))
                         for n in range(clients)]
        self.begun = None
        self.asked = []  # in the order of their ends

    def __enter__(self):
        self.begun = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def wrong(self):
        return [asked for asked in self.asked if not is_right(asked)]

    @property
    def longest_answer_s(self):
        return max(asked.service_s for asked in self.asked)

    def _loop(self, lengths):
        while not self._over.is_set():
            tokens = lengths.randint(max(1, self._tokens // 2), 2 * self._tokens)
            self.asked.append(ask(self._server, completion(self._model, tokens)))


def hammer(server, threads, seconds, request):
    """So many clients ask for so long, each one request after the other; request(random) gives
    path and body. All that was asked."""
    until = time.monotonic() + seconds
    asked = []

    def loop(number):
        chance = random.Random(number)
        while time.monotonic() < until:
            path, body = request(chance)
            asked.append(ask(server, body, path))

    clients = [threading.Thread(target=loop, args=(number,)) for number in range(threads)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return asked


def percentile(values, percent):
    """The smallest value that so many per cent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]

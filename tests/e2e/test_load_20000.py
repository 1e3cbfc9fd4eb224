"""T2 of the peers' test catalogue on the real engine: many clients, three models, room for two.

Every answer is right, or a refusal that says when to come back; then the journal is audited by a
program that knows nothing of Holdfast's code.
"""

import collections
import json
import random
import threading

import pytest

from harness.prompts import chat
from harness.server import CHAT

CLIENTS = 32
MODELS = ("a", "b", "c")


class Client(threading.Thread):
    """Asks a random model again and again on one connection."""

    def __init__(self, server, number, requests):
        super().__init__(daemon=True)
        self._server = server
        self._random = random.Random(number)
        self._requests = requests
        self.outcomes = collections.Counter()
        self.wrong = []

    def run(self):
        connection = self._server.connect()
        for _ in range(self._requests):
            model = self._random.choice(MODELS)
            body = chat(model, max_tokens=self._random.randint(1, 4))
            if self._random.random() < 0.02:
                self._leave_early(body)
                continue
            connection.send("POST", CHAT, json.dumps(body).encode())
            self._judge(body, connection.response())
        connection.close()

    def _leave_early(self, body):
        connection = self._server.connect()
        connection.send("POST", CHAT, json.dumps({**body, "stream": True}).encode())
        if self._random.random() < 0.5:
            connection.reset()
        else:
            connection.close()
        self.outcomes["left"] += 1

    def _judge(self, body, answer):
        self.outcomes[answer.status] += 1
        if answer.status == 200:
            right = (answer.headers["x-holdfast-model"] == body["model"] == answer.json["model"]
                     and answer.json["usage"]["completion_tokens"] == body["max_tokens"])
        else:
            right = answer.status in (429, 503) and int(answer.headers.get("retry-after", 0)) >= 1
        if not right:
            self.wrong.append((body, answer))


@pytest.mark.parametrize("total", [
    pytest.param(20_000, marks=pytest.mark.limit(400)),
    pytest.param(200_000, marks=[pytest.mark.long, pytest.mark.limit(3600)]),
])
def test_no_answer_is_lost_or_wrong(serve, room_for, total):
    server = serve({"a": "tiny-1", "b": "tiny-2", "c": "tiny-3"},
                   {**room_for(2, "tiny-1"), "queue": {"patience": "500ms", "turn": "500ms"}})
    clients = [Client(server, number, total // CLIENTS) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()

    wrong = [entry for client in clients for entry in client.wrong]
    outcomes = sum((client.outcomes for client in clients), collections.Counter())
    assert wrong == [], (len(wrong), wrong[:3])
    assert sum(outcomes.values()) == total // CLIENTS * CLIENTS, outcomes
    assert outcomes[200] > 0.9 * total, outcomes
    server.wait_active({})
    assert len(server.journal("spawn")) > 3, "the models were never swapped"
    print(outcomes, server.stop())

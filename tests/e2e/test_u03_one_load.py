"""U3: fifty people ask for one cold model at the same moment."""

import threading

from harness.prompts import count, count_text

CLIENTS = 50


def test_fifty_first_requests_share_one_load(serve):
    server = serve({"a": "slow-1"})
    barrier = threading.Barrier(CLIENTS)
    answers = [None] * CLIENTS

    def ask(number):
        barrier.wait()
        answers[number] = server.chat(count("a", 4 + number % 3))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status for answer in answers] == [200] * CLIENTS
    for number, answer in enumerate(answers):
        text = answer.json["choices"][0]["message"]["content"]
        assert text == count_text(4 + number % 3)
    assert len(server.journal("spawn")) == 1
    assert len(server.journal("grant")) == CLIENTS
    assert server.cached("a")["use_count"] == CLIENTS
    server.wait_active({})
    server.stop()

"""What was measured of a model: the bound on waits rests on it, also after a restart."""

import json

from harness.prompts import chat, endless
from harness.waiting import wait_until


def costs(server, model):
    run = server.cli("explain", model, "--json")
    assert run.returncode == 0, run
    return json.loads(run.stdout)["costs"]


def measure(server, model):
    """Four answers, because one or two might be odd ones and what rests on one is not remembered;
    the prompts share nothing but their frame."""
    for word in ("one", "two", "three", "four"):
        talk = [{"role": "user", "content": f"{word}. " + "many other things and " * 12 + word}]
        assert server.chat(chat(model, max_tokens=24, messages=talk)).status == 200
    # The engine logs the times around the moment in which it sends the last token.
    return wait_until(lambda: (found := costs(server, model))["longest_answer_measured"] and found,
                      f"{model} is measured")


def bound_of_a_waiter(server):
    """bound_s of b, which waits while a answers."""
    running = server.stream(endless("a")).wait_for_tokens()
    waiting = server.stream(chat("b"))
    server.wait_active({"a": 1, "b": 1})
    (entry,) = server.health()["waiting"]
    assert entry["model"] == "b"
    waiting.close()
    running.close()
    return entry["bound_s"]


def test_the_bound_is_known_once_one_model_was_measured_and_after_a_restart(serve, room_for):
    placed = {"a": "slow-1", "b": "slow-2", "c": "embedding", "broken": "bad-magic"}
    server = serve(placed, {**room_for(1), "queue": {"patience": "300s"}})
    assert costs(server, "a")["longest_answer_s"] is None
    assert bound_of_a_waiter(server) is None, "nothing was measured yet"

    measure(server, "a")

    def figures():
        """Of a and b when they fit together: a line of the engine may come between two looks."""
        known, estimated = costs(server, "a"), costs(server, "b")
        fit = abs(estimated["longest_answer_s"] - 2 * known["longest_answer_s"]) \
            < 0.05 * estimated["longest_answer_s"]
        return (known, estimated) if fit else None

    # As large as a, so that its speeds are taken for half of a's.
    known, estimated = wait_until(figures, "b is estimated at half of a's speed")
    answer_s = (8192 / known["slowest_decode_tokens_per_s"]
                + 8192 / known["slowest_prefill_tokens_per_s"])
    assert abs(known["longest_answer_s"] - answer_s) < 0.05 * answer_s
    assert estimated["slowest_decode_tokens_per_s"] is None
    assert estimated["longest_answer_measured"] is False
    assert costs(server, "c")["longest_answer_s"] < estimated["longest_answer_s"]
    assert bound_of_a_waiter(server) > estimated["longest_answer_s"]
    text = server.cli("explain", "a").stdout
    assert "longest answer" in text and "from its slowest" in text
    assert "estimated from other models" in server.cli("explain", "b").stdout
    server.stop()

    server.start()
    remembered = costs(server, "a")  # no child has run yet
    assert remembered["longest_answer_measured"] is True
    assert remembered["slowest_decode_tokens_per_s"] <= known["slowest_decode_tokens_per_s"]
    assert bound_of_a_waiter(server) > remembered["longest_answer_s"]
    server.stop()


def test_another_context_does_not_forget_how_fast_the_file_is(serve):
    server = serve({"a": "slow-1"})
    known = measure(server, "a")
    server.settings['models."a"']["context"] = 4096
    server.write_config()
    assert server.post("/api/v1/reload").status == 200
    now = costs(server, "a")
    assert now["longest_answer_measured"] is True
    assert now["slowest_decode_tokens_per_s"] <= known["slowest_decode_tokens_per_s"]
    # Half the context, half the time.
    assert abs(now["longest_answer_s"] - known["longest_answer_s"] / 2) \
        < 0.05 * now["longest_answer_s"]
    server.stop()


def test_an_embedding_model_is_measured_by_its_prompts(serve):
    server = serve({"e": "embedding"})
    body = {"model": "e", "input": "a few words and some more of them " * 10}
    for _ in range(2):
        assert server.post("/v1/embeddings", body).status == 200
    known = wait_until(lambda: (found := costs(server, "e"))["longest_answer_measured"] and found,
                       "e is measured")
    assert known["slowest_prefill_tokens_per_s"] > 0
    assert known["slowest_decode_tokens_per_s"] is None
    server.stop()


def test_what_a_reload_costs_follows_the_loads(serve):
    server = serve({"a": "slow-1"})
    assert costs(server, "a")["load_cached_s"] is None
    # A load before which the page cache could not be looked at in time teaches nothing.
    for _ in range(10):
        server.load("a")
        known = costs(server, "a")
        learnt = known["load_cached_s"] or known["load_cold_s"]
        if learnt:
            break
        assert server.post("/api/v1/models/a/unload").status == 200
        server.wait_loaded()
    assert learnt
    assert known["reload_s"] > 0
    # It has just been read: unless the machine is short of memory its file is cached.
    known = wait_until(lambda: (found := costs(server, "a"))["page_cache_share"] and found,
                       "its file was looked at")
    assert 0 < known["page_cache_share"] <= 1
    assert "page cache" in server.cli("explain", "a").stdout
    server.stop()

    server.start()
    again = costs(server, "a")
    assert (again["load_cached_s"] or again["load_cold_s"]) == learnt
    server.stop()

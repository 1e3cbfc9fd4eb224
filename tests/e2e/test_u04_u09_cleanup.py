"""U4, U5, U6, U9: the document's three scenarios, with the log's words in both languages."""

import re

import pytest

from harness import processes
from harness.prompts import chat, count, count_text, endless

THREE = {"a": "slow-1", "b": "slow-2", "c": "slow-3"}
TWO = {"a": "slow-1", "b": "slow-2"}

WORDS = {
    "en": {
        "cleanup": "🚨 EMERGENCY CLEANUP: unloading unused models from memory",
        "protected": "🛡️ Protected from unloading (in use): {%s}",
        "unloaded": "🗑️ Model %s unloaded from memory",
        "kept": "✅ Models kept: [%s] (protected: {%s})",
        "all_in_use": "⚠️ All models are in use! No model can be unloaded. Active: {%s}",
    },
    "ru": {
        "cleanup": "🚨 ЭКСТРЕННАЯ ОЧИСТКА: выгружаем неиспользуемые модели из памяти",
        "protected": "🛡️ Защищены от выгрузки (используются): {%s}",
        "unloaded": "🗑️ Модель %s выгружена из памяти",
        "kept": "✅ Оставлены модели: [%s] (защищены: {%s})",
        "all_in_use": "⚠️ Все модели используются! Нельзя выгрузить ни одну модель. Активные: {%s}",
    },
}


@pytest.fixture(params=["en", "ru"], name="words")
def _words(request):
    return {"language": request.param, **WORDS[request.param]}


def logged(server, text, after=0):
    """Waits for a log line that ends in `text`."""
    return server.wait_for_line(re.escape(text) + "$", after=after)


def assert_whole(stream, last):
    """The stream told its whole sentence, unbroken, and ended properly."""
    stream.finish()
    assert stream.end == "complete" and stream.done and stream.error is None, stream
    assert stream.text == count_text(last)
    assert stream.finish_reason == "stop"


def test_scenario_1_the_model_in_use_stays_and_the_others_go(serve, words):
    server = serve(THREE, {"log": {"language": words["language"]}})
    server.load("a", "b", "c")
    child = server.child_of("a")
    streams = [server.stream(count("a", 160)).wait_for_tokens() for _ in range(2)]
    server.wait_active({"a": 2})

    run = server.cli("cleanup", "--emergency", "--json")
    assert run.returncode == 0, run
    server.wait_loaded("a")
    assert server.active() == {"a": 2}, "the streams ended before the cleanup was over"

    for stream in streams:
        assert_whole(stream, 160)
    assert server.child_of("a") == child
    for text in (words["cleanup"], words["protected"] % "'a'", words["unloaded"] % "b",
                 words["unloaded"] % "c", words["kept"] % ("'a'", "'a'")):
        logged(server, text)
    assert [line["model"] for line in server.journal("stop_signal")] in (["b", "c"], ["c", "b"])
    server.stop()


def test_scenario_2_a_load_is_not_interrupted(serve, words):
    server = serve(TWO, {"log": {"language": words["language"]}})
    server.load("b")
    stream, child = server.begin_frozen_load("a")
    server.wait_active({"a": 1})

    assert server.cli("cleanup", "--emergency").returncode == 0
    logged(server, words["unloaded"] % "b")
    assert server.health()["loading_models"] == ["a"]
    logged(server, words["protected"] % "'a'")
    logged(server, words["kept"] % ("'a'", "'a'"))

    processes.thaw(child)
    assert stream.finish().end == "complete" and stream.status == 200, stream
    assert server.child_of("a") == child
    assert server.chat(chat("a")).status == 200
    assert len(server.journal("spawn", model="a")) == 1
    server.stop()


def test_scenario_3_when_all_are_in_use_nothing_goes(serve, words):
    server = serve(TWO, {"log": {"language": words["language"]}})
    streams = [server.stream(count(name, 120)).wait_for_tokens() for name in ("a", "b")]
    server.wait_active({"a": 1, "b": 1})
    children = {name: server.child_of(name) for name in TWO}

    run = server.cli("cleanup", "--emergency", "--json")
    assert run.returncode == 0, run
    logged(server, words["all_in_use"] % "'a', 'b'")
    health = server.get("/health")
    assert health.status == 200
    assert server.active() == {"a": 1, "b": 1}, "the streams ended too soon for this test"

    for stream in streams:
        assert_whole(stream, 120)
    assert {name: server.child_of(name) for name in TWO} == children
    assert server.journal("stop_signal") == []
    server.stop()


def test_the_greedy_text_is_the_one_without_a_cleanup(serve):
    """Ten thousand things could change an answer; a cleanup next to it is none of them."""
    server = serve(TWO)
    body = chat("a", max_tokens=300, cache_prompt=False)
    alone = server.stream(body).finish()
    assert alone.tokens > 200
    server.load("b")
    disturbed = server.stream(body).wait_for_tokens(5)
    assert server.cli("cleanup", "--emergency").returncode == 0
    server.wait_loaded("a")
    disturbed.finish()
    assert disturbed.end == "complete" and disturbed.text == alone.text
    server.stop()


def test_cleanup_without_any_model_is_no_error(serve):
    server = serve(TWO)
    run = server.cli("cleanup", "--emergency")
    assert run.returncode == 0, run
    assert server.chat(chat("a")).status == 200


def test_a_model_comes_back_after_each_cleanup(serve):
    server = serve({"a": "slow-1"})
    for _ in range(2):
        assert server.chat(chat("a")).status == 200
        server.wait_active({})
        assert server.cli("cleanup", "--emergency").returncode == 0
        server.wait_loaded()
    running = server.stream(endless("a")).wait_for_tokens()
    running.close()
    assert [line["generation"] for line in server.journal("spawn")] == [1, 2, 3]

"""U11: all models are in use for a while and somebody waits: the log says what would help."""

import re

import pytest

from harness.prompts import chat, endless

SAYS = {
    "en": r"All models have been in use for .*\{'a'\}; waiting: \{'b'\}.*"
          r"What would help: \d[\d.]* [KMG]iB more memory .*smaller variant of a "
          r".*holdfast advise shows",
    "ru": r"Все модели используются уже .*\{'a'\}; ждут: \{'b'\}.*"
          r"Помогло бы: ещё \d[\d.]* [KMG]iB памяти .*вариант модели a .*holdfast advise",
}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_warning_with_figures(serve, room_for, language):
    server = serve({"a": "slow-1", "b": "slow-2"},
                   {**room_for(1), "queue": {"all_in_use_warning": "1s", "patience": "60s"},
                    "log": {"language": language}})
    stream = server.stream(endless("a")).wait_for_tokens()
    waiting = server.stream(chat("b"))
    line = server.wait_for_line(SAYS[language])
    # The budget it asks for would hold both, and is not absurd either.
    health = server.health()
    assert re.search("warn", line)
    assert stream.end is None, "the held answer ended too soon for this test"
    assert health["active_model_requests"] == {"a": 1, "b": 1}
    stream.close()
    assert waiting.finish().status == 200
    server.stop()


def test_no_warning_while_nobody_waits(serve, room_for):
    server = serve({"a": "slow-1", "b": "slow-2"},
                   {**room_for(2), "queue": {"all_in_use_warning": "1s"}})
    streams = [server.stream(endless(name)).wait_for_tokens() for name in ("a", "b")]
    for stream in streams:
        stream.wait_for_tokens(400)
    assert not any("have been in use" in line for line in server.lines)
    for stream in streams:
        stream.close()
    server.stop()

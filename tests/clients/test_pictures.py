"""Pictures that a model sees, in the words of each API; and those that are refused."""

import pytest

from box import EYES, TALKER, TOKENS_A_PICTURE
from drivers.answer import Refused
from harness.pictures import anthropic, base64_of, openai, png
from plain import call
from which import ANTHROPIC, each

OPENAI = ["openai (Python)", "openai (npm)"]
OLLAMA = ["ollama (Python)", "ollama (npm)"]
QUESTION = "What is it?"
PICTURE = png(30, 20)
ADDRESS = "http://127.0.0.1:1/picture.png"


def _openai(box, client, *parts, model=EYES):
    content = [*parts, {"type": "text", "text": QUESTION}]
    answer = call(box, client, "chat.completions.create", model=model, max_tokens=2,
                  messages=[{"role": "user", "content": content}])
    return answer["usage"]["prompt_tokens"]


def _responses(box, client, *parts, model=EYES):
    content = [{"type": "input_image", "image_url": part["image_url"]["url"], "detail": "auto"}
               for part in parts]
    answer = call(box, client, "responses.create", model=model, max_output_tokens=2, input=[
        {"role": "user", "content": [*content, {"type": "input_text", "text": QUESTION}]}])
    return answer["usage"]["input_tokens"]


def _anthropic(box, client, *parts, model=EYES):
    content = [*parts, {"type": "text", "text": QUESTION}]
    usage = call(box, client, "messages.create", model=model, max_tokens=2,
                 messages=[{"role": "user", "content": content}])["usage"]
    return usage["input_tokens"] + (usage.get("cache_read_input_tokens") or 0)


def _count(box, client, *parts):
    content = [*parts, {"type": "text", "text": QUESTION}]
    return call(box, client, "messages.count_tokens", model=EYES,
                messages=[{"role": "user", "content": content}])["input_tokens"]


def _ollama_chat(box, client, *pictures):
    answer = call(box, client, "chat", model=EYES, options={"num_predict": 2}, messages=[
        {"role": "user", "content": QUESTION, "images": [*pictures]}])
    return answer["prompt_eval_count"]


def _ollama_generate(box, client, *pictures):
    answer = call(box, client, "generate", model=EYES, options={"num_predict": 2},
                  prompt=QUESTION, images=[*pictures])
    return answer["prompt_eval_count"]


def _assert_each_is_seen(tokens, part):
    """tokens(*pictures): how many the model reads. Each picture takes the same."""
    none, one, two = tokens(), tokens(part(PICTURE)), tokens(part(png(31, 20, 1)), part(PICTURE))
    assert one >= none + TOKENS_A_PICTURE
    assert two - one == one - none


@each(OPENAI)
@pytest.mark.proves("chat", "pictures")
def test_pictures_of_a_chat(box, client):
    _assert_each_is_seen(lambda *parts: _openai(box, client, *parts), openai)


@each(OPENAI)
@pytest.mark.proves("POST /v1/responses", "pictures")
def test_pictures_of_a_response(box, client):
    _assert_each_is_seen(lambda *parts: _responses(box, client, *parts), openai)


@each(ANTHROPIC)
@pytest.mark.proves("chat", "pictures")
def test_pictures_of_a_message(box, client):
    _assert_each_is_seen(lambda *parts: _anthropic(box, client, *parts), anthropic)


@each(ANTHROPIC)
@pytest.mark.proves("POST /v1/messages/count_tokens", "pictures")
def test_pictures_are_counted(box, client):
    part = anthropic(PICTURE)
    assert _count(box, client, part) == _anthropic(box, client, part)


@each(OLLAMA)
@pytest.mark.proves("chat", "pictures")
def test_pictures_of_ollamas_chat(box, client):
    _assert_each_is_seen(lambda *parts: _ollama_chat(box, client, *parts), base64_of)


@each(OLLAMA)
@pytest.mark.proves("POST /api/generate", "pictures")
def test_pictures_of_ollamas_text(box, client):
    _assert_each_is_seen(lambda *parts: _ollama_generate(box, client, *parts), base64_of)


@each(OLLAMA)
@pytest.mark.proves("POST /api/show", "a model that sees says so")
def test_a_model_says_that_it_sees(box, client):
    assert "vision" in call(box, client, "show", model=EYES)["capabilities"]
    assert "vision" not in call(box, client, "show", model=TALKER)["capabilities"]


SEND_IT = "send the picture itself; an administrator may set `fetch_media`"


@each(OPENAI)
@pytest.mark.proves("chat", "a picture by its address", state="not offered",
                    note=SEND_IT)
def test_a_picture_by_its_address(box, client):
    with pytest.raises(Refused) as refused:
        _openai(box, client, {"type": "image_url", "image_url": {"url": ADDRESS}})
    assert (refused.value.status, refused.value.code) == (400, "media_by_address")


@each(ANTHROPIC)
@pytest.mark.proves("chat", "a picture by its address", state="not offered",
                    note=SEND_IT)
def test_a_picture_of_a_message_by_its_address(box, client):
    with pytest.raises(Refused) as refused:
        _anthropic(box, client, {"type": "image", "source": {"type": "url", "url": ADDRESS}})
    assert (refused.value.status, refused.value.code) == (400, "invalid_request_error")
    assert "address" in refused.value.message


@each(OPENAI)
@pytest.mark.proves("chat", "a picture for a model that cannot see: 400")
def test_a_picture_for_a_model_that_cannot_see(box, client):
    with pytest.raises(Refused) as refused:
        _openai(box, client, openai(PICTURE), model=TALKER)
    assert (refused.value.status, refused.value.code) == (400, "unsupported_by_model")


@each(ANTHROPIC)
@pytest.mark.proves("chat", "a picture for a model that cannot see: 400")
def test_a_picture_of_a_message_for_a_model_that_cannot_see(box, client):
    with pytest.raises(Refused) as refused:
        _anthropic(box, client, anthropic(PICTURE), model=TALKER)
    assert refused.value.status == 400 and TALKER in refused.value.message


@each(OPENAI)
@pytest.mark.proves("chat", "a picture that cannot be read: 400")
def test_a_picture_that_is_none(box, client):
    with pytest.raises(Refused) as refused:
        _openai(box, client, openai(b"hello"))
    assert (refused.value.status, refused.value.code) == (400, "media_unreadable")


@each(OPENAI)
@pytest.mark.proves("chat", "a picture that swells: 400")
def test_a_picture_that_swells(box, client):
    with pytest.raises(Refused) as refused:
        _openai(box, client, openai(png(9000, 9000)))
    assert (refused.value.status, refused.value.code) == (400, "pictures_too_large")

"""Sound and pictures by OpenAI's own clients, of a stand-in for a server of kind command: what it
is asked arrives as it was sent, and what it answers is given back."""

import base64

import pytest

from box import STUDIO, TALKER
from drivers import openai_python
from drivers.answer import Refused
from harness.openai_stub import PIXEL, SPEECH
from plain import call, is_node
from which import each

BOTH = ["openai (Python)", "openai (npm)"]
SOUND = b"RIFF\r\n--\r\n\0\xff" * 500
STAND_IN = "by a server of kind command (a stand-in)"
UPLOADS = {"audio.transcriptions.create": ("POST /v1/audio/transcriptions", "file", {}),
           "audio.translations.create": ("POST /v1/audio/translations", "file", {}),
           "images.edit": ("POST /v1/images/edits", "image", {"prompt": "a fish"}),
           "images.create_variation": ("POST /v1/images/variations", "image", {})}


def _upload(box, client, method, model):
    _, field, body = UPLOADS[method]
    body = {"model": model, **body}
    if is_node(client):
        method = "images.createVariation" if "variation" in method else method
        return client.call("upload", box.connection(), method, body, {
            "field": field, "name": "a.bin", "base64": base64.b64encode(SOUND).decode()})
    return call(box, client, method, **body, **{field: ("a.bin", SOUND)})


# Libraries call some of these methods deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@each(BOTH)
@pytest.mark.parametrize("method", UPLOADS)
def test_a_file_arrives(box, client, record_proof, method):
    with record_proof(UPLOADS[method][0], "a form with a file", note=STAND_IN):
        answer = _upload(box, client, method, STUDIO)
        if "audio" in method:
            assert answer["text"] == "heard"
        else:
            assert answer["data"][0]["b64_json"] == PIXEL
        assert answer["length"] > len(SOUND)


@each(BOTH)
@pytest.mark.parametrize("method", UPLOADS)
def test_a_model_that_does_not_offer_it(box, client, record_proof, method):
    with record_proof(UPLOADS[method][0], "a model of text refuses"):
        with pytest.raises(Refused) as refused:
            _upload(box, client, method, TALKER)
        assert refused.value.code == "unsupported_by_model"
        assert refused.value.status in (400, 404, 501)


@each(BOTH)
@pytest.mark.proves("POST /v1/images/generations", "a picture", note=STAND_IN)
def test_a_picture_is_made(box, client):
    answer = call(box, client, "images.generate", model=STUDIO, prompt="a fish")
    assert answer["data"][0]["b64_json"] == PIXEL


@each(BOTH)
@pytest.mark.proves("POST /v1/audio/speech", "sound, as it is", note=STAND_IN)
def test_speech_is_made(box, client):
    body = {"model": STUDIO, "input": "hello", "voice": "alloy"}
    if is_node(client):
        sound = base64.b64decode(client.call("speak", box.connection(), body))
    else:
        sound = openai_python.client(box.connection()).audio.speech.create(**body).content
    assert sound == SPEECH

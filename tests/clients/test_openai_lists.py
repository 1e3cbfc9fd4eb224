"""What OpenAI's own clients have beyond text: lists, embeddings, ranks."""

import pytest

from box import EYES, RANKER, REAL, WORDS
from drivers import curl, openai_python
from drivers.answer import Refused
from plain import call
from which import ANTHROPIC, each

BOTH = ["openai (Python)", "openai (npm)"]


@each([*BOTH, *ANTHROPIC])
@pytest.mark.proves("GET /v1/models/{id}", "one model")
@pytest.mark.proves("GET /v1/models/{id}", "unknown model: 404")
def test_one_model(box, client):
    assert call(box, client, "models.retrieve", REAL)["id"] == REAL
    with pytest.raises(Refused) as refused:
        call(box, client, "models.retrieve", "nobody")
    assert (refused.value.kind, refused.value.status) == ("NotFoundError", 404)


@each(BOTH)
@pytest.mark.proves("list", "what each model is for (capabilities)")
def test_the_list_says_what_each_model_is_for(box, client):
    def of(name):
        model = call(box, client, "models.retrieve", name)
        assert model["object"] == "model" and model["owned_by"]
        assert isinstance(model["created"], int)
        return model["capabilities"]

    assert of(WORDS) == ["embedding"] and of(RANKER) == ["rerank"]
    assert "vision" in of(EYES) and "vision" not in of(REAL)


@each(["openai (Python)"])
@pytest.mark.proves("embed", "base64, as the library asks for it")
def test_base64_embeddings(box, client):
    sdk = openai_python.client(box.connection())
    raw = sdk.embeddings.create(model=WORDS, input="a cat", encoding_format="base64")
    plain = sdk.embeddings.create(model=WORDS, input="a cat", encoding_format="float")
    assert isinstance(raw.data[0].embedding, str)
    assert client.embed(box.connection(), WORDS, ["a cat"])[0] == pytest.approx(
        plain.data[0].embedding, abs=1e-6)
    assert plain.usage.prompt_tokens > 0


@each(BOTH)
@pytest.mark.proves("embed", "tokens instead of a text")
def test_embeddings_of_tokens(box, client):
    tokens = curl.checked(box.connection(), "/tokenize", {
        "model": WORDS, "content": "a cat", "add_special": True})["tokens"]
    of = {"tokens": tokens, "text": "a cat"}
    vectors = {kind: call(box, client, "embeddings.create", model=WORDS, input=given,
                          encoding_format="float")["data"][0]["embedding"]
               for kind, given in of.items()}
    assert vectors["tokens"] == pytest.approx(vectors["text"], abs=1e-4)


@each(BOTH)
@pytest.mark.proves("embed", "dimensions", state="differs",
                    note="the stock engine gives whole vectors; /api/embed cuts them")
def test_dimensions_are_ignored(box, client):
    answer = call(box, client, "embeddings.create", model=WORDS, input="a cat", dimensions=5,
                  encoding_format="float")
    assert len(answer["data"][0]["embedding"]) == 64


@each(BOTH)
@pytest.mark.proves("embed", "unknown model: 404")
@pytest.mark.proves("embed", "a model that ranks refuses: 400")
@pytest.mark.proves("embed", "a text that is too long: 400")
def test_embeddings_that_are_refused(box, client):
    for model, text, status, code in (("nobody", "x", 404, "model_not_found"),
                                      (RANKER, "x", 400, "unsupported_by_model"),
                                      (WORDS, "mo " * 6000, 400, "context_length_exceeded")):
        with pytest.raises(Refused) as refused:
            call(box, client, "embeddings.create", model=model, input=text)
        assert (refused.value.status, refused.value.code) == (status, code)


@each(BOTH)
@pytest.mark.proves("chat", "a model that makes embeddings refuses: 400")
def test_a_chat_with_a_model_of_another_kind(box, client):
    with pytest.raises(Refused) as refused:
        call(box, client, "chat.completions.create", model=WORDS,
             messages=[{"role": "user", "content": "x"}])
    assert (refused.value.status, refused.value.code) == (400, "unsupported_by_model")


@each(["openai (Python)"])
@pytest.mark.proves("embed", "by a chat model")
def test_embeddings_of_a_chat_model(box, client):
    vectors = client.embed(box.connection(), REAL, ["a cat", "a dog"])
    assert [len(vector) for vector in vectors] == [640, 640]


@pytest.mark.proves("POST /v1/rerank", "order and scores", client="curl")
def test_rerank(box):
    documents = ["the sea", "a cat sleeps", "42", "the sea"]
    body = {"model": RANKER, "query": "animals", "documents": documents}
    whole = curl.checked(box.connection(), "/v1/rerank", body)
    scores = {entry["index"]: entry["relevance_score"] for entry in whole["results"]}
    assert sorted(scores) == [0, 1, 2, 3]
    assert scores[0] == pytest.approx(scores[3], abs=1e-4)
    assert len({round(score, 3) for score in scores.values()}) == 3
    for index, document in enumerate(documents):
        alone = curl.checked(box.connection(), "/v1/rerank", {**body, "documents": [document]})
        assert alone["results"][0]["relevance_score"] == pytest.approx(scores[index], abs=1e-4)
    two = curl.checked(box.connection(), "/v1/rerank", {**body, "top_n": 2})
    assert len(two["results"]) == 2


@pytest.mark.proves("POST /v1/rerank", "a chat model is refused", client="curl")
def test_rerank_by_a_chat_model(box):
    printed = curl.run(box.connection(), "/v1/rerank",
                       body={"model": REAL, "query": "a", "documents": ["b"]})
    assert 400 <= printed.status < 600 and printed.json["error"]["message"]

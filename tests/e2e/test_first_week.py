"""What a team brings in its first week: chat, vision, embedding and reranking models side by side.

Nothing but the files says what each model is.
"""

import http.server
import json
import threading

import pytest
from harness import processes
from harness.http import Response
from harness.pictures import anthropic, base64_of, look, openai, png
from harness.prompts import chat, count

MESSAGES = "/v1/messages"
PLACED = {"chat": "tiny-1", "eyes": "tiny-2", "mmproj-eyes": "projector",
          "bge": "encoder-cls", "e5": "encoder-mean", "rank": "reranker"}
TOKENS_A_PICTURE = 16


@pytest.fixture
def team(serve):
    server = serve(PLACED, {"defaults": {"context": 2048, "parallel": 2}})
    yield server
    server.stop()


@pytest.fixture
def trap():
    """A web server that must not be called: its address, and the paths that were asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802  (the library's name)
            asked.append(self.path)
            picture = png(20, 20)
            self.send_response(200)
            self.send_header("Content-Length", str(len(picture)))
            self.end_headers()
            self.wfile.write(picture)

        def log_message(self, *_):
            pass

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listener.server_port}/secret", asked
    listener.shutdown()
    listener.server_close()


def tokens(answer: Response):
    assert answer.status == 200, answer
    usage = answer.json["usage"]
    # Anthropic's do not count what a cache had already.
    return usage.get("prompt_tokens") or (usage["input_tokens"]
                                          + usage.get("cache_read_input_tokens", 0))


def vectors(answer):
    assert answer.status == 200, answer
    data = answer.json["data"]
    assert [entry["index"] for entry in data] == list(range(len(data)))
    return [entry["embedding"] for entry in data]


def assert_refused(answer, code, *words, status=400):
    assert answer.status == status, answer
    assert answer.error["code"] == code
    for word in words:
        assert word in answer.error["message"], answer
    assert "--" not in answer.body.decode() and ".gguf" not in answer.body.decode()


# Models of all kinds


def test_each_model_says_what_it_is_for(team):
    listed = {entry["id"]: entry for entry in team.get("/v1/models").json["data"]}
    assert {name: entry["capabilities"] for name, entry in listed.items()} == {
        "chat": ["chat", "completion", "embedding"],
        "eyes": ["chat", "completion", "embedding", "vision"],
        "bge": ["embedding"], "e5": ["embedding"], "rank": ["rerank"]}
    assert "mmproj-eyes" not in listed
    admin = {entry["name"]: entry for entry in team.get("/api/v1/models").json["models"]}
    assert admin["eyes"]["capabilities"] == listed["eyes"]["capabilities"]


def test_flags_come_from_the_header(team):
    team.load("bge", "rank", "eyes")
    lines = {name: processes.command_line(team.child_of(name)) for name in ("bge", "rank", "eyes")}
    assert "--embeddings" in lines["bge"] and "--pooling" not in lines["bge"]
    assert lines["bge"][lines["bge"].index("--ubatch-size") + 1] == "512"
    assert "--reranking" in lines["rank"]
    assert "--mmproj" in lines["eyes"]


def test_all_kinds_are_served_within_a_budget_for_two(serve):
    probe = serve(PLACED, {"defaults": {"context": 2048, "parallel": 2}})
    sizes = [entry["bytes_estimated"] for entry in probe.get("/api/v1/models").json["models"]]
    probe.stop()
    server = serve(PLACED, {"defaults": {"context": 2048, "parallel": 2},
                            "memory": {"budget": f"{max(sizes) + min(sizes)}"}})
    for _ in range(2):
        assert server.chat(count("chat", 5)).status == 200
        assert server.chat(look("eyes", openai(png(30, 20)))).status == 200
        assert len(vectors(server.post("/v1/embeddings", {"model": "bge", "input": "a b"}))) == 1
        assert len(vectors(server.post("/v1/embeddings", {"model": "e5", "input": "a b"}))) == 1
        ranked = server.post("/v1/rerank", {"model": "rank", "query": "a", "documents": ["b", "c"]})
        assert len(ranked.json["results"]) == 2
    memory = server.health()["memory"]
    assert memory["reserved_bytes"] <= memory["budget_bytes"]
    server.stop()


# Embeddings and ranks


@pytest.mark.parametrize("model", ["bge", "e5"])
def test_an_encoder_embeds_a_batch_in_its_order(team, model):
    texts = ["bananas are yellow", "so is the sun", "bananas are yellow", "x"]
    together = vectors(team.post("/v1/embeddings", {"model": model, "input": texts}))
    alone = [vectors(team.post("/v1/embeddings", {"model": model, "input": text}))[0]
             for text in texts]
    for mine, single in zip(together, alone):
        assert mine == pytest.approx(single, abs=1e-3)
    assert together[0] == pytest.approx(together[2], abs=1e-3)
    assert together[0] != pytest.approx(together[1], abs=1e-3)
    assert sum(x * x for x in together[0]) == pytest.approx(1, abs=1e-3)


def test_an_encoder_takes_an_input_as_long_as_its_context_and_no_longer(team):
    longest = "ba " * 509  # and a token before and one behind
    answer = team.post("/v1/embeddings", {"model": "bge", "input": longest})
    assert tokens(answer) == 511
    longer = team.post("/v1/embeddings", {"model": "bge", "input": longest + "ba ba ba"})
    assert_refused(longer, "context_length_exceeded")


def test_a_reranker_scores_every_document(team):
    documents = ["bananas", "the sun is yellow", "x y z", "bananas bananas"]
    body = {"model": "rank", "query": "yellow", "documents": documents}
    results = team.post("/v1/rerank", body).json["results"]
    assert sorted(entry["index"] for entry in results) == [0, 1, 2, 3]
    scores = [entry["relevance_score"] for entry in results]
    assert all(isinstance(score, float) for score in scores) and len(set(scores)) > 1
    best = team.post("/v1/rerank", {**body, "top_n": 2}).json["results"]
    expected = sorted(scores, reverse=True)[:2]
    assert [entry["relevance_score"] for entry in best] == pytest.approx(expected, abs=1e-3)


WRONG = {
    "chat to an encoder": ("/v1/chat/completions", chat("bge"), "makes embeddings"),
    "completion of a reranker": ("/v1/completions", {"model": "rank", "prompt": "a"},
                                 "ranks documents"),
    "embeddings of a reranker": ("/v1/embeddings", {"model": "rank", "input": "a"},
                                 "ranks documents"),
    "rerank by a chat model": ("/v1/rerank", {"model": "chat", "query": "a", "documents": ["b"]},
                               "writes text"),
    "rerank by an encoder": ("/rerank", {"model": "e5", "query": "a", "documents": ["b"]},
                             "makes embeddings"),
    "a stream of an encoder": ("/v1/chat/completions", chat("bge", stream=True),
                               "makes embeddings"),
}


@pytest.mark.parametrize("case", WRONG)
def test_the_wrong_kind_is_refused_and_nothing_is_loaded_for_it(team, case):
    path, body, purpose = WRONG[case]
    assert_refused(team.post(path, body), "unsupported_by_model", purpose)
    assert team.loaded() == []


def test_anthropics_clients_hear_of_the_wrong_kind_in_their_words(team):
    answer = team.post(MESSAGES, chat("bge"))
    assert answer.status == 400
    assert answer.json["type"] == "error"
    assert "makes embeddings" in answer.json["error"]["message"]


# Pictures


@pytest.mark.parametrize("path, part", [("/v1/chat/completions", openai), (MESSAGES, anthropic)])
def test_a_picture_is_seen(team, path, part):
    none = tokens(team.post(path, look("eyes")))
    one = tokens(team.post(path, look("eyes", part(png(30, 20)))))
    two = tokens(team.post(path, look("eyes", part(png(31, 20, 1)), part(png(300, 20, 2)))))
    assert one >= none + TOKENS_A_PICTURE
    assert two - one == one - none, "each picture takes the same"


def test_responses_take_pictures_too(team):
    uri = "data:image/png;base64," + base64_of(png(30, 20))
    item = {"role": "user", "content": [{"type": "input_text", "text": "what is it"},
                                        {"type": "input_image", "image_url": uri}]}
    body = {"model": "eyes", "max_output_tokens": 4, "input": [item]}
    assert tokens(team.post("/v1/responses", body)) > TOKENS_A_PICTURE
    del item["content"][1]
    assert tokens(team.post("/v1/responses", body)) > 0


def test_an_answer_about_a_picture_streams(team):
    stream = team.stream(look("eyes", openai(png(30, 20)), max_tokens=12))
    assert stream.finish().end == "complete" and stream.done
    assert len(stream.chunks) > 3


def test_many_look_at_once(team):
    bodies = [look("eyes", openai(png(40 + i, 40, i)), max_tokens=12) for i in range(6)]
    streams = [team.stream(body) for body in bodies]
    for stream in streams:
        assert stream.finish().end == "complete" and stream.done, stream


@pytest.mark.parametrize("model", ["chat", "bge"])
def test_a_blind_model_refuses_pictures_before_it_is_loaded(team, model):
    answer = team.chat(look(model, openai(png(30, 20))))
    assert_refused(answer, "unsupported_by_model", model)
    answer = team.post(MESSAGES, look(model, anthropic(png(30, 20))))
    assert answer.status == 400 and answer.json["type"] == "error"
    assert team.loaded() == []


def by_address(url):
    """Everywhere that a request can name a picture or a sound by its address."""
    return [
        ("/v1/chat/completions", look("eyes", {"type": "image_url", "image_url": {"url": url}})),
        ("/v1/chat/completions",
         look("eyes", {"type": "input_audio", "input_audio": {"url": url}})),
        ("/v1/chat/completions", look("eyes", {"type": "video_url", "video_url": {"url": url}})),
        ("/v1/chat/completions/input_tokens",
         look("eyes", {"type": "image_url", "image_url": {"url": url}})),
        ("/apply-template", look("eyes", {"type": "image_url", "image_url": {"url": url}})),
        (MESSAGES, look("eyes", {"type": "image", "source": {"type": "url", "url": url}})),
        (MESSAGES + "/count_tokens",
         look("eyes", {"type": "image", "source": {"type": "url", "url": url}})),
        (MESSAGES, look("eyes", {"type": "tool_result", "tool_use_id": "a", "content": [
            {"type": "image", "source": {"type": "url", "url": url}}]})),
        ("/v1/responses", {"model": "eyes", "input": [{"role": "user", "content": [
            {"type": "input_image", "image_url": url}]}]}),
        ("/v1/responses", {"model": "eyes", "input": [
            {"type": "function_call_output", "call_id": "a", "output": [
                {"type": "input_image", "image_url": url}]}]}),
    ]


def test_the_server_is_nobodys_way_into_the_network(team, trap):
    url, asked = trap
    for path, body in by_address(url):
        answer = team.post(path, body)
        assert answer.status == 400, (path, body, answer)
        assert "addresses" in json.dumps(answer.json), (path, answer)
    for other in ("file:///etc/passwd", "https://127.0.0.1:1/a.png", "ftp://127.0.0.1/a"):
        answer = team.chat(look("eyes", {"type": "image_url", "image_url": {"url": other}}))
        assert_refused(answer, "media_by_address")
    # A number that one reader of JSON cannot take, a key twice, letters in another spelling.
    hidden = json.dumps(look("eyes", {"type": "image_url", "image_url": {"url": url}}))
    for text in (hidden.replace('"max_tokens": 4', '"seed": ' + "9" * 40),
                 hidden.replace('"http:', '"\\u0068ttp:'),
                 hidden.replace('{"url":', '{"url": "data:image/png;base64,iVBO", "url":')):
        assert text != hidden
        answer = team.chat(text.encode())
        assert_refused(answer, "media_by_address")
    assert asked == [] and team.loaded() == []


def test_an_administrator_may_let_engines_fetch(serve, trap):
    url, asked = trap
    server = serve(PLACED, {"": {"fetch_media": True},
                            "defaults": {"context": 2048, "parallel": 2}})
    answer = server.chat(look("eyes", {"type": "image_url", "image_url": {"url": url}}))
    assert tokens(answer) > TOKENS_A_PICTURE
    assert asked == ["/secret"]
    server.stop()


def test_a_picture_that_swells_is_refused(team):
    swelling = png(9000, 9000)
    assert len(swelling) < 400_000
    answer = team.chat(look("eyes", openai(swelling)))
    assert_refused(answer, "pictures_too_large", "81 million", "64 million")
    half = openai(png(6000, 6000))
    assert_refused(team.chat(look("eyes", half, half)), "pictures_too_large", "72 million")
    assert team.loaded() == []


@pytest.mark.parametrize("data", [b"#EXTM3U\nhttp://127.0.0.1/", b"8BPS\0\1", b"hello", b"",
                                  png(20, 20)[:18]])
def test_what_is_no_picture_is_not_passed_on(team, data):
    assert_refused(team.chat(look("eyes", openai(data))), "media_unreadable")
    assert team.loaded() == []


def test_a_picture_with_a_broken_inside_is_the_clients_fault(team):
    broken = png(30, 20)[:-30]
    answer = team.chat(look("eyes", openai(broken)))
    assert answer.status == 400, answer
    assert tokens(team.chat(look("eyes", openai(png(30, 20))))) > TOKENS_A_PICTURE

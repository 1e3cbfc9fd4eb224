"""The stock engine itself as a model of kind command: what docs/engines.md shows works."""

import pytest

from harness import models, paths, processes
from harness.prompts import chat, completion

COMPLETIONS = "/v1/completions"
MIB = 1024**2


def llama(server, name, *listen, **keys):
    """As in docs/engines.md."""
    server.settings[f'models."{name}"'] = {
        "path": f"{name}.bin",
        "command": [str(paths.llama_server()), "--model", "{model}", "--alias", "{name}", *listen,
                    "--ctx-size", "8192", "--parallel", "2", "--threads", "1",
                    "--threads-batch", "1", "--cache-ram", "0", "--no-ui"],
        "bytes": 300 * MIB, "parallel": 2, **keys}
    models.place("slow-1", server.models_dir, name)
    # Not .gguf: a file that the folder's models do not include.
    (server.models_dir / f"{name}.gguf").rename(server.models_dir / f"{name}.bin")


@pytest.mark.parametrize("listen", [("--host", "{socket}"),
                                    ("--host", "127.0.0.1", "--port", "{port}")])
def test_it_serves_as_it_does_by_itself(serve, listen):
    server = serve({"a": "slow-1"}, started=False)
    llama(server, "x", *listen)
    server.start()
    texts = {model: server.post(COMPLETIONS, completion(model, 24)).json["choices"][0]["text"]
             for model in ("a", "x")}
    assert texts["a"] == texts["x"] != ""
    stream = server.stream(chat("x", max_tokens=16)).finish()
    assert (stream.end, stream.done, stream.finish_reason) == ("complete", True, "length")
    assert stream.chunks[0]["model"] == "x"
    assert server.cached("x")["bytes_measured"] > 60 * MIB
    assert [model["kind"] for model in server.get("/v1/models").json["data"]] == ["chat", "command"]
    tree = processes.children_of(server.process.pid)
    server.stop()
    assert not any(processes.is_alive(pid) for pid in tree)


def test_a_client_that_leaves_ends_its_answer(serve):
    server = serve({}, started=False)
    llama(server, "x", "--host", "{socket}")
    server.start()
    held = server.stream(chat("x", max_tokens=100000)).wait_for_tokens(2)
    held.close()
    server.wait_active({})
    assert server.chat(chat("x")).status == 200
    server.stop()

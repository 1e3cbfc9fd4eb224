"""Keys and prompts turn up nowhere: a word that exists once is used in every way, then looked for
everywhere."""

import json
import pathlib

from harness import people, processes
from harness.prompts import chat, endless

RIGHT = "canary-right-6e0b91d7c2"
WRONG = "canary-wrong-41f7a3508e"
IN_QUERY = "canary-query-9c25d80b6f"
PROMPT = "canary-prompt-2f84c6e17a"
MESSAGES = "/v1/messages"


def prompts(model):
    """Requests of several kinds with the word in them."""
    said = [{"role": "system", "content": PROMPT}, {"role": "user", "content": PROMPT}]
    yield "/v1/chat/completions", chat(model, messages=said)
    yield "/v1/completions", {"model": model, "prompt": PROMPT, "max_tokens": 2}
    yield MESSAGES, {"model": model, "max_tokens": 2, "messages": said[1:]}
    yield "/api/chat", {"model": model, "messages": said, "options": {"num_predict": 2}}
    yield "/api/generate", {"model": model, "prompt": PROMPT, "raw": True,
                            "options": {"num_predict": 2, PROMPT: 1}}
    yield "/api/embed", {"model": model, "input": PROMPT}
    yield "/tokenize", {"model": model, "content": PROMPT}
    yield "/v1/embeddings", {"model": model, "input": [PROMPT]}
    yield "/v1/chat/completions", chat(model, messages=PROMPT)  # refused by the engine
    yield "/v1/chat/completions", b'{"model": "' + model.encode() + b'", "x": "' + PROMPT.encode()


def ways_to_send():
    """(headers, query) with keys right and wrong, at the right place and at wrong ones."""
    for key in (RIGHT, WRONG):
        yield people.with_key(key), ""
        yield {"x-api-key": key}, ""
        yield {"Authorization": f"Basic {key}"}, ""
        yield {"Authorization": key}, ""
        yield {"api-key": key, "Cookie": f"key={key}"}, ""
    yield {**people.with_key(RIGHT), "x-api-key": WRONG}, ""
    yield {**people.with_key(WRONG), "x-api-key": RIGHT}, ""
    for query in (f"?api_key={IN_QUERY}", f"?key={IN_QUERY}&access_token={IN_QUERY}"):
        yield {}, query
        yield people.with_key(RIGHT), query


def of_processes(pid):
    folder = pathlib.Path(f"/proc/{pid}")
    return (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()


def test_keys_and_prompts_turn_up_nowhere(serve):
    server = serve({"a": "tiny-1", "b": "tiny-2"}, {"log": {"level": "debug"}}, started=False)
    server.extra_config = people.table("ann", RIGHT, "admin")
    server.start()
    answers = []

    def ask(method, path, body=None, headers=None):
        answer = server.request(method, path, body, headers)
        answers.append(json.dumps(answer.headers).encode() + answer.body)
        return answer

    for headers, query in ways_to_send():
        for path in ("/health", "/v1/models", "/v1/models/a", "/v1/models/none", "/nothing",
                     "/api/v1/models", "/metrics"):
            ask("GET", path + query, headers=headers)
        ask("GET", "/api/v1/explain" + (query + "&" if query else "?") + "model=a", headers=headers)
        for path, body in prompts("a"):
            ask("POST", path + query, body, headers)
        ask("POST", "/v1/chat/completions" + query, chat("none"), headers)
        ask("POST", "/api/v1/models/b/load" + query, b"", headers)
        ask("POST", "/v1/chat/completions" + query, b"x" * 100, headers)
    ann = people.with_key(RIGHT)
    # An answer that runs, one that is cut, and what is told of them meanwhile.
    running = server.stream(endless("a", messages=[{"role": "user", "content": PROMPT}]),
                            headers=ann).wait_for_tokens()
    for path in ("/health", "/api/v1/models", "/api/v1/explain?model=a", "/metrics"):
        ask("GET", path, headers=ann)
    shown = [server.cli(*command, key=RIGHT)
             for command in (["ps"], ["explain", "a"], ["ps", "--json"])]
    children = server.children()
    assert len(children) == 2
    seen_processes = b"".join(of_processes(pid) for pid in (server.process.pid, *children))
    assert ask("POST", "/api/v1/models/a/unload?force=true", b"", ann).status == 200
    running.finish()
    assert sum(answer.count(b'"invalid_api_key"') for answer in answers) > 50
    server.stop()

    places = {
        "log": "\n".join(server.lines).encode(),
        "journal": server.journal_path.read_bytes(),
        "processes": seen_processes,
        "configuration": server.config_path.read_bytes(),
        "terminal": "".join(run.stdout + run.stderr for run in shown).encode(),
        # The history and whatever else lies in the server's folder by now.
        **{path.name: path.read_bytes() for path in server.folder.glob("history.db*")},
    }
    assert b"holdfast" in places["processes"] and places["history.db"]
    for name, content in places.items():
        for canary in (RIGHT, WRONG, IN_QUERY, PROMPT):
            assert canary.encode() not in content, (name, canary)
    for answer in answers:
        for canary in (RIGHT, WRONG, IN_QUERY):
            assert canary.encode() not in answer, (canary, answer)

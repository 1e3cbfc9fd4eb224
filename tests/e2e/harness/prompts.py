"""Requests whose answers are known to the letter.

Greedy text of one model is not always the same: an engine rounds differently when it computes for
one request or for two at once. A grammar with a single sentence leaves no choice, so that a lost,
doubled or foreign piece shows however the engine batched.
"""


def chat(model, max_tokens=1, **more):
    return {"model": model, "messages": [{"role": "user", "content": "Tell me something."}],
            "max_tokens": max_tokens, "temperature": 0, "seed": 1, "ignore_eos": True, **more}


def count_text(last, start=1):
    return " ".join(str(number) for number in range(start, last + 1))


def count(model, last, start=1, **more):
    """Answers count_text(last, start), one character a token or fewer, and then stops."""
    text = count_text(last, start)
    body = chat(model, max_tokens=len(text) + 16, grammar=f'root ::= "{text}"', **more)
    del body["ignore_eos"]
    return body


def endless(model, **more):
    """Runs to the end of the context; for a test that leaves."""
    return chat(model, max_tokens=1_000_000, **more)


def completion(model, tokens, **more):
    """A plain completion of exactly so many tokens, for COMPLETIONS; the text is nonsense."""
    return {"model": model, "prompt": "Tell me something.", "max_tokens": tokens,
            "temperature": 0, "seed": 1, "ignore_eos": True, **more}

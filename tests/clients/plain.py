"""Calls of a library by their own names, for what only some libraries have."""

import functools
import re

from drivers import anthropic_python, ollama_python, openai_python

_PYTHON = {module.NAME: module for module in (anthropic_python, ollama_python, openai_python)}


def is_node(client):
    return client.name.endswith("(npm)")


def call(box, client, method, *words, **body):
    """What the method gives, as plain data; named as in Python, "models.retrieve" for example."""
    if is_node(client):
        method = re.sub(r"_(.)", lambda found: found[1].upper(), method)
        return client.call("plain", box.connection(), method, *words, *([body] if body else []))
    module = _PYTHON[client.name]
    with module.refusing():
        found = functools.reduce(getattr, method.split("."), module.client(box.connection()))
        return module.call(found, body, *words).model_dump(warnings=False)

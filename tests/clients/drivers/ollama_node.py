"""The npm package `ollama`; its calls are in node/ollama.mjs."""

from . import ollama_python
from .node import NodeClient


class OllamaNode(NodeClient):
    name = "ollama (npm)"
    library = "ollama"
    endpoints = ollama_python.OllamaPython.endpoints
    refusals = {**ollama_python.REFUSALS, "late": "AbortError"}
    body_of = staticmethod(ollama_python.body_of)

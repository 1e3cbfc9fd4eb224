"""LangChain's chat models and embeddings for JavaScript: @langchain/openai, @langchain/ollama;
the calls are in node/langchain_*.mjs."""

import dataclasses

from . import ollama_python, openai_python
from .node import NodeClient


class LangChainOpenAINode(NodeClient):
    name = "LangChain OpenAI (npm)"
    library = "langchain_openai"
    endpoints = openai_python.OpenAIPython.endpoints
    refusals = {**openai_python.REFUSALS, "late": "TimeoutError"}
    body_of = staticmethod(dataclasses.asdict)


class LangChainOllamaNode(NodeClient):
    name = "LangChain Ollama (npm)"
    library = "langchain_ollama"
    endpoints = ollama_python.OllamaPython.endpoints
    refusals = {**ollama_python.REFUSALS, "late": "AbortError"}
    body_of = staticmethod(dataclasses.asdict)

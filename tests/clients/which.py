"""Parametrisation of tests with clients, by name."""

import pytest

OPENAI = ["openai (Python)", "openai (npm)", "LangChain OpenAI (Python)", "LangChain OpenAI (npm)",
          "curl"]
ANTHROPIC = ["anthropic (Python)", "anthropic (npm)"]
OLLAMA = ["ollama (Python)", "ollama (npm)", "LangChain Ollama (Python)", "LangChain Ollama (npm)"]
ALL = [*OPENAI, *ANTHROPIC, *OLLAMA]


def each(names):
    """The test takes `client`, and runs once for each of them."""
    return pytest.mark.parametrize("client", names, indirect=True)

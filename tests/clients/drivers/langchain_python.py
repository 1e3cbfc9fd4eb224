"""LangChain's chat models and embeddings for Python: langchain-openai and langchain-ollama."""

from langchain_ollama import ChatOllama, OllamaEmbeddings
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from . import calls, ollama_python, openai_python
from .answer import Answer


class _LangChain:
    """What is the same for both: the interface of langchain-core."""

    def chat(self, connection, ask):
        with self.refusing():
            if ask.schema:
                structured = self._open(connection, ask).with_structured_output(
                    {"title": "answer", **ask.schema}, method="json_schema", include_raw=True)
                message = structured.invoke(_messages(ask))["raw"]
            else:
                message = self._with_tools(connection, ask).invoke(_messages(ask))
            return _answer_of(message)

    def stream(self, connection, ask):
        whole, pieces = None, 0
        with self.refusing():
            for chunk in self._with_tools(connection, ask).stream(_messages(ask)):
                pieces += bool(chunk.content)
                whole = chunk if whole is None else whole + chunk
        answer = _answer_of(whole)
        answer.pieces = pieces
        return answer

    def leave(self, connection, ask, pieces):
        with self.refusing():
            stream = self._open(connection, ask).stream(_messages(ask))
            seen = 0
            for chunk in stream:
                seen += bool(chunk.content)
                if seen == pieces:
                    break
            stream.close()
            return seen

    def embed(self, connection, model, texts):
        calls.note(self.name)
        with self.refusing():
            return self._embeddings(connection, model).embed_documents(texts)

    def _open(self, connection, ask):
        calls.note(self.name)
        return self._model(connection, ask)

    def _with_tools(self, connection, ask):
        model = self._open(connection, ask)
        if not ask.tools:
            return model
        tools = [{"type": "function", "function": tool} for tool in ask.tools]
        return self._bind(model, tools, ask.force_tool)


def _messages(ask):
    system = [("system", ask.system)] if ask.system else []
    return [*system, ("human", ask.prompt)]


def _answer_of(message):
    usage = message.usage_metadata or {}
    told = message.response_metadata
    return Answer(message.text, told.get("finish_reason") or told.get("done_reason"),
                  usage.get("input_tokens"), usage.get("output_tokens"),
                  [{"name": call["name"], "arguments": call["args"]}
                   for call in message.tool_calls],
                  model=told.get("model_name") or told.get("model"))


class LangChainOpenAI(_LangChain):
    name = "LangChain OpenAI (Python)"
    endpoints = openai_python.OpenAIPython.endpoints
    refusals = {**openai_python.REFUSALS}
    refusing = staticmethod(openai_python.refusing)

    @staticmethod
    def _model(connection, ask):
        more = {"extra_body": {"messages": "not a list"}} if ask.broken else {}
        return ChatOpenAI(model=ask.model, base_url=f"{connection.url}/v1", temperature=0, seed=1,
                          api_key=connection.key, timeout=connection.timeout_s, stream_usage=True,
                          max_retries=connection.retries, max_tokens=ask.max_tokens, **more)

    @staticmethod
    def _bind(model, tools, force):
        return model.bind_tools(tools, tool_choice="required" if force else "auto")

    @staticmethod
    def _embeddings(connection, model):
        # It would send token numbers of OpenAI's own vocabulary, as its documentation warns.
        return OpenAIEmbeddings(model=model, base_url=f"{connection.url}/v1",
                                api_key=connection.key, timeout=connection.timeout_s,
                                max_retries=connection.retries, check_embedding_ctx_length=False)


class LangChainOllama(_LangChain):
    name = "LangChain Ollama (Python)"
    endpoints = ollama_python.OllamaPython.endpoints
    refusals = {**ollama_python.REFUSALS}
    refusing = staticmethod(ollama_python.refusing)

    @staticmethod
    def _model(connection, ask):
        more = {"format": {"type": "no such type"}} if ask.broken else {}
        return ChatOllama(model=ask.model, base_url=connection.url, temperature=0, seed=1,
                          num_predict=ask.max_tokens, client_kwargs=_client(connection), **more)

    @staticmethod
    def _bind(model, tools, _force):
        return model.bind_tools(tools)

    @staticmethod
    def _embeddings(connection, model):
        return OllamaEmbeddings(model=model, base_url=connection.url,
                                client_kwargs=_client(connection))


def _client(connection):
    return {"timeout": connection.timeout_s,
            "headers": {"Authorization": f"Bearer {connection.key}"}}

// LangChain's `@langchain/ollama`.
import { operations } from './langchain.mjs'

export default async function (load) {
  const { ChatOllama, OllamaEmbeddings } = await load('@langchain/ollama')
  const reach = ({ url, key, retries }) => ({
    baseUrl: url, headers: { Authorization: `Bearer ${key}` }, maxRetries: retries,
  })

  return operations({
    schemaInModel: true,
    make: (connection, ask) => new ChatOllama({
      ...reach(connection), model: ask.model, temperature: ask.broken ? 'warm' : 0, seed: 1,
      numPredict: ask.max_tokens,
      // withStructuredOutput() of this library asks for any JSON, and leaves the schema to the model.
      ...(ask.schema ? { format: ask.schema } : {}),
    }),
    bind: (model, tools) => model.bindTools(tools),
    makeEmbeddings: (connection, model) => new OllamaEmbeddings({ ...reach(connection), model }),
    // What a stream tells of its end is a plain Error.
    refusal: (error) => (error?.name === 'ResponseError' || error?.name === 'Error') && {
      kind: error.name, status: error.status_code ?? null, message: error.message,
    },
  })
}

// LangChain's `@langchain/openai`.
import { operations } from './langchain.mjs'

export default async function (load) {
  const { ChatOpenAI, OpenAIEmbeddings } = await load('@langchain/openai')
  const reach = ({ url, key, timeout_s: seconds, retries }) => ({
    configuration: { baseURL: `${url}/v1` }, apiKey: key, timeout: seconds * 1000,
    maxRetries: retries,
  })

  return operations({
    make: (connection, ask) => new ChatOpenAI({
      ...reach(connection), model: ask.model, maxTokens: ask.max_tokens,
      temperature: ask.broken ? 'warm' : 0, modelKwargs: { seed: 1 },
    }),
    bind: (model, tools, force) =>
      model.bindTools(tools, { tool_choice: force ? 'required' : 'auto' }),
    makeEmbeddings: (connection, model) =>
      new OpenAIEmbeddings({ ...reach(connection), model, encodingFormat: 'float' }),
    // Errors are those of the package `openai`, some of them with another name.
    refusal: (error) => (error?.status !== undefined || error?.error !== undefined ||
        error?.name === 'TimeoutError') && {
      kind: error.constructor.name === 'Error' ? error.name : error.constructor.name,
      status: error.status ?? null,
      code: error.code ?? null,
      message: error.message,
    },
  })
}

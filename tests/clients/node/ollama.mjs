// The npm package `ollama`.
import { plain } from './plain.mjs'

export default async function (load) {
  const { Ollama } = await load('ollama')

  // The library has no time limit of its own; people give it a fetch that has one.
  const open = ({ url, key, timeout_s: seconds }) =>
    new Ollama({
      host: url,
      headers: key ? { Authorization: `Bearer ${key}` } : {},
      fetch: (input, init) => fetch(input, {
        ...init,
        signal: AbortSignal.any
          ? AbortSignal.any([AbortSignal.timeout(seconds * 1000), init?.signal].filter(Boolean))
          : init?.signal ?? AbortSignal.timeout(seconds * 1000),
      }),
    })

  const parsed = (call) => ({ name: call.function.name, arguments: call.function.arguments })

  const take = (answer, part) => {
    answer.text += part.message.content
    answer.pieces += part.message.content ? 1 : 0
    answer.tool_calls.push(...(part.message.tool_calls ?? []).map(parsed))
    answer.model = part.model
    if (part.done) {
      answer.finish = part.done_reason
      answer.prompt_tokens = part.prompt_eval_count
      answer.completion_tokens = part.eval_count
      answer.more = part
    }
  }
  const fresh = () => ({ text: '', pieces: 0, tool_calls: [] })

  const REFUSALS = new Set(['ResponseError', 'AbortError', 'TimeoutError', 'Error'])

  return {
    // What a stream tells of its end is a plain Error.
    refusal: (error) => REFUSALS.has(error?.name) && {
      kind: error.name, status: error.status_code ?? null, message: error.message,
    },

    async chat(connection, body) {
      const answer = fresh()
      take(answer, await open(connection).chat(body))
      return answer
    },

    async stream(connection, body) {
      const answer = fresh()
      for await (const part of await open(connection).chat({ ...body, stream: true })) {
        take(answer, part)
      }
      return answer
    },

    async leave(connection, body, pieces) {
      const stream = await open(connection).chat({ ...body, stream: true })
      let seen = 0
      try {
        for await (const part of stream) {
          if (part.message.content) seen += 1
          if (seen === pieces) stream.abort()
        }
      } catch (error) {
        if (error.name !== 'AbortError') throw error
      }
      return seen
    },

    async embed(connection, model, input) {
      return (await open(connection).embed({ model, input })).embeddings
    },

    async models(connection) {
      return (await open(connection).list()).models.map((model) => model.model)
    },

    plain: plain(open),

    async streamGenerate(connection, body) {
      const parts = []
      for await (const part of await open(connection).generate({ ...body, stream: true })) {
        parts.push(part)
      }
      return parts
    },
  }
}

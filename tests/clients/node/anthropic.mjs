// The npm package `@anthropic-ai/sdk`.
import { plain } from './plain.mjs'

export default async function (load) {
  const { default: Anthropic } = await load('@anthropic-ai/sdk')

  const open = ({ url, key, timeout_s: seconds, retries }) =>
    new Anthropic({ baseURL: url, apiKey: key, timeout: seconds * 1000, maxRetries: retries })

  const answer = (message) => ({
    text: message.content.filter((block) => block.type === 'text').map((block) => block.text).join(''),
    finish: message.stop_reason,
    // All of them: Anthropic's count leaves out what was in a cache.
    prompt_tokens: message.usage.input_tokens + (message.usage.cache_read_input_tokens ?? 0),
    completion_tokens: message.usage.output_tokens,
    tool_calls: message.content.filter((block) => block.type === 'tool_use')
      .map((block) => ({ name: block.name, arguments: block.input })),
    model: message.model,
  })

  return {
    refusal: (error) => error instanceof Anthropic.APIError && {
      kind: error.constructor.name,
      status: error.status ?? null,
      code: error.error?.error?.type ?? null,
      message: error.error?.error?.message ?? error.message,
    },

    chat: async (connection, body) => answer(await open(connection).messages.create(body)),

    // With the library's own accumulator, which insists on the order of the events.
    async stream(connection, body) {
      const events = []
      let pieces = 0
      const stream = open(connection).messages.stream(body)
      stream.on('streamEvent', (event) => events.push(event.type))
      stream.on('text', () => { pieces += 1 })
      return { ...answer(await stream.finalMessage()), events, pieces }
    },

    async leave(connection, body, pieces) {
      const stream = await open(connection).messages.create({ ...body, stream: true })
      let seen = 0
      for await (const event of stream) {
        if (event.type === 'content_block_delta') seen += 1
        if (seen === pieces) break // the library aborts the request
      }
      return seen
    },

    async models(connection) {
      const ids = []
      for await (const model of open(connection).models.list()) ids.push(model.id)
      return ids
    },

    plain: plain(open),

    async countTokens(connection, body) {
      return (await open(connection).messages.countTokens(body)).input_tokens
    },
  }
}

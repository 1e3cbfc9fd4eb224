// The npm package `openai`.
import { plain } from './plain.mjs'

export default async function (load) {
  const { default: OpenAI, toFile } = await load('openai')

  const open = ({ url, key, timeout_s: seconds, retries }) =>
    new OpenAI({
      baseURL: `${url}/v1`, apiKey: key, timeout: seconds * 1000, maxRetries: retries,
    })

  const parsed = (call) => ({ name: call.function.name, arguments: JSON.parse(call.function.arguments) })

  return {
    refusal: (error) => error instanceof OpenAI.APIError && {
      kind: error.constructor.name,
      status: error.status ?? null,
      code: error.code ?? null,
      message: error.message,
    },

    async chat(connection, body) {
      const whole = await open(connection).chat.completions.create(body)
      const [choice] = whole.choices
      return {
        text: choice.message.content ?? '',
        finish: choice.finish_reason,
        prompt_tokens: whole.usage.prompt_tokens,
        completion_tokens: whole.usage.completion_tokens,
        tool_calls: (choice.message.tool_calls ?? []).map(parsed),
        model: whole.model,
      }
    },

    // With the library's own accumulator.
    async stream(connection, body) {
      const stream = open(connection).chat.completions.stream({
        ...body, stream_options: { include_usage: true },
      })
      let pieces = 0
      stream.on('content', () => { pieces += 1 })
      const whole = await stream.finalChatCompletion()
      const [choice] = whole.choices
      return {
        text: choice.message.content ?? '',
        finish: choice.finish_reason,
        prompt_tokens: whole.usage.prompt_tokens,
        completion_tokens: whole.usage.completion_tokens,
        tool_calls: (choice.message.tool_calls ?? []).map(parsed),
        pieces,
        model: whole.model,
      }
    },

    async leave(connection, body, pieces) {
      const stream = await open(connection).chat.completions.create({ ...body, stream: true })
      let seen = 0
      for await (const chunk of stream) {
        if (chunk.choices[0]?.delta?.content) seen += 1
        if (seen === pieces) break // the library aborts the request
      }
      return seen
    },

    async embed(connection, model, input) {
      const { data } = await open(connection).embeddings.create({ model, input })
      return data.sort((a, b) => a.index - b.index).map((entry) => entry.embedding)
    },

    async models(connection) {
      const ids = []
      for await (const model of open(connection).models.list()) ids.push(model.id)
      return ids
    },

    plain: plain(open),

    // A form: `file` is {field, name, base64}.
    async upload(connection, method, body, { field, name, base64 }) {
      const file = await toFile(Buffer.from(base64, 'base64'), name)
      return plain(open)(connection, method, { ...body, [field]: file })
    },

    async speak(connection, body) {
      const answer = await open(connection).audio.speech.create(body)
      return Buffer.from(await answer.arrayBuffer()).toString('base64')
    },

    async streamCompletion(connection, body) {
      const chunks = []
      for await (const chunk of await open(connection).completions.create({ ...body, stream: true })) {
        chunks.push(chunk)
      }
      return chunks
    },

    async respond(connection, body) {
      const whole = await open(connection).responses.create(body)
      return {
        text: whole.output_text,
        finish: whole.status,
        prompt_tokens: whole.usage.input_tokens,
        completion_tokens: whole.usage.output_tokens,
        tool_calls: whole.output.filter((item) => item.type === 'function_call')
          .map((item) => ({ name: item.name, arguments: JSON.parse(item.arguments) })),
        model: whole.model,
      }
    },

    async responseEvents(connection, body) {
      const events = []
      let text = ''
      for await (const event of await open(connection).responses.create({ ...body, stream: true })) {
        events.push(event.type)
        if (event.type === 'response.output_text.delta') text += event.delta
      }
      return [events, text]
    },

    // With the library's own accumulator, which insists on the order of the events.
    async streamResponse(connection, body) {
      const events = []
      const stream = open(connection).responses.stream(body)
      stream.on('event', (event) => events.push(event.type))
      const whole = await stream.finalResponse()
      return {
        text: whole.output_text,
        finish: whole.status,
        prompt_tokens: whole.usage.input_tokens,
        completion_tokens: whole.usage.output_tokens,
        pieces: events.filter((type) => type === 'response.output_text.delta').length,
        events,
      }
    },
  }
}

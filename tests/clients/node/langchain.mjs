// What the two chat models of LangChain have in common: the interface of @langchain/core.
// make(connection, ask) gives a model, bind(model, tools, force) one that has tools.
export function operations({ make, bind, makeEmbeddings, refusal, schemaInModel = false }) {
  const messages = (ask) => [
    ...(ask.system ? [['system', ask.system]] : []),
    ['human', ask.prompt],
  ]
  const withTools = (connection, ask) => {
    const model = make(connection, ask)
    if (!ask.tools.length) return model
    const tools = ask.tools.map((tool) => ({ type: 'function', function: tool }))
    return bind(model, tools, ask.force_tool)
  }
  const answer = (message) => ({
    text: typeof message.content === 'string' ? message.content : '',
    finish: message.response_metadata.finish_reason ?? message.response_metadata.done_reason ?? null,
    prompt_tokens: message.usage_metadata?.input_tokens ?? null,
    completion_tokens: message.usage_metadata?.output_tokens ?? null,
    tool_calls: (message.tool_calls ?? []).map((call) => ({ name: call.name, arguments: call.args })),
    model: message.response_metadata.model_name ?? message.response_metadata.model ?? null,
  })

  return {
    refusal,

    async chat(connection, ask) {
      if (!ask.schema || schemaInModel) {
        return answer(await withTools(connection, ask).invoke(messages(ask)))
      }
      const structured = make(connection, ask).withStructuredOutput(
        { title: 'answer', ...ask.schema }, { method: 'jsonSchema', name: 'answer', includeRaw: true })
      return answer((await structured.invoke(messages(ask))).raw)
    },

    async stream(connection, ask) {
      let whole
      let pieces = 0
      for await (const chunk of await withTools(connection, ask).stream(messages(ask))) {
        if (chunk.content) pieces += 1
        whole = whole === undefined ? chunk : whole.concat(chunk)
      }
      return { ...answer(whole), pieces }
    },

    async leave(connection, ask, pieces) {
      const end = new AbortController()
      let seen = 0
      try {
        const stream = await make(connection, ask).stream(messages(ask), { signal: end.signal })
        for await (const chunk of stream) {
          if (chunk.content) seen += 1
          if (seen === pieces) end.abort()
        }
      } catch (error) {
        if (!end.signal.aborted) throw error
      }
      return seen
    },

    embed: (connection, model, texts) => makeEmbeddings(connection, model).embedDocuments(texts),
  }
}

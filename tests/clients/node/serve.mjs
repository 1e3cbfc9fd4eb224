// Takes one call a line from standard input, answers one line each on standard output, in any
// order: {id, client, operation, connection, arguments} → {id, result} or {id, refused} or
// {id, failed}. Ends with its input. node serve.mjs FOLDER: where node_modules is.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

// The libraries are not installed beside this file, so each module gets a `load` that finds them.
const require = createRequire(`${process.argv[2]}/package.json`)
const load = (name) => import(pathToFileURL(require.resolve(name)).href)

const clients = {}
const clientOf = (name) => {
  clients[name] ??= import(`./${name}.mjs`).then((module) => module.default(load))
  return clients[name]
}

const answer = (reply) => process.stdout.write(`${JSON.stringify(reply)}\n`)

async function serve({ id, client: name, operation, connection, arguments: given }) {
  let client
  try {
    client = await clientOf(name)
    answer({ id, result: await client[operation](connection, ...given) })
  } catch (error) {
    const refused = client?.refusal(error)
    if (refused) answer({ id, refused })
    else answer({ id, failed: error?.stack ?? String(error) })
  }
}

for await (const line of createInterface({ input: process.stdin })) serve(JSON.parse(line))
process.exit(0) // whatever connection a library has left open

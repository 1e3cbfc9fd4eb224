// plain(open): any call of a library that answers with one object, by its dotted name.
export function plain(open) {
  return async (connection, method, ...given) => {
    const names = method.split('.')
    const last = names.pop()
    return names.reduce((owner, name) => owner[name], open(connection))[last](...given)
  }
}

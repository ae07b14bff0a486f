/**
 * Keeps what is done under one key in the order in which it was asked for, where some of it must wait for something first.
 * `go` is called at once where nothing is waited for; the next is called as soon as this one was, not when it is done.
 */
export function createTurns<Key>() {
  const last = new Map<Key, Promise<unknown>>()

  return async <Ready, Result>(
    key: Key,
    ready: Promise<Ready> | undefined,
    go: (ready: Ready | undefined) => Promise<Result>,
  ): Promise<Result> => {
    const before = last.get(key)
    if (before === undefined && ready === undefined) return go(undefined)
    // In a box: the next waits until this one is begun and not for its result.
    const begun = Promise.all([ready, before]).then(([now]) => {
      if (last.get(key) === begun) last.delete(key)
      return { result: go(now) }
    })
    last.set(key, begun)
    return (await begun).result
  }
}

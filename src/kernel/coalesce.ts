/** How much may be taken together. */
export interface CoalesceOptions<Item> {
  /** Sum of weights of one group; a heavier single item goes alone. */
  maxWeight: number
  weight?: (item: Item) => number
  /** Groups of one key that may run at once. */
  concurrency?: number
  /** Groups of all keys that may run at once; the next is made up when its turn comes, and so of more items. */
  atOnce?: number
  /** Items waiting for one key before a call is refused. */
  maxWaiting: number
  refuse: () => Error
}

interface Waiting<Item, Result> {
  item: Item
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/**
 * Group commit: calls of one key that arrive while a group runs wait and go together in the next. Each caller gets its own
 * result, or its own Error where `run` returns one in its place; a throw of `run` rejects the whole group.
 */
export function coalesce<Key, Item, Result>(
  run: (key: Key, items: readonly Item[]) => Promise<readonly (Result | Error)[]>,
  options: CoalesceOptions<Item>,
): (key: Key, item: Item) => Promise<Result> {
  const { maxWeight, weight = () => 1, concurrency = 1, atOnce = Infinity, maxWaiting, refuse } = options
  const lanes = new Map<Key, { waiting: Waiting<Item, Result>[]; running: number }>()
  /** Keys whose next group waits for another to end, the first that came first. */
  const next = new Set<Key>()
  let running = 0

  const start = (key: Key): void => {
    const lane = lanes.get(key)
    if (lane === undefined) return
    if (lane.waiting.length === 0) {
      if (lane.running === 0) lanes.delete(key)
      return
    }
    if (lane.running >= concurrency) return
    if (running >= atOnce) return void next.add(key)
    const group = take(lane.waiting, weight, maxWeight)
    lane.running += 1
    running += 1
    void settle(key, group).finally(() => {
      lane.running -= 1
      running -= 1
      next.add(key)
      startNext()
    })
    // What did not fit into this group need not wait for it if another may run beside it.
    start(key)
  }

  const startNext = (): void => {
    for (const key of next) {
      if (running >= atOnce) return
      next.delete(key)
      start(key)
    }
  }

  const settle = async (key: Key, group: readonly Waiting<Item, Result>[]): Promise<void> => {
    try {
      const results = await run(
        key,
        group.map(({ item }) => item),
      )
      group.forEach(({ resolve, reject }, i) => {
        const result = results[i]
        if (result === undefined || result instanceof Error) reject(result ?? new Error('no result for an item'))
        else resolve(result)
      })
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  return (key, item) =>
    new Promise<Result>((resolve, reject) => {
      const lane = lanes.get(key) ?? { waiting: [], running: 0 }
      lanes.set(key, lane)
      if (lane.waiting.length >= maxWaiting) return reject(refuse())
      lane.waiting.push({ item, resolve, reject })
      // What else arrives in this turn of the event loop goes along.
      if (lane.waiting.length === 1) setImmediate(start, key)
    })
}

function take<Item, Result>(
  waiting: Waiting<Item, Result>[],
  weight: (item: Item) => number,
  maxWeight: number,
): Waiting<Item, Result>[] {
  let sum = 0
  let n = 0
  for (const { item } of waiting) {
    sum += weight(item)
    if (n > 0 && sum > maxWeight) break
    n += 1
  }
  return waiting.splice(0, n)
}

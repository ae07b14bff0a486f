import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CoalesceOptions, coalesce } from '../../src/kernel/coalesce.ts'

class Full extends Error {}

interface Run {
  key: string
  items: readonly number[]
  /** Ends the run: by default each item is its own result. */
  end(results?: readonly (number | Error)[]): void
  fail(error: unknown): void
}

/** A coalescer whose runs end when the test says so. */
function held(options: Partial<CoalesceOptions<number>> = {}) {
  const runs: Run[] = []
  const call = coalesce<string, number, number>(
    (key, items) =>
      new Promise((resolve, reject) => {
        runs.push({ key, items, end: (results = items) => resolve(results), fail: reject })
      }),
    { maxWeight: 100, maxWaiting: 100, refuse: () => new Full(), ...options },
  )
  const run = (i: number): Run => {
    const found = runs[i]
    if (found === undefined) throw new Error(`run ${i} has not begun`)
    return found
  }
  return { call, run, groups: () => runs.map(({ items }) => items) }
}

test('calls of one turn of the event loop go together, in their order, and each gets its own result', async () => {
  const { call, run, groups } = held()
  const calls = [1, 2, 3].map((item) => call('pear', item))
  await turn()
  run(0).end([10, 20, 30])
  expect(await Promise.all(calls)).toEqual([10, 20, 30])
  expect(groups()).toEqual([[1, 2, 3]])
})

test('calls that arrive while a group runs wait, and go together in the next', async () => {
  const { call, run, groups } = held()
  const first = call('pear', 1)
  await turn()
  const rest = [call('pear', 2)]
  await turn()
  rest.push(call('pear', 3))
  await turn()
  expect(groups()).toEqual([[1]])
  run(0).end()
  expect(await first).toBe(1)
  await turn()
  expect(groups()).toEqual([[1], [2, 3]])
  run(1).end()
  expect(await Promise.all(rest)).toEqual([2, 3])
})

test('a group is as heavy as it may be and no heavier, and order is kept across groups', async () => {
  const weights = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(weights, fc.integer({ min: 1, max: 15 }), async (items, maxWeight) => {
      const groups: (readonly number[])[] = []
      const call = coalesce<string, number, number>(
        async (_, group) => {
          groups.push(group)
          return group
        },
        { maxWeight, weight: (item) => item, maxWaiting: 100, refuse: () => new Full() },
      )
      expect(await Promise.all(items.map((item) => call('pear', item)))).toEqual(items)
      expect(groups.flat()).toEqual(items)
      const sum = (group: readonly number[]): number => group.reduce((n, item) => n + item, 0)
      groups.forEach((group, i) => {
        if (group.length > 1) expect(sum(group)).toBeLessThanOrEqual(maxWeight)
        const next = groups[i + 1]?.[0]
        if (next !== undefined) expect(sum(group) + next).toBeGreaterThan(maxWeight)
      })
    }),
    { numRuns: 60 },
  )
})

test('an item that is too heavy for any group goes alone', async () => {
  const { call, run, groups } = held({ maxWeight: 5, weight: (item) => item })
  const calls = [1, 9, 2].map((item) => call('pear', item))
  for (let i = 0; i < 3; i++) {
    await turn()
    run(i).end()
  }
  expect(await Promise.all(calls)).toEqual([1, 9, 2])
  expect(groups()).toEqual([[1], [9], [2]])
})

test('whoever comes when the limit waits is refused, and nobody else', async () => {
  const { call, run, groups } = held({ maxWaiting: 2 })
  const running = call('pear', 1)
  await turn()
  const waiting = [call('pear', 2), call('pear', 3)]
  await expect(call('pear', 4)).rejects.toBeInstanceOf(Full)
  const elsewhere = call('plum', 5)
  await turn()
  run(0).end()
  run(1).end()
  expect(await Promise.all([running, elsewhere])).toEqual([1, 5])
  await turn()
  const again = call('pear', 6)
  run(2).end()
  expect(await Promise.all(waiting)).toEqual([2, 3])
  await turn()
  run(3).end()
  expect(await again).toBe(6)
  expect(groups()).toEqual([[1], [5], [2, 3], [6]])
})

test('no more groups run at once than may; the next is made up when its turn comes, and keys take turns', async () => {
  const { call, run, groups } = held({ atOnce: 2, concurrency: 2 })
  const calls = [call('pear', 1), call('plum', 2), call('fig', 3)]
  await turn()
  calls.push(call('pear', 4), call('fig', 5))
  await turn()
  expect(groups()).toEqual([[1], [2]])
  calls.push(call('fig', 6))
  run(1).end()
  await turn()
  expect(groups()).toEqual([[1], [2], [3, 5, 6]])
  calls.push(call('pear', 7))
  run(0).end()
  await turn()
  expect(groups()).toEqual([[1], [2], [3, 5, 6], [4, 7]])
  run(2).end()
  run(3).end()
  expect(await Promise.all(calls)).toEqual([1, 2, 3, 4, 5, 6, 7])
})

test('a group that fails gives its turn to the next', async () => {
  const { call, run, groups } = held({ atOnce: 1 })
  const [first, second] = [call('pear', 1), call('plum', 2)]
  await turn()
  run(0).fail(new Error('gone'))
  await expect(first).rejects.toThrow('gone')
  await turn()
  expect(groups()).toEqual([[1], [2]])
  run(1).end()
  expect(await second).toBe(2)
})

test('whatever is called, by how many keys, is answered once, and never do more groups run than may', async () => {
  const aCall = fc.record({ key: fc.constantFrom('pear', 'plum', 'fig'), wait: fc.nat(3) })
  const some = { atOnce: fc.integer({ min: 1, max: 4 }), concurrency: fc.integer({ min: 1, max: 3 }) }
  await fc.assert(
    fc.asyncProperty(fc.array(aCall, { maxLength: 30 }), fc.record(some), async (calls, { atOnce, concurrency }) => {
      const running = new Map<string, number>()
      const all = (): number => [...running.values()].reduce((sum, n) => sum + n, 0)
      const call = coalesce<string, number, number>(
        async (key, items) => {
          running.set(key, (running.get(key) ?? 0) + 1)
          expect(all()).toBeLessThanOrEqual(atOnce)
          expect(running.get(key)).toBeLessThanOrEqual(concurrency)
          await turn()
          running.set(key, (running.get(key) ?? 0) - 1)
          return items
        },
        { maxWeight: 3, maxWaiting: 100, refuse: () => new Full(), atOnce, concurrency },
      )
      const answers = calls.map(async ({ key, wait }, i) => {
        for (let turns = 0; turns < wait; turns++) await turn()
        return call(key, i)
      })
      expect(await Promise.all(answers)).toEqual(calls.map((_, i) => i))
    }),
    { numRuns: 100 },
  )
})

test('an Error in the place of a result reaches its caller only', async () => {
  const { call, run } = held()
  const calls = [1, 2, 3].map((item) => call('pear', item))
  await turn()
  const fault = new Error('the second')
  run(0).end([10, fault, 30])
  expect(await Promise.allSettled(calls)).toEqual([
    { status: 'fulfilled', value: 10 },
    { status: 'rejected', reason: fault },
    { status: 'fulfilled', value: 30 },
  ])
})

test('a throw reaches every caller of the group and nobody of the next', async () => {
  const { call, run } = held()
  const group = [call('pear', 1), call('pear', 2)]
  await turn()
  const next = call('pear', 3)
  const fault = new Error('all of them')
  run(0).fail(fault)
  const rejected = { status: 'rejected', reason: fault }
  expect(await Promise.allSettled(group)).toEqual([rejected, rejected])
  await turn()
  run(1).end()
  expect(await next).toBe(3)
})

test('what throws before it gives a promise is a throw like any other', async () => {
  const call = coalesce<string, number, number>(
    () => {
      throw new Error('at once')
    },
    { maxWeight: 1, maxWaiting: 1, refuse: () => new Full() },
  )
  await expect(call('pear', 1)).rejects.toThrow('at once')
  await expect(call('pear', 2)).rejects.toThrow('at once')
})

test('a caller whose result is missing hears so instead of waiting', async () => {
  const { call, run } = held()
  const calls = [call('pear', 1), call('pear', 2)]
  await turn()
  run(0).end([10])
  const [first, second] = await Promise.allSettled(calls)
  expect([first?.status, second?.status]).toEqual(['fulfilled', 'rejected'])
})

test('keys do not wait for each other and never share a group', async () => {
  const { call, run, groups } = held()
  const calls = [call('pear', 1), call('plum', 2), call('pear', 3)]
  await turn()
  expect(groups()).toEqual([[1, 3], [2]])
  expect([run(0).key, run(1).key]).toEqual(['pear', 'plum'])
  run(1).end()
  expect(await calls[1]).toBe(2)
  run(0).end()
  expect(await Promise.all(calls)).toEqual([1, 2, 3])
})

test('of one key as many groups run at once as may, and no more', async () => {
  const { call, run, groups } = held({ maxWeight: 2, concurrency: 2 })
  const calls = [1, 2, 3, 4, 5].map((item) => call('pear', item))
  await turn()
  await turn()
  expect(groups()).toEqual([
    [1, 2],
    [3, 4],
  ])
  run(1).end()
  await Promise.all([calls[2], calls[3]])
  await turn()
  expect(groups()).toHaveLength(3)
  run(0).end()
  run(2).end()
  expect(await Promise.all(calls)).toEqual([1, 2, 3, 4, 5])
})

test('a call that finds room runs at once though another group still runs', async () => {
  const { call, run, groups } = held({ concurrency: 2 })
  const slow = call('pear', 1)
  await turn()
  const quick = call('pear', 2)
  await turn()
  expect(groups()).toEqual([[1], [2]])
  run(1).end()
  expect(await quick).toBe(2)
  run(0).end()
  expect(await slow).toBe(1)
})

test('no call is lost or answered twice, in whatever order runs end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 3 }), async (scheduler, concurrency) => {
      let running = 0
      const seen: number[] = []
      const call = coalesce<number, number, number>(
        async (_, items) => {
          running += 1
          expect(running).toBeLessThanOrEqual(concurrency)
          await scheduler.schedule(Promise.resolve())
          running -= 1
          seen.push(...items)
          return items.map((item) => 2 * item)
        },
        { maxWeight: 3, concurrency, maxWaiting: 100, refuse: () => new Full() },
      )
      const calls: Promise<number>[] = []
      for (let i = 0; i < 12; i++) {
        calls.push(call(0, i))
        if (i % 4 === 3) await turn()
        if (i % 6 === 5) await scheduler.waitIdle()
      }
      const all = Promise.all(calls)
      await scheduler.waitFor(all)
      expect(await all).toEqual(Array.from({ length: 12 }, (_, i) => 2 * i))
      expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i))
    }),
    { numRuns: 40 },
  )
})

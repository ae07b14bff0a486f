import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLoop, type Found, type Loop, type LoopOptions } from '../../src/jobs/loop.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

interface Watched {
  loop: Loop
  /** When each round began, in milliseconds since the test did. */
  begun: number[]
  errors: unknown[]
  /** What the next rounds do, one by one; then they find nothing. */
  next(...rounds: (Found | Error | Promise<Found>)[]): void
}

function watched(options: Partial<LoopOptions> = {}): Watched {
  const origin = performance.now()
  const [begun, errors, queue]: [number[], unknown[], (Found | Error | Promise<Found>)[]] = [[], [], []]
  const loop = createLoop({
    round: async () => {
      begun.push(Math.round(performance.now() - origin))
      const outcome = queue.shift() ?? false
      if (outcome instanceof Error) throw outcome
      return outcome
    },
    idleMs: 1_000,
    onError: (error) => errors.push(error),
    ...options,
  })
  return { loop, begun, errors, next: (...rounds) => queue.push(...rounds) }
}

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

test('the first round begins with the start, and none before it', async () => {
  const { loop, begun } = watched()
  loop.wake()
  await pass(5_000)
  expect(begun).toEqual([])
  loop.start()
  await pass(0)
  expect(begun).toEqual([5_000])
})

test('a round that found nothing is followed after the idle time', async () => {
  const { loop, begun } = watched()
  loop.start()
  await pass(2_500)
  expect(begun).toEqual([0, 1_000, 2_000])
})

test('a round that found work is followed at once', async () => {
  const { loop, begun, next } = watched()
  next(true, true, false)
  loop.start()
  await pass(999)
  expect(begun).toHaveLength(3)
  await pass(10)
  expect(begun).toHaveLength(4)
})

test('to wake an idle loop begins a round at once', async () => {
  const { loop, begun } = watched()
  loop.start()
  await pass(300)
  loop.wake()
  await pass(0)
  expect(begun).toEqual([0, 300])
  await pass(1_000)
  expect(begun).toEqual([0, 300, 1_300])
})

test('to wake a loop in a round begins one more right after it, and only one', async () => {
  const { loop, begun, next } = watched()
  const round = Promise.withResolvers<boolean>()
  next(round.promise)
  loop.start()
  await pass(100)
  for (let i = 0; i < 5; i++) loop.wake()
  await pass(100)
  expect(begun).toEqual([0])
  round.resolve(false)
  await pass(900)
  expect(begun).toEqual([0, 200])
})

test('rounds never overlap', async () => {
  let [running, most] = [0, 0]
  const { loop } = watched({
    round: async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setTimeout(resolve, 50))
      running -= 1
      return true
    },
  })
  loop.start()
  for (let i = 0; i < 40; i++) {
    if (i % 3 === 0) loop.start()
    loop.wake()
    await pass(7)
  }
  expect(most).toBe(1)
})

test('a full round is followed without rest, one that found less is not', async () => {
  const { loop, begun, next } = watched({ restMs: 400 })
  next('full', 'full', true, false)
  loop.start()
  await pass(399)
  expect(begun).toHaveLength(3)
  await pass(3)
  expect(begun.at(-1)).toBe((begun[2] ?? 0) + 400)
  expect(begun).toHaveLength(4)
})

test('between the beginnings of two rounds lies the rest time, whatever is to be done', async () => {
  const { loop, begun, next } = watched({ restMs: 400 })
  next(true, true, false)
  loop.start()
  await pass(850)
  expect(begun).toEqual([0, 400, 800])
  loop.wake()
  await pass(349)
  expect(begun).toHaveLength(3)
  await pass(1)
  expect(begun).toEqual([0, 400, 800, 1_200])
})

test('a loop that rests works a sixth of the time at most, whoever wakes it, but rests no longer for that than 600 ms', async () => {
  const { loop, begun, next } = watched({ restMs: 100 })
  const after = (ms: number) => new Promise<Found>((resolve) => setTimeout(resolve, ms, true))
  next(after(70), after(550), after(5_000), true, false)
  loop.start()
  await pass(80)
  loop.wake()
  await pass(339)
  expect(begun).toEqual([0])
  await pass(10_000)
  expect(begun.slice(0, 5)).toEqual([0, 420, 1_020, 5_001, 5_101])
})

test('a loop without a rest goes on at once, however long a round took', async () => {
  const { loop, begun, next } = watched()
  next(new Promise<Found>((resolve) => setTimeout(resolve, 70, true)), false)
  loop.start()
  await pass(80)
  expect(begun).toEqual([0, 71])
})

test('each failure is told, and the next round comes ever later up to five seconds', async () => {
  const { loop, begun, errors, next } = watched()
  const faults = Array.from({ length: 9 }, (_, i) => new Error(`fault ${i}`))
  next(...faults)
  loop.start()
  await pass(40_000)
  expect(errors).toEqual(faults)
  const gaps = begun.slice(1, 10).map((at, i) => at - (begun[i] ?? 0))
  expect(gaps[0]).toBeLessThan(1_000)
  gaps.forEach((gap, i) => {
    expect(gap).toBe(Math.min(5_000, 2 ** i * (gaps[0] ?? 0)))
  })
})

test('to wake a failing loop does not hurry it', async () => {
  const { loop, begun, next } = watched()
  next(new Error('a'), new Error('b'), new Error('c'))
  loop.start()
  await pass(2_000)
  const calm = begun.length
  const hurried = watched()
  hurried.next(new Error('a'), new Error('b'), new Error('c'))
  hurried.loop.start()
  for (let i = 0; i < 20; i++) {
    hurried.loop.wake()
    await pass(25)
  }
  expect(hurried.begun.length).toBeLessThanOrEqual(calm)
})

test('one round that ends well makes the loop as quick as before', async () => {
  const { loop, begun, next } = watched()
  next(...Array.from({ length: 6 }, () => new Error('pear')))
  loop.start()
  await pass(60_000)
  const settled = begun.length
  loop.wake()
  await pass(0)
  expect(begun).toHaveLength(settled + 1)
  next(new Error('plum'), false)
  loop.wake()
  await pass(500)
  expect(begun).toHaveLength(settled + 3)
})

test('to stop waits for the round that runs and lets no other begin', async () => {
  const { loop, begun, next } = watched()
  const round = Promise.withResolvers<boolean>()
  next(round.promise)
  loop.start()
  await pass(0)
  let stopped = false
  const stopping = loop.stop().then(() => {
    stopped = true
  })
  loop.wake()
  await pass(5_000)
  expect(stopped).toBe(false)
  round.resolve(true)
  await stopping
  loop.wake()
  await pass(60_000)
  expect(begun).toEqual([0])
  expect(vi.getTimerCount()).toBe(0)
})

test('to stop a loop whose round fails is no failure', async () => {
  const { loop, errors, next } = watched()
  const round = Promise.withResolvers<boolean>()
  next(round.promise)
  loop.start()
  await pass(0)
  const stopping = loop.stop()
  round.reject(new Error('pear'))
  await expect(stopping).resolves.toBeUndefined()
  expect(errors).toHaveLength(1)
  expect(vi.getTimerCount()).toBe(0)
})

test('a loop that never started stops', async () => {
  const { loop, begun } = watched()
  await loop.stop()
  await pass(5_000)
  expect(begun).toEqual([])
})

test('a stopped loop may start again', async () => {
  const { loop, begun } = watched()
  loop.start()
  await pass(0)
  await loop.stop()
  await pass(10_000)
  loop.start()
  await pass(1_000)
  expect(begun).toEqual([0, 10_000, 11_000])
})

test('the age grows from the last round that ended well, or from the start', async () => {
  const { loop, next } = watched()
  await pass(3_000)
  loop.start()
  expect(loop.age()).toBe(0)
  const round = Promise.withResolvers<boolean>()
  next(round.promise)
  await pass(700)
  expect(loop.age()).toBe(700)
  round.resolve(false)
  await pass(0)
  expect(loop.age()).toBe(0)
  next(...Array.from({ length: 20 }, () => new Error('pear')))
  await pass(30_000)
  expect(loop.age()).toBe(30_000)
})

test('a turn is one round of a loop that nobody started, and none follows it', async () => {
  const { loop, begun, next } = watched()
  next(true, 'full', false)
  expect([await loop.turn(), await loop.turn(), await loop.turn()]).toEqual([true, true, false])
  await pass(10_000)
  expect(begun).toHaveLength(3)
})

test('a turn waits for the round that runs, and the next round for the turn', async () => {
  const { loop, begun, next } = watched()
  const [round, turned] = [Promise.withResolvers<boolean>(), Promise.withResolvers<boolean>()]
  next(round.promise, turned.promise)
  loop.start()
  await pass(100)
  const turn = loop.turn()
  await pass(100)
  expect(begun).toEqual([0])
  round.resolve(false)
  await pass(2_000)
  expect(begun).toHaveLength(2)
  turned.resolve(true)
  expect(await turn).toBe(true)
})

test('a turn throws what its round threw, and the next one is done', async () => {
  const { loop, errors, next } = watched()
  next(new Error('plum'), true)
  await expect(loop.turn()).rejects.toThrow('plum')
  expect(errors).toEqual([])
  expect(await loop.turn()).toBe(true)
})

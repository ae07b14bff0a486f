import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { paced } from '../../src/http/pace.ts'

const CHUNK = Buffer.alloc(1_024)
const PACE = { bytesPerSecond: 100_000, graceMs: 100, leadMs: 50 }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const delay = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms))
/** What comes of it while the clock is driven on. */
async function driven<T>(work: Promise<T>): Promise<T> {
  let over = false
  const done = work.finally(() => {
    over = true
  })
  done.catch(() => {})
  while (!over) await vi.advanceTimersByTimeAsync(1)
  return done
}

/** Chunks with so many milliseconds before each. */
async function* sent(...pauses: number[]): AsyncGenerator<Uint8Array> {
  for (const pause of pauses) {
    await delay(pause)
    yield CHUNK
  }
}

async function taken(chunks: AsyncIterable<Uint8Array>, work = 0): Promise<number> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (work > 0) await delay(work)
  }
  return bytes
}

test('a body that keeps the pace is passed on whole', async () => {
  expect(await driven(taken(paced(sent(0, 5, 5), PACE)))).toBe(3 * CHUNK.length)
})

test('a sender that falls silent is refused once its grace is over', async () => {
  const began = performance.now()
  await expect(driven(taken(paced(sent(0, 5_000), PACE)))).rejects.toMatchObject({ code: 'request-timeout' })
  // Its grace, and what it sent was ahead of.
  expect(performance.now() - began).toBeLessThan(120)
})

test('a sender that was fast may be silent no longer for it than its lead', async () => {
  const fast = Array.from({ length: 100 }, () => 0)
  const began = performance.now()
  // By the whole of what it sent it would be a second ahead.
  await expect(driven(taken(paced(sent(...fast, 5_000), PACE)))).rejects.toMatchObject({ code: 'request-timeout' })
  expect(performance.now() - began).toBeLessThan(300)
})

test('a sender that drips is refused although it never falls silent for long', async () => {
  const drips = Array.from({ length: 100 }, () => 40)
  await expect(driven(taken(paced(sent(...drips), PACE)))).rejects.toMatchObject({ code: 'request-timeout' })
})

test('the time that we take to work on a chunk is not the sender’s', async () => {
  expect(await driven(taken(paced(sent(0, 0, 0), PACE), 80))).toBe(3 * CHUNK.length)
})

test('whoever stops reading ends the source', async () => {
  let ended = false
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield CHUNK
    } finally {
      ended = true
    }
  }
  for await (const _ of paced(source(), PACE)) break
  expect(ended).toBe(true)
})

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createGrowth } from '../../src/feeds/growth.ts'
import { idOf } from '../signals/factory.ts'

const [A, B] = [idOf(1), idOf(2)]
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Milliseconds of a driven clock that the work takes; what it comes to, it comes to. */
async function took(work: Promise<unknown>): Promise<number> {
  const began = performance.now()
  let over = false
  const done = work.then(
    () => {
      over = true
    },
    () => {
      over = true
    },
  )
  await vi.advanceTimersByTimeAsync(0)
  while (!over) await vi.advanceTimersByTimeAsync(1)
  await done
  return performance.now() - began
}

describe('waiting for a feed', () => {
  test('ends when it grows', async () => {
    const growth = createGrowth()
    const next = growth.next(A)
    setTimeout(() => growth.grew([B, A]), 20)
    expect(await took(growth.wait(next, 10_000))).toBe(20)
  })
  test('ends at once if it grew after the place was taken and before the wait', async () => {
    const growth = createGrowth()
    const next = growth.next(A)
    growth.grew([A])
    expect(await took(growth.wait(next, 10_000))).toBe(0)
  })
  test('ends for all who wait', async () => {
    const growth = createGrowth()
    const waits = Array.from({ length: 200 }, () => growth.wait(growth.next(A), 10_000))
    growth.grew([A])
    expect(await took(Promise.all(waits))).toBe(0)
  })
  test('does not end with another, but with its time', async () => {
    const growth = createGrowth()
    const next = growth.next(A)
    setTimeout(() => growth.grew([B]), 10)
    expect(await took(growth.wait(next, 120))).toBe(120)
  })
  test('ends after a second at the latest: another process may have made it grow', async () => {
    const growth = createGrowth()
    expect(await took(growth.wait(growth.next(A), 30_000))).toBe(1_000)
  })
  test('does not begin where no time is left', async () => {
    const growth = createGrowth()
    expect(await took(growth.wait(growth.next(A), -5))).toBe(0)
  })
  test('ends with its reader, who is told so', async () => {
    const growth = createGrowth()
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 20)
    const waiting = growth.wait(growth.next(A), 10_000, stop.signal)
    expect(await took(waiting)).toBe(20)
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  })
  test('once cancelled leaves nothing behind', async () => {
    const growth = createGrowth()
    const next = growth.next(A)
    next.cancel()
    await expect(next.promise).resolves.toBeUndefined()
    growth.grew([A])
  })
})

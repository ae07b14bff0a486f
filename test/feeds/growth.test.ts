import { describe, expect, test } from 'vitest'
import { createGrowth } from '../../src/feeds/growth.ts'
import { idOf } from '../signals/factory.ts'

const [A, B] = [idOf(1), idOf(2)]
/** Milliseconds that the work takes. */
async function took(work: Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work
  return performance.now() - began
}

describe('waiting for a feed', () => {
  test('ends when it grows', async () => {
    const growth = createGrowth()
    const next = growth.next(A)
    setTimeout(() => growth.grew([B, A]), 20)
    expect(await took(growth.wait(next, 10_000))).toBeLessThan(600)
  })
  test('ends at once if it grew after the place was taken and before the wait', async () => {
    const growth = createGrowth()
    const next = growth.next(A)
    growth.grew([A])
    expect(await took(growth.wait(next, 10_000))).toBeLessThan(600)
  })
  test('ends for all who wait', async () => {
    const growth = createGrowth()
    const waits = Array.from({ length: 200 }, () => growth.wait(growth.next(A), 10_000))
    growth.grew([A])
    expect(await took(Promise.all(waits))).toBeLessThan(600)
  })
  test('does not end with another, but with its time', async () => {
    const growth = createGrowth()
    const next = growth.next(A)
    setTimeout(() => growth.grew([B]), 10)
    expect(await took(growth.wait(next, 120))).toBeGreaterThan(100)
  })
  test('ends after a second at the latest: another process may have made it grow', async () => {
    const growth = createGrowth()
    const ms = await took(growth.wait(growth.next(A), 30_000))
    expect(ms).toBeGreaterThan(900)
    expect(ms).toBeLessThan(3_000)
  })
  test('does not begin where no time is left', async () => {
    const growth = createGrowth()
    expect(await took(growth.wait(growth.next(A), -5))).toBeLessThan(500)
  })
  test('ends with its reader, who is told so', async () => {
    const growth = createGrowth()
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 20)
    const began = performance.now()
    await expect(growth.wait(growth.next(A), 10_000, stop.signal)).rejects.toMatchObject({ name: 'AbortError' })
    expect(performance.now() - began).toBeLessThan(600)
  })
  test('once cancelled leaves nothing behind', async () => {
    const growth = createGrowth()
    const next = growth.next(A)
    next.cancel()
    await expect(next.promise).resolves.toBeUndefined()
    growth.grew([A])
  })
})

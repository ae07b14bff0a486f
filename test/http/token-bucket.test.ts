import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTokenBuckets } from '../../src/http/token-bucket.ts'

const RUNS = { numRuns: 200 }

function driven() {
  let now = 1_000_000
  return { clock: () => new Date(now), advance: (ms: number) => (now += ms) }
}

const rates = fc.record({ perSecond: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 50 }) })
const calls = fc.array(fc.record({ key: fc.constantFrom('plum', 'finch'), wait: fc.integer({ min: 0, max: 400 }) }), {
  maxLength: 200,
})

test('in no stretch of time do more pass than the burst and what the rate adds', () => {
  fc.assert(
    fc.property(rates, calls, (rate, asked) => {
      const { clock, advance } = driven()
      const admits = createTokenBuckets(clock, rate)
      const passed: Record<string, number[]> = { plum: [], finch: [] }
      for (const { key, wait } of asked) {
        advance(wait)
        if (admits(key)) passed[key]?.push(clock().getTime())
      }
      for (const times of Object.values(passed)) {
        times.forEach((from, i) => {
          times.slice(i).forEach((to, n) => {
            const most = rate.burst + ((to - from) / 1_000) * rate.perSecond
            expect(n + 1).toBeLessThanOrEqual(most + 1e-6)
          })
        })
      }
    }),
    RUNS,
  )
})

test('whoever keeps to the rate is never refused', () => {
  fc.assert(
    fc.property(rates, fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }), (rate, waits) => {
      const { clock, advance } = driven()
      const admits = createTokenBuckets(clock, rate)
      for (const wait of waits) {
        advance(Math.ceil(1_000 / rate.perSecond) + wait)
        expect(admits('plum')).toBe(true)
      }
    }),
    RUNS,
  )
})

test('what one key does changes nothing for another', () => {
  fc.assert(
    fc.property(rates, calls, (rate, asked) => {
      const { clock, advance } = driven()
      const together = createTokenBuckets(clock, rate)
      const alone = createTokenBuckets(clock, rate)
      for (const { key, wait } of asked) {
        advance(wait)
        const admitted = together(key)
        if (key === 'plum') expect(alone(key)).toBe(admitted)
      }
    }),
    RUNS,
  )
})

test('a refused try costs nothing: the next token comes when it would have come', () => {
  const { clock, advance } = driven()
  const admits = createTokenBuckets(clock, { perSecond: 1, burst: 1 })
  expect(admits('plum')).toBe(true)
  for (let i = 0; i < 3; i++) {
    advance(250)
    expect(admits('plum')).toBe(false)
  }
  advance(250)
  expect(admits('plum')).toBe(true)
})

test('full buckets are forgotten before those in use', () => {
  const { clock, advance } = driven()
  const admits = createTokenBuckets(clock, { perSecond: 1, burst: 2 })
  // The oldest of all, and the one in use.
  admits('plum')
  for (let i = 0; i < 9_999; i++) admits(`idle ${i}`)
  advance(60_000)
  expect([admits('plum'), admits('plum'), admits('plum')]).toEqual([true, true, false])
  for (let i = 0; i < 9_000; i++) admits(`new ${i}`)
  expect(admits('plum')).toBe(false)
})

test('where all are in use the oldest are forgotten, never the newest', () => {
  const { clock } = driven()
  const admits = createTokenBuckets(clock, { perSecond: 1, burst: 1 })
  for (let i = 0; i < 10_000; i++) admits(`busy ${i}`)
  expect(admits('plum')).toBe(true)
  expect([admits('plum'), admits('busy 9999')]).toEqual([false, false])
  expect(admits('busy 0')).toBe(true)
})

test('so many at once pass only where the bucket holds them all, and what does not pass takes nothing', () => {
  const now = new Date(0)
  const pass = createTokenBuckets(() => now, { perSecond: 1, burst: 10 })
  expect([pass('plum', 8), pass('plum', 3), pass('plum', 2), pass('plum')]).toEqual([true, false, true, false])
})

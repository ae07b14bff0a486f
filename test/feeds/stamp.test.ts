import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stampOf, stampsAfter } from '../../src/feeds/stamp.ts'

const rounds = fc.array(
  fc.record({
    step: fc.integer({ min: -5, max: 3 }),
    signals: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 }),
  }),
  { maxLength: 8 },
)

test('stamps rise over all rounds, whatever the clock does, and of one signal no two are within a millisecond', () => {
  fc.assert(
    fc.property(rounds, (all) => {
      let [now, last] = [1_700_000_000_000, 0n]
      const seen: { signal: string; stamp: bigint }[] = []
      for (const { step, signals } of all) {
        now += step
        const stamps = stampsAfter(last, new Date(now), signals)
        expect(stamps).toHaveLength(signals.length)
        seen.push(...stamps.map((stamp, i) => ({ signal: signals[i] ?? '', stamp })))
        last = stamps.at(-1) ?? last
      }
      const stamps = seen.map(({ stamp }) => stamp)
      expect(stamps.every((stamp, i) => i === 0 || stamp > (stamps[i - 1] ?? 0n))).toBe(true)
      for (const own of Map.groupBy(seen, ({ signal }) => signal).values())
        expect(new Set(own.map(({ stamp }) => stamp / 1_000n)).size).toBe(own.length)
    }),
  )
})

test('an entry from before stamps is in 1970, in its order', () => {
  expect([1n, 2n].map((seq) => stampOf({ added_us: 0n, seq }))).toEqual([1_000_001n, 1_000_002n])
  expect(stampOf({ added_us: 5_000_000_000_000_000n, seq: 1n })).toBe(5_000_000_000_000_000n)
})

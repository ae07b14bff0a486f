import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hitRate } from '../../src/matching/hit-rate.ts'

test.for([
  // Wilson (1927) as in Newcombe (1998), table I, method 3.
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
  [29, 29, 0.883, 1],
] as const)('%i hits in %i lines: between %f and %f', ([hits, lines, low, high]) => {
  const rate = hitRate(hits, lines)
  expect(rate.low).toBeCloseTo(low, 4)
  expect(rate.high).toBeCloseTo(high, 4)
})

test('without lines nothing is known', () => {
  expect(hitRate(0, 0)).toEqual({ lines: 0, hits: 0, rate: 0, low: 0, high: 1 })
})

test('the rate lies within its interval, which lies between none and all', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (lines, share) => {
      const { low, rate, high } = hitRate(Math.floor(lines * share), lines)
      expect(0 <= low && low <= rate && rate <= high && high <= 1).toBe(true)
    }),
  )
})

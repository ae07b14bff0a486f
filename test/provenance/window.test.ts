import { expect, test } from 'vitest'
import { windowMs } from '../../src/provenance/window.ts'

test.for<[batches: number, links: number, ms: number, why: string]>([
  [0, 0, 1_000, 'nothing was read'],
  [1, 2, 1_000, 'one reader'],
  [39, 200, 1_000, 'few readers'],
  [40, 80, 1_001, 'as many as fill a second'],
  [50, 100, 1_251, 'more than that'],
  [400, 800, 10_001, 'ten times as many'],
  [10, 5_000, 1_001, 'few readers of many sources'],
  [80, 20_480, 4_097, 'each of 255 sources: links count more'],
  [2_400, 4_800, 60_000, 'as many as a minute takes'],
  [100_000, 500_000, 60_000, 'more than a minute takes'],
])('after %i batches with %i links the next round begins %i ms after: %s', ([batches, links, ms]) => {
  expect(windowMs({ batches, links })).toBe(ms)
})

test('below the longest window a round stays under both rates', () => {
  for (const batches of [1, 17, 40, 41, 399, 2_399])
    for (const links of [batches, 7 * batches, 40 * batches]) {
      const seconds = windowMs({ batches, links }) / 1_000
      if (seconds === 60) continue
      expect(batches / seconds).toBeLessThan(40)
      expect(links / seconds).toBeLessThan(5_000)
    }
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EXPIRY_DAYS, expiryBand } from '../../src/participants/expiry-band.ts'

const DAY = 86_400_000
const NOW = new Date('2026-11-26T12:00:00Z')
const after = (ms: number): Date => new Date(NOW.getTime() + ms)

test('a key is in the narrowest band that it still reaches, to the millisecond', () => {
  for (const [at, days] of EXPIRY_DAYS.entries()) {
    expect(expiryBand(after(days * DAY), NOW)).toBe(days)
    expect(expiryBand(after(days * DAY + 1), NOW)).toBe(EXPIRY_DAYS[at - 1] ?? 'good')
  }
  expect([expiryBand(NOW, NOW), expiryBand(after(-1), NOW), expiryBand(after(1), NOW)]).toEqual(['ended', 'ended', 1])
})

test('time only ever narrows the band', () => {
  const rank = (left: number): number => ['good', 60, 30, 14, 7, 1, 'ended'].indexOf(expiryBand(after(left), NOW))
  fc.assert(
    fc.property(fc.integer({ min: -DAY, max: 100 * DAY }), fc.nat({ max: 50 * DAY }), (left, passed) => {
      expect(rank(left - passed)).toBeGreaterThanOrEqual(rank(left))
    }),
  )
})

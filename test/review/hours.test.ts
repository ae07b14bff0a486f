import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { workingAfter, workingBetween } from '../../src/review/hours.ts'

const HOUR_MS = 3_600_000
const at = (text: string): Date => new Date(`${text}Z`)
/** Monday to Friday, nine to five. */
const office = { days: [1, 2, 3, 4, 5], from: 9 * 60, to: 17 * 60 }

describe('time that counts only while somebody reviews', () => {
  test.each([
    ['within a day', '2026-11-26T10:00', 4, '2026-11-26T14:00'],
    ['to the last minute of it', '2026-11-26T13:00', 4, '2026-11-26T17:00'],
    ['over a night', '2026-11-26T16:00', 4, '2026-11-27T12:00'],
    ['over a weekend', '2026-11-27T16:00', 4, '2026-11-30T12:00'],
    ['from before the day', '2026-11-26T03:00', 1, '2026-11-26T10:00'],
    ['from a Sunday', '2026-11-29T12:00', 24, '2026-12-02T17:00'],
  ])('%s', (_, begin, hours, end) => {
    expect(workingAfter(at(begin), hours * HOUR_MS, office)).toEqual(at(end))
    expect(workingBetween(at(begin), at(end), office)).toBe(hours * HOUR_MS)
  })

  test('without hours it always counts', () => {
    expect(workingAfter(at('2026-11-28T10:00'), 4 * HOUR_MS, undefined)).toEqual(at('2026-11-28T14:00'))
    expect(workingBetween(at('2026-11-28T10:00'), at('2026-11-28T14:00'), undefined)).toBe(4 * HOUR_MS)
  })

  test('what was added is what is found between, whatever the hours', () => {
    const minute = fc.integer({ min: 0, max: 1_439 })
    const hours = fc
      .record({ days: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 }), a: minute, b: minute })
      .filter(({ a, b }) => a !== b)
      .map(({ days, a, b }) => ({ days, from: Math.min(a, b), to: Math.max(a, b) }))
    const moment = fc.date({ min: at('2026-01-01T00:00'), max: at('2027-01-01T00:00'), noInvalidDate: true })
    fc.assert(
      fc.property(moment, fc.integer({ min: 0, max: 24 * HOUR_MS }), hours, (begin, ms, when) => {
        const end = workingAfter(begin, ms, when)
        expect(end.getTime() - begin.getTime()).toBeGreaterThanOrEqual(ms)
        expect(workingBetween(begin, end, when)).toBe(ms)
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Hours, workingAfter, workingBetween } from '../../src/review/hours.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
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

  const minute = fc.integer({ min: 0, max: 1_440 })
  const hours = fc
    .record({ days: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 }), a: minute, b: minute })
    .filter(({ a, b }) => a !== b)
    .map(({ days, a, b }) => ({ days, from: Math.min(a, b), to: Math.max(a, b) }))
  const moment = fc.date({ min: at('2026-01-01T00:00'), max: at('2027-01-01T00:00'), noInvalidDate: true })

  test('what was added is what is found between, whatever the hours', () => {
    fc.assert(
      fc.property(moment, fc.integer({ min: 0, max: 24 * HOUR_MS }), hours, (begin, ms, when) => {
        const end = workingAfter(begin, ms, when)
        expect(end.getTime() - begin.getTime()).toBeGreaterThanOrEqual(ms)
        expect(workingBetween(begin, end, when)).toBe(ms)
      }),
    )
  })

  /** Whole weeks of it too, and the last minute of one. */
  const span = fc.oneof(
    fc.integer({ min: 1, max: 30 * 24 * HOUR_MS }),
    fc.integer({ min: 1, max: 7 * 24 * 60 }).map((minutes) => minutes * MINUTE_MS),
  )
  const walked = (begin: Date, ms: number, { days, from, to }: Hours): Date => {
    let left = ms
    for (let day = Math.floor(begin.getTime() / DAY_MS) * DAY_MS; ; day += DAY_MS) {
      if (!days.includes(new Date(day).getUTCDay())) continue
      const start = Math.max(day + from * MINUTE_MS, begin.getTime())
      if (start + left <= day + to * MINUTE_MS) return new Date(start + left)
      left -= Math.max(0, day + to * MINUTE_MS - start)
    }
  }
  /** Minute by minute would be the same; a day is as fine as hours are. */
  const walkedBetween = (begin: Date, end: Date, { days, from, to }: Hours): number => {
    let sum = 0
    for (let day = Math.floor(begin.getTime() / DAY_MS) * DAY_MS; day < end.getTime(); day += DAY_MS)
      if (days.includes(new Date(day).getUTCDay()))
        sum += Math.max(
          0,
          Math.min(day + to * MINUTE_MS, end.getTime()) - Math.max(day + from * MINUTE_MS, begin.getTime()),
        )
    return sum
  }

  test('is what a walk from day to day finds, over whole weeks too', () => {
    fc.assert(
      fc.property(moment, span, hours, (begin, ms, when) => {
        // A minute a week would be walked for hundreds of years.
        fc.pre(ms / ((when.to - when.from) * when.days.length * MINUTE_MS) < 200)
        expect(workingAfter(begin, ms, when)).toEqual(walked(begin, ms, when))
        const end = new Date(begin.getTime() + ms)
        expect(workingBetween(begin, end, when)).toBe(walkedBetween(begin, end, when))
      }),
    )
  })

  test('hardly more than a week is walked, however little of it is worked and however long it takes', () => {
    let looked = 0
    const rare = {
      ...{ from: 0, to: 1 },
      get days() {
        looked += 1
        return [1]
      },
    }
    const end = workingAfter(at('2026-11-26T10:00'), 168 * HOUR_MS, rare)
    expect(end.getTime()).toBe(at('2026-11-30T00:01').getTime() + (168 * 60 - 1) * 7 * DAY_MS)
    expect(workingBetween(at('2026-11-26T10:00'), end, rare)).toBe(168 * HOUR_MS)
    expect(looked).toBeLessThan(25)
  })
})

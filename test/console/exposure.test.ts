import { describe, expect, test } from 'vitest'
import { BREAK_MS, type Exposure, mayHaveSevere, nudgeFor, seenOne } from '../../src/console/exposure.ts'

const START = new Date('2026-03-01T08:00:00Z')
const later = (ms: number): Date => new Date(START.getTime() + ms)
const MINUTE = 60_000

/** Items that were opened at these minutes. */
const seenAt = (...minutes: number[]): Exposure =>
  minutes.reduce<Exposure | undefined>((before, at) => seenOne(before, later(at * MINUTE)), undefined) ??
  expect.fail('none')

describe('what was seen', () => {
  test('counts on over the day, and anew after a break', () => {
    expect(seenAt(0, 5, 10)).toMatchObject({ seen: 3, since_break: 3, began_at: START })
    expect(seenAt(0, 5, 10, 25)).toMatchObject({ seen: 4, since_break: 1, began_at: later(25 * MINUTE) })
  })
})

describe('somebody is reminded to rest', () => {
  const never = { nudge_items: null, nudge_minutes: null }
  test('after so many items', () => {
    const three = { ...never, nudge_items: 3 }
    expect(nudgeFor(seenAt(0, 1), three, later(MINUTE))).toBeUndefined()
    expect(nudgeFor(seenAt(0, 1, 2), three, later(2 * MINUTE))).toBe('items')
  })
  test('after so many minutes', () => {
    const twenty = { ...never, nudge_minutes: 20 }
    expect(nudgeFor(seenAt(0, 10), twenty, later(19 * MINUTE))).toBeUndefined()
    expect(nudgeFor(seenAt(0, 10), twenty, later(20 * MINUTE))).toBe('minutes')
  })
  test('not after a break, and never where that was chosen', () => {
    expect(nudgeFor(seenAt(0, 1, 2), { ...never, nudge_items: 3 }, later(2 * MINUTE + BREAK_MS))).toBeUndefined()
    expect(nudgeFor(seenAt(0, 1, 2), never, later(60 * MINUTE))).toBeUndefined()
  })
})

test('a cap is a number of the day; without one there is none', () => {
  expect(mayHaveSevere(4, { daily_cap: 5 })).toBe(true)
  expect(mayHaveSevere(5, { daily_cap: 5 })).toBe(false)
  expect(mayHaveSevere(500, { daily_cap: null })).toBe(true)
})

import { expect, test } from 'vitest'
import { AHEAD_DAYS, effectiveAt, lateBy, maySchedule } from '../../src/participants/schedule.ts'

const NOW = new Date('2026-11-26T12:00:00Z')
const at = (ms: number): Date => new Date(NOW.getTime() + ms)
const DAY = 86_400_000

test('a time may be set from the next moment to the last day, and no other', () => {
  const cases = [-1, 0, 1, AHEAD_DAYS * DAY, AHEAD_DAYS * DAY + 1].map((ms) => maySchedule(at(ms), NOW))
  expect(cases).toEqual([false, false, true, true, false])
})

test('what is a minute late is told in whole seconds, and what is not is not', () => {
  expect([59_999, 60_000, 60_001, 90_500].map((ms) => lateBy(NOW, at(ms)))).toEqual([undefined, undefined, 60, 90])
  expect(lateBy(undefined, NOW)).toBeUndefined()
})

test('the time is the payload’s own word', () => {
  expect(effectiveAt('{"effective_at":"2026-12-01T08:00:00Z","group":"grove"}')).toEqual(
    new Date('2026-12-01T08:00:00Z'),
  )
  expect(effectiveAt('{"group":"grove"}')).toBeUndefined()
})

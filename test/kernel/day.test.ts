import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dayOf, nextDay } from '../../src/kernel/day.ts'

const anInstant = fc.date({ min: new Date('1960-01-01'), max: new Date('2199-12-31'), noInvalidDate: true })

test('the day of an instant is that of its own, whatever was asked before', () => {
  fc.assert(
    fc.property(fc.array(anInstant, { maxLength: 20 }), (instants) => {
      for (const at of instants) expect(dayOf(at)).toBe(at.toISOString().slice(0, 10))
    }),
  )
})

test('it ends at midnight (UTC), where the next begins', () => {
  const last = new Date('2026-11-30T23:59:59.999Z')
  const next = new Date('2026-12-01T00:00:00.000Z')
  expect([last, next, last].map(dayOf)).toEqual(['2026-11-30', '2026-12-01', '2026-11-30'])
  expect(nextDay(last)).toEqual(next)
})

test('what is no instant has no day', () => {
  for (const at of [new Date(Number.NaN), new Date(Number.NaN)]) expect(() => dayOf(at)).toThrow(RangeError)
})

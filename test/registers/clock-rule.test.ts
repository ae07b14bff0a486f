import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dueAt, urgencyOf } from '../../src/registers/clock-rule.ts'

const day = (text: string): Date => new Date(`${text}T00:00:00Z`)

test.for([
  ['2026-11-26', false, '2026-12-26'],
  ['2026-12-15', false, '2027-01-15'],
  ['2026-01-31', false, '2026-02-28'],
  ['2028-01-31', false, '2028-02-29'],
  ['2026-08-31', true, '2026-11-30'],
  ['2026-11-30', true, '2027-02-28'],
] as const)('what came on %s (extended: %s) is due on %s', ([received, extended, due]) => {
  expect(dueAt(day(received), extended)).toEqual(day(due))
})

test('a request is due 28 to 31 days after it came, extended 89 to 92, and never earlier than one that came before', () => {
  const days = fc.integer({ min: 0, max: 20_000 }).map((n) => new Date(n * 86_400_000))
  fc.assert(
    fc.property(days, days, (a, b) => {
      const after = (extended: boolean) => (dueAt(a, extended).getTime() - a.getTime()) / 86_400_000
      expect(after(false)).toBeGreaterThanOrEqual(28)
      expect(after(false)).toBeLessThanOrEqual(31)
      expect(after(true)).toBeGreaterThanOrEqual(89)
      expect(after(true)).toBeLessThanOrEqual(92)
      if (a <= b) expect(dueAt(a, false).getTime()).toBeLessThanOrEqual(dueAt(b, false).getTime())
    }),
  )
})

test('a request is overdue at its moment, and urgent for the week before', () => {
  const due = day('2026-12-26')
  const at = (text: string, closed?: Date) => urgencyOf({ due, closed }, day(text))
  expect(at('2026-12-18')).toBe('running')
  expect(at('2026-12-19')).toBe('soon')
  expect(at('2026-12-26')).toBe('overdue')
  expect(at('2027-12-26', day('2026-12-20'))).toBe('closed')
})

import { expect, test } from 'vitest'
import { instantIn, periodFault } from '../../src/reports/period.ts'

const NOW = Date.parse('2026-07-02T00:00:00Z')
const fault = (from: string, to: string) => periodFault({ from: instantIn(from), to: instantIn(to) }, NOW)

test.for([
  ['2026-01-01', '2026-07-01', undefined],
  ['2026-07-01', '2026-07-01', 'to is after from, and at most 400 days'],
  ['2025-01-01', '2026-07-01', 'to is after from, and at most 400 days'],
  ['2026-07-01', '2026-07-03', 'the period is not over, and its figures would still change'],
  ['2026-04-31', '2026-05-01', 'from and to are days, such as 2026-07-01'],
] as const)('a report from %s to %s: %s', ([from, to, says]) => {
  expect(fault(from, to)).toBe(says)
})

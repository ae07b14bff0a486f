import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bandOf, dueAt, rankOf, reasonsOf, SEVERITY, type Weighed } from '../../src/review/priority.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const hours = (weighed: Partial<Weighed>, asked = false): number => {
  const whole = { severity: SEVERITY.low, own_hits: 0, confirmations: 0, confidence: 50, disputed: false, ...weighed }
  return (dueAt(NOON, whole, { asked }).getTime() - NOON.getTime()) / 3_600_000
}

test('the date goes by severity; hits of one’s own, disputes and questions bring it forward', () => {
  const { low, medium, high, critical } = SEVERITY
  expect([low, medium, high, critical].map((severity) => hours({ severity }))).toEqual([168, 72, 24, 4])
  expect([hours({ severity: high, own_hits: 1 }), hours({ disputed: true }), hours({}, true)]).toEqual([4, 4, 4])
})

test('hits count by bands', () => {
  expect([0, 1, 2, 9, 10, 1_000_000].map(bandOf)).toEqual([0, 1, 2, 2, 3, 3])
})

test('severity outweighs hits, hits outweigh confirmations, confirmations outweigh confidence', () => {
  const weighed = fc.record({
    ...{ severity: fc.integer({ min: 1, max: 4 }), own_hits: fc.nat(1_000_000), confirmations: fc.nat(500) },
    ...{ confidence: fc.integer({ min: 0, max: 100 }), disputed: fc.boolean() },
  })
  const keyOf = (one: Weighed): number[] => [
    ...[one.severity, bandOf(one.own_hits), Math.min(one.confirmations, 15), one.confidence],
  ]
  const compare = (a: number[], b: number[]): number => {
    const at = a.findIndex((value, i) => value !== b[i])
    return at === -1 ? 0 : Math.sign((a[at] ?? 0) - (b[at] ?? 0))
  }
  fc.assert(
    fc.property(weighed, weighed, (a, b) => {
      expect(Math.sign(rankOf(a) - rankOf(b))).toBe(compare(keyOf(a), keyOf(b)))
      // It is a column of 32 bits.
      expect(rankOf(a)).toBeLessThan(2 ** 31)
    }),
  )
})

test('a place in the queue is told in sentences', () => {
  const weighed = { severity: 4, own_hits: 14, confirmations: 2, confidence: 90, disputed: true, paused: false }
  expect(reasonsOf({ ...weighed, due_at: new Date('2026-03-01T12:38:00Z') }, NOON)).toEqual([
    ...['Critical.', '14 hits here.', '2 platforms confirmed.', 'Disputed.', 'Due in 38 min.'],
  ])
  const plain = { severity: 1, own_hits: 0, confirmations: 0, confidence: 0, disputed: false, paused: false }
  expect(reasonsOf({ ...plain, due_at: new Date('2026-03-01T09:00:00Z') }, NOON)).toEqual([
    'Low.',
    'Overdue by 3 hours.',
  ])
  expect(reasonsOf({ ...plain, due_at: new Date('2026-03-08T12:00:00Z') }, NOON).at(-1)).toBe('Due in 7 days.')
  expect(reasonsOf({ ...plain, paused: true, due_at: NOON }, NOON).at(-1)).toBe('Waits for the source.')
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newId } from '../../src/kernel/ids.ts'
import { noticesOf, type Standing } from '../../src/notices/gather.ts'
import { EXPIRY_DAYS } from '../../src/participants/expiry-band.ts'

const NOW = new Date('2026-03-01T12:00:00Z')
const DAY_MS = 86_400_000
const id = newId(NOW)
const none: Standing = {
  ...{ cases: [], at_risk: undefined, credentials: [] },
  attention: { questions: [], disputes: [], held: [] },
}

test('of nothing there is nothing to tell', () => {
  expect(noticesOf(none, NOW)).toEqual([])
})

test('a key that ends is told of on each of the days, once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 * 24 }), (hours) => {
      const not_after = new Date(NOW.getTime() + hours * 3_600_000)
      const told = noticesOf({ ...none, credentials: [{ credential: id, not_after }] }, NOW)
      const day = EXPIRY_DAYS.findLast((one) => hours <= one * 24)
      expect(told.map((one) => one.id)).toEqual(day === undefined ? [] : [`credential.ends/${id}/${day}`])
      if (told[0] !== undefined) expect(told[0].at.getTime()).toBeLessThanOrEqual(NOW.getTime())
    }),
  )
  const over = { credential: id, not_after: new Date(NOW.getTime() - DAY_MS) }
  expect(noticesOf({ ...none, credentials: [over] }, NOW)).toEqual([])
})

test('the newest is first, and a thing has one id however often it is gathered', () => {
  const at = (ms: number): Date => new Date(NOW.getTime() - ms)
  const standing: Standing = {
    ...none,
    at_risk: { overdue: 2, at_risk: 1, at: at(500) },
    cases: [{ kind: 'case.taken_over', id: newId(NOW), case: id, at: at(2_000), for: '4F2Q', by: '7K3M' }],
    attention: {
      questions: [{ signal: id, type: 'url', giver: 'birch', outcome: 'needs_information', at: at(1_000) }],
      disputes: [],
      held: [{ signal: id, type: 'url', at: at(3_000) }],
    },
  }
  const told = noticesOf(standing, NOW)
  expect(told.map(({ kind }) => kind)).toEqual(['queue.at_risk', 'question.asked', 'case.taken_over', 'signal.held'])
  expect(told[0]?.count).toBe(3)
  expect(noticesOf(standing, new Date(NOW.getTime() + 60_000)).map((one) => one.id)).toEqual(told.map((one) => one.id))
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isHeldByAnswer, isHeldByOpinions } from '../../src/feedback/hold-rule.ts'
import { countsOf, type Opinion, standingOf } from '../../src/feedback/opinion.ts'
import { GROUNDS, OUTCOME, type Outcome } from '../../src/feedback/schema.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const EARLIER = new Date('2026-03-01T11:00:00Z')
const opinion = (outcome: Outcome, change: Partial<Opinion> = {}): Opinion => ({
  ...{ outcome: OUTCOME[outcome], independent: true, recurrences: 0, at: NOON, ...change },
})

describe('a hold by opinions', () => {
  test('takes as many organisations as the rule says, and not one less', () => {
    const some = (n: number) => Array.from({ length: n }, () => opinion('not_violating'))
    expect([2, 3, 4].map((n) => isHeldByOpinions(some(n), { releasedAt: undefined }))).toEqual([false, true, true])
    expect(isHeldByOpinions(some(4), { releasedAt: undefined, holdAt: 5 })).toBe(false)
  })

  test('counts those alone who reviewed a hit of their own, found it not violating, and said so since the last release', () => {
    const counted = [opinion('not_violating'), opinion('not_violating')]
    for (const not of [
      ...[opinion('outdated'), opinion('confirmed_no_presence'), opinion('not_violating', { independent: false })],
      opinion('not_violating', { at: EARLIER }),
    ])
      expect(isHeldByOpinions([...counted, not], { releasedAt: EARLIER })).toBe(false)
  })
})

test('an answer holds where it confirms, and the ground is serious', () => {
  const serious = Object.keys(GROUNDS).filter((ground) => isHeldByAnswer(ground, 'confirmed'))
  expect(serious).toEqual(['wrong_identifier', 'appeal_upheld', 'unlawful'])
  for (const ground of Object.keys(GROUNDS))
    expect([isHeldByAnswer(ground, 'rejected'), isHeldByAnswer(ground, 'amended')]).toEqual([false, false])
  expect(isHeldByAnswer('plum', 'confirmed')).toBe(false)
})

describe('what recipients say together', () => {
  test.each([
    ['seed', [], 0],
    ['seed', ['seen_here', 'needs_information', 'ingested', 'disagree_category'], 0],
    ['confirmed', ['confirmed_action_taken', 'ingested'], 0],
    ['negative', ['outdated', 'not_violating'], 0],
    ['disputed', ['confirmed_no_presence', 'not_violating'], 0],
    ['disputed', [], 1],
  ] as const)('is %s of %j with %i open disputes', (standing, outcomes, open) => {
    expect(standingOf(countsOf(outcomes.map((one) => opinion(one))), open)).toBe(standing)
  })

  test('is counted whole, whatever its order', () => {
    const outcome = fc.constantFrom(...(Object.keys(OUTCOME) as Outcome[]))
    fc.assert(
      fc.property(fc.array(outcome), (said) => {
        const counts = countsOf(said.map((one) => opinion(one)))
        expect(Object.values(counts).reduce((n, one) => n + one, 0)).toBe(said.length)
        expect(countsOf(said.toReversed().map((one) => opinion(one)))).toEqual(counts)
      }),
    )
  })
})

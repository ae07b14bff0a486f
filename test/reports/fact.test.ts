import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EVENTS, isErasable } from '../../src/provenance/events.ts'
import { factOf, packFact, READS, unpackFacts } from '../../src/reports/fact.ts'
import { createTally, type ToldEntry } from '../../src/reports/tally.ts'

const FROM = Date.parse('2026-07-01T00:00:00Z')
const DAY = 86_400_000
const PERIOD = { from: FROM, to: FROM + 30 * DAY }

const few = fc.constantFrom(
  'a',
  'b',
  'c',
  'mirror_removed',
  'platform',
  'confirmed_action_taken',
  '__proto__',
  '\u0000',
)
const counts = fc.dictionary(few, fc.oneof(fc.integer({ min: -2, max: 9 }), fc.constant('many')), { maxKeys: 3 })
const value = fc.oneof({ weight: 6, arbitrary: few }, { weight: 4, arbitrary: counts }, fc.jsonValue(), fc.nat(9)).map(
  // As a record gives it: what comes of JSON has a prototype.
  (said): unknown => JSON.parse(JSON.stringify(said)),
)
const NAMES = [...new Set(Object.values(READS).flat()), 'region']
const entry: fc.Arbitrary<ToldEntry> = fc.record({
  kind: fc.constantFrom(...Object.keys(READS), 'hit.reported', 'toString'),
  time: fc.oneof(
    fc.integer({ min: -10, max: 40 }).map((day) => FROM + day * DAY),
    fc.constant(Number.NaN),
  ),
  fields: fc
    .dictionary(fc.constantFrom(...NAMES), value, { maxKeys: NAMES.length })
    .map((o) => new Map(Object.entries(o))),
  sources: fc.array(fc.record({ party: few, n: fc.nat(9) }), { maxLength: 2 }),
  changes: fc.array(fc.record({ signal: few, revision: fc.integer({ min: 1, max: 2 }) }), { maxLength: 2 }),
})

test('figures of facts that were kept are those of the entries, whatever entries say', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 60 }), (log) => {
      const [told, kept] = [createTally(PERIOD), createTally(PERIOD)]
      for (const one of log) told.take(one)
      const packed = log.flatMap((one, i) => {
        const fact = factOf(one)
        return fact === undefined ? [] : [packFact(i, fact)]
      })
      for (const { fact } of unpackFacts(`[${packed.join()}]`)) kept.takeFact(fact)
      expect(kept.figures()).toEqual(told.figures())
    }),
    { numRuns: 500 },
  )
})

test('a fact has nothing of an entry that no figure reads, and its place among others', () => {
  const of = (kind: string, fields: object): ToldEntry => ({
    ...{ kind, time: FROM, fields: new Map(Object.entries(fields)), sources: [{ party: 'x' }], changes: [] },
  })
  expect(factOf(of('hit.reported', { n: 3 }))).toBeUndefined()
  const fact = factOf(of('read.batch', { reader: 'a', n: 3, root: 'secret' }))
  if (fact === undefined) throw new Error('no fact')
  expect(packFact(7, fact)).toBe(`[7,"read.batch",${FROM},["a",3]]`)
})

/** Kinds that no figure is made of: each new one is put here, or into `READS`. */
const UNCOUNTED = [
  ...['agreement.accepted', 'anomaly.acted', 'approval.cancelled', 'approval.executed'],
  ...['approval.given', 'approval.refused', 'approval.requested', 'audience.changed'],
  ...['audit.read', 'collection.held', 'collection.released', 'conformance.reported'],
  ...['credential.enrolled', 'credential.revoked'],
  ...['feed.paused', 'feed.resumed', 'group.changed', 'group.ended'],
  ...['hash_profile.published', 'hash_profile.retired', 'hit.reported', 'hold.lifted'],
  ...['hold.placed', 'log.closed', 'login.ended', 'login.given'],
  ...['lookup.evaluated', 'node.started', 'onboarding.closed', 'onboarding.moved'],
  ...['onboarding.opened', 'participant.confirmed', 'participant.resumed', 'participant.suspended'],
  ...['person.added', 'person.left', 'policy.published'],
  ...['question.answered', 'quota.changed', 'read', 'reads.expired'],
  ...['report.published', 'restore.performed', 'review.bulk', 'review.moved'],
  ...['review.routed', 'review.sampled', 'review.set', 'role.changed'],
  ...['salts.destroyed', 'subject_request.closed', 'subject_request.received', 'value.removed'],
  ...['value.revealed', 'value.rewrapped', 'value.sealed', 'webhook.added'],
  ...['webhook.ended', 'webhook.rotated', 'witness.degraded', 'witness.policy'],
  ...['witness.restored'],
]

test('of every kind of entry it was decided whether figures are made of it', () => {
  expect([...Object.keys(READS), ...UNCOUNTED].sort()).toEqual(Object.keys(EVENTS).sort())
})

test('no figure is made of what an erasure takes', () => {
  const taken = Object.entries(READS).flatMap(([kind, fields]) => fields.filter((field) => isErasable(kind, field)))
  expect(taken).toEqual([])
  expect(isErasable('signal.submitted', 'region')).toBe(true)
})

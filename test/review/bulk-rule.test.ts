import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Uuid } from '../../src/kernel/ids.ts'
import {
  bulkAfter,
  bulkResultOf,
  bulkStateOf,
  type Fixed,
  fixedText,
  leftBy,
  needsLead,
  type Standing,
} from '../../src/review/bulk-rule.ts'
import { BULK_RESULT, BULK_STATE, type BulkState } from '../../src/review/bulk-schema.ts'

const NOW = new Date('2026-11-26T12:00:00Z')
const lease = (holder: string, minutes: number) => ({
  ...{ holder, token: '0193f0e0-0000-7000-8000-000000000001' as Uuid },
  expires_at: new Date(NOW.getTime() + minutes * 60_000),
})
const free: Standing = { state: 'open', version: 3, own: false, lease: undefined, assigned_to: null, live: true }

describe('a case among others', () => {
  test.each<[string, Partial<Standing> | undefined, string | undefined]>([
    ['that is open and free is decided', {}, undefined],
    ['whose lease is one’s own is decided', { lease: lease('ann', 5) }, undefined],
    ['whose lease is over is decided', { lease: lease('bob', 0) }, undefined],
    ['that was handed to whoever decides is decided', { assigned_to: 'ann' }, undefined],
    ['that somebody works on is left', { lease: lease('bob', 5) }, 'claimed'],
    ['that was handed to somebody else is left', { assigned_to: 'bob' }, 'claimed'],
    [
      'whose lease is one’s own is decided though it was handed on',
      { lease: lease('ann', 5), assigned_to: 'bob' },
      undefined,
    ],
    ['of an own signal is left', { own: true }, 'own'],
    ['that waits for a second person is left', { state: 'awaiting_second' }, 'already_decided'],
    ['that is decided is left', { state: 'decided' }, 'already_decided'],
    ['that is closed is left', { state: 'closed' }, 'already_decided'],
    ['that is parked is left', { state: 'held' }, 'parked'],
    ['whose signal ended is left', { state: 'void' }, 'signal_ended'],
    ['whose signal nobody sees any more is left', { live: false }, 'signal_ended'],
    ['that moved since it was looked at is left', { version: 4 }, 'moved'],
    ['that is not there is left', undefined, 'not_there'],
  ])('%s', (_, change, left) => {
    const one = change === undefined ? undefined : { ...free, ...change }
    expect(leftBy(one, { who: 'ann', version: 3, now: NOW })).toBe(left)
  })
})

test('26 cases wait for a lead, 25 do not', () => {
  expect([needsLead(25), needsLead(26)]).toEqual([false, true])
})

test('a job ends, and what ended is not begun again', () => {
  const ends = (['undone', 'refused'] as const).flatMap((state) =>
    (['approve', 'refuse', 'finish', 'cancel', 'undo', 'finish_undo'] as const).map((act) => bulkAfter(state, act)),
  )
  expect(new Set(ends)).toEqual(new Set([undefined]))
  const undone = Object.keys(BULK_STATE).filter((state) => bulkAfter(state as BulkState, 'undo') !== undefined)
  expect(undone).toEqual(['running', 'done', 'cancelled'])
})

test('numbers and names are one to one', () => {
  for (const [name, id] of Object.entries(BULK_STATE)) expect(bulkStateOf(id)).toBe(name)
  for (const [name, id] of Object.entries(BULK_RESULT)) expect(bulkResultOf(id)).toBe(name)
  expect(() => bulkStateOf(99)).toThrow(RangeError)
})

test('any change of list, order or decision is another text', () => {
  const uuid = fc.uuid({ version: 7 }) as fc.Arbitrary<Uuid>
  const item = fc.record({ case: uuid, version: fc.integer({ min: 1, max: 9 }), decision: uuid })
  const note = fc.option(fc.string({ unit: 'grapheme' }))
  const job: fc.Arbitrary<Fixed> = fc.record({
    ...{ job: uuid, verdict: fc.constantFrom('outdated', 'seen_here'), reason: fc.constantFrom('inactive', 'other') },
    ...{ note_team: note, note_shared: note, items: fc.array(item, { minLength: 1, maxLength: 4 }) },
  })
  fc.assert(
    fc.property(job, job, (a, b) => {
      expect(fixedText(a) === fixedText(b)).toBe(JSON.stringify(a) === JSON.stringify(b))
    }),
  )
})

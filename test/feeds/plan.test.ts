import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EVENT_KIND } from '../../src/feeds/entry.ts'
import {
  entryAt,
  newestOf,
  type Placed,
  type Planned,
  type PlannedItem,
  placedBefore,
  planEnd,
  planErased,
  planItem,
  type Told,
} from '../../src/feeds/plan.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { RELATION_NUMBER, SIGNAL_STATE } from '../../src/signals/schema.ts'
import { anItem, aWithdrawal, DAY, idOf, instantAt, NOON, textOf } from '../signals/factory.ts'

const [APPLE, EVENT, SIGNAL, A, B] = [idOf(1), idOf(2), idOf(3), idOf(10), idOf(11)]
/** The feed of an audience, in this file. */
const feedOf = (audience: Uuid): Uuid => (audience === A ? idOf(20) : idOf(21))
const told = (kind = 'signal.revised'): Told => ({
  ...{ idx: 7n, event_id: EVENT, participant_id: APPLE, kind, at: NOON, source: 'apple' },
})
const text = (audience: Uuid, days = 30): string => textOf(anItem({ audience, expires_at: instantAt(days * DAY) }))
const item = (change: Partial<PlannedItem> = {}): PlannedItem => ({
  ...{ signal_id: SIGNAL, revision: 2, item_index: 4, salt: Buffer.alloc(16, 1), item: text(A), path: 'cGF0aA' },
  ...{ signal_key: Buffer.alloc(32, 2), type: 1, profile: 'url/1', former: text(A) },
  ...change,
})

describe('the plan of an item', () => {
  test('is its event where it is shared, with the source’s bytes and what look-ups keep', () => {
    const one = item({ revision: 1, former: undefined })
    expect(planItem(told('signal.submitted'), one, feedOf)).toEqual([
      {
        feed_id: feedOf(A),
        event: {
          ...{ type: 'signal.created', at: NOON, source: 'apple', origin: APPLE, signal_id: SIGNAL, revision: 1 },
          ...{ submission_id: EVENT, log_idx: 7n },
          signed: { index: 4, salt: 'AQEBAQEBAQEBAQEBAQEBAQ', item: one.item, path: 'cGF0aA' },
        },
        shared: {
          ...{ signal_key: one.signal_key, signal_id: SIGNAL, origin: APPLE, type: 1, profile: 'url/1', revision: 1 },
          ...{ audience_id: A, state: SIGNAL_STATE.live, expires_at: new Date(instantAt(30 * DAY)), log_idx: 7n },
        },
      },
    ])
  })
  test('of a later revision in the same audience is that alone', () => {
    const [only, ...more] = planItem(told(), item(), feedOf)
    expect(only).toMatchObject({ feed_id: feedOf(A), event: { type: 'signal.revised' }, shared: { revision: 2 } })
    expect(more).toEqual([])
  })
  test('in another audience ends it in the one it has left, first and without its bytes', () => {
    const [left, here] = planItem(told(), item({ item: text(B) }), feedOf)
    expect(left).toEqual({
      feed_id: feedOf(A),
      event: {
        ...{ type: 'signal.withdrawn', at: NOON, source: 'apple', origin: APPLE, signal_id: SIGNAL, revision: 2 },
        ...{ submission_id: EVENT, log_idx: 7n, reason: 'audience_changed' },
      },
      shared: undefined,
    })
    expect(here).toMatchObject({ feed_id: feedOf(B), event: { type: 'signal.revised' }, shared: { audience_id: B } })
  })
  test('of a withdrawal goes where the signal was last, and keeps its date', () => {
    const withdrawal = textOf(aWithdrawal({ signal: SIGNAL, revision: 3 }))
    const [end, ...more] = planItem(
      told('signal.withdrawn'),
      item({ revision: 3, item: withdrawal, former: text(B, 9) }),
      feedOf,
    )
    expect(end).toMatchObject({
      ...{ feed_id: feedOf(B), event: { type: 'signal.withdrawn', signed: { item: withdrawal } } },
      shared: { audience_id: B, state: SIGNAL_STATE.withdrawn, expires_at: new Date(instantAt(9 * DAY)) },
    })
    expect(more).toEqual([])
  })
  test('of a withdrawal of nothing is a fault of the node', () => {
    expect(() => planItem(told('signal.withdrawn'), item({ former: undefined }), feedOf)).toThrow('never shared')
  })
})

describe('what a relation states', () => {
  const relation = textOf(anItem({ audience: A }, 'relation'))
  const stated = {
    ...{ kind: RELATION_NUMBER.same_operator, from: idOf(1_001), to: idOf(1_002) },
    observed_at: new Date(instantAt(-DAY)),
  }
  test('is kept with it', () => {
    const created = item({ revision: 1, former: undefined, item: relation })
    expect(planItem(told('signal.submitted'), created, feedOf)).toMatchObject([{ shared: { stated, state: 1 } }])
  })
  test.for(['withdrawn', 'expired'] as const)('is kept with its end, so that it ends there, too: %s', (end) => {
    const [planned] =
      end === 'expired'
        ? [planEnd(told('signal.expired'), item({ item: relation }), feedOf)]
        : planItem(told('signal.withdrawn'), item({ item: textOf(aWithdrawal()), former: relation }), feedOf)
    expect(planned?.shared).toMatchObject({ stated, state: SIGNAL_STATE[end] })
  })
  test('is not there where it was erased, nor of a signal that is no relation', () => {
    const { value: _, ...stub } = JSON.parse(relation) as Record<string, unknown>
    const erased = item({ revision: 1, former: undefined, item: textOf(stub), salt: null })
    expect(planItem(told('signal.submitted'), erased, feedOf)).toMatchObject([{ shared: undefined }])
    expect(planEnd(told(), { ...item({ item: textOf(stub) }), erased: true }, feedOf).shared).toBeUndefined()
    expect(planItem(told(), item(), feedOf)[0]?.shared?.stated).toBeUndefined()
  })
})

test('the plan of an expiry is said by the node, where the signal was last', () => {
  expect(planEnd(told('signal.expired'), { ...item({ item: text(B, 1) }), revision: 5 }, feedOf)).toEqual({
    feed_id: feedOf(B),
    event: {
      ...{ type: 'signal.expired', at: NOON, source: 'apple', origin: APPLE, signal_id: SIGNAL, revision: 5 },
      ...{ submission_id: EVENT, log_idx: 7n, reason: 'expired' },
    },
    shared: expect.objectContaining({ audience_id: B, state: SIGNAL_STATE.expired, revision: 5, log_idx: 7n }),
  })
})

test('an event at its place is a row whose body says the place', () => {
  const [planned] = planItem(told(), item(), feedOf)
  if (planned === undefined) throw new Error('one event')
  const row = entryAt(idOf(20), 41n, planned.event)
  expect(row).toMatchObject({
    ...{ seq: 41n, log_idx: 7n, kind: EVENT_KIND['signal.revised'], origin: APPLE, signal_id: SIGNAL, revision: 2 },
    submission_id: EVENT,
  })
  expect(JSON.parse(row.body)).toMatchObject({ seq: '41', feed: idOf(20), signal: SIGNAL })
})

describe('what was placed before', () => {
  const known = (n: number, change: Partial<PlannedItem> = {}): Planned[] =>
    planItem({ ...told(), idx: BigInt(n) }, item(change), feedOf)
  const place = (seq: bigint, log_idx: bigint, revision = 2) => ({ seq, log_idx, signal_id: SIGNAL, revision })

  test('keeps its places, entry by entry and revision by revision', () => {
    const planned = [...known(7), ...known(8, { revision: 3 }), ...known(8, { revision: 4 })]
    const places = [place(31n, 7n), place(32n, 8n, 3), place(33n, 8n, 4)]
    expect(placedBefore(idOf(20), planned, places).map(({ seq, revision }) => [seq, revision])).toEqual([
      ...[
        [31n, 2],
        [32n, 3],
        [33n, 4],
      ],
    ])
  })
  test('needs a place for the end of what has left, and tells look-ups nothing of it', () => {
    const [left] = known(7, { item: text(B) })
    if (left === undefined) throw new Error('an end')
    expect(placedBefore(idOf(20), [left], [place(31n, 7n)])).toEqual([])
    expect(() => placedBefore(idOf(20), [left], [])).toThrow('lost log entry 7')
  })
  test('and is not there is a fault of the database', () => {
    expect(() => placedBefore(idOf(20), known(7), [place(31n, 6n), place(32n, 7n, 9)])).toThrow('lost log entry 7')
  })
})

describe('where signals stand last', () => {
  const row = (origin: Uuid, signal_id: Uuid, log_idx: bigint, revision: number): Placed => ({
    ...{ signal_key: Buffer.alloc(32), signal_id, origin, type: 1, profile: 'url/1', audience_id: A, revision },
    ...{ state: 1, expires_at: NOON, log_idx, feed_id: idOf(20), seq: log_idx },
  })
  test('is the highest place in the log, and there the highest revision, for each source by itself', () => {
    const rows = [row(APPLE, SIGNAL, 5n, 1), row(idOf(9), SIGNAL, 6n, 7), row(APPLE, SIGNAL, 6n, 2)]
    expect(newestOf([...rows, row(APPLE, SIGNAL, 6n, 3), row(APPLE, SIGNAL, 4n, 9)])).toEqual([
      row(APPLE, SIGNAL, 6n, 3),
      row(idOf(9), SIGNAL, 6n, 7),
    ])
  })
  test('does not depend on which feed of a submission was written first', () => {
    const [first, second] = [row(APPLE, SIGNAL, 6n, 1), row(APPLE, SIGNAL, 6n, 2)]
    expect(newestOf([second, first])).toEqual([second])
  })
  test('is one row for each source and signal, whatever comes', () => {
    const anyRow = fc
      .tuple(fc.nat(1), fc.nat(2), fc.nat(5))
      .map(([origin, id, idx]) => row(idOf(origin), idOf(50 + id), BigInt(idx), 1))
    fc.assert(
      fc.property(fc.array(anyRow), (rows) => {
        const names = newestOf(rows).map(({ origin, signal_id }) => `${origin}${signal_id}`)
        expect(new Set(names).size).toBe(names.length)
        expect(new Set(rows.map(({ origin, signal_id }) => `${origin}${signal_id}`))).toEqual(new Set(names))
      }),
      { numRuns: 100 },
    )
  })
})

describe('what was erased', () => {
  test('is in its place a stub without the source’s bytes, and nothing that look-ups keep', () => {
    const [only, ...more] = planItem(told(), item({ salt: null }), feedOf)
    expect(only).toEqual({
      feed_id: feedOf(A),
      event: {
        ...{ type: 'signal.revised', at: NOON, source: 'apple', origin: APPLE, signal_id: SIGNAL, revision: 2 },
        ...{ submission_id: EVENT, log_idx: 7n, reason: 'erased' },
      },
      shared: undefined,
    })
    expect(more).toEqual([])
  })
  test('has its end in the feed of each audience that ever held it', () => {
    const ends = planErased(told('erasure'), { signal_id: SIGNAL, revision: 2, audiences: [A, B] }, feedOf)
    expect(ends.map(({ feed_id, event: { type, reason }, shared }) => [feed_id, type, reason, shared])).toEqual([
      [feedOf(A), 'signal.erased', 'erased', undefined],
      [feedOf(B), 'signal.erased', 'erased', undefined],
    ])
  })
  test('and had run out before is an expiry that look-ups hear nothing of', () => {
    const ended = { ...item({ salt: null }), erased: true }
    expect(planEnd(told('signal.expired'), ended, feedOf)).toMatchObject({
      event: { type: 'signal.expired' },
      shared: undefined,
    })
  })
})

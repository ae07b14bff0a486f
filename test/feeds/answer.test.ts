import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  byKey,
  bySource,
  countKeys,
  type Entry,
  hitsOf,
  lookupBody,
  type Match,
  pageBody,
} from '../../src/feeds/answer.ts'
import type { Lookup } from '../../src/feeds/schema.ts'
import { SIGNAL_TYPE } from '../../src/signals/schema.ts'
import { aDigest, idOf } from '../signals/factory.ts'

const [APPLE, BANANA, FEED] = [idOf(1), idOf(2), idOf(3)]
const entry = (n: number, change: Partial<Entry> = {}): Entry => ({
  ...{ seq: BigInt(n), origin: APPLE, signal_id: idOf(100 + n), revision: 1, submission_id: idOf(200 + n) },
  body: `{"n":${n}}`,
  ...change,
})

describe('the body of a page', () => {
  test('is JSON of what was serialised before, in its order', () => {
    const rows = [entry(1), entry(2)]
    const body = pageBody({ rows, proofs: ['{"p":1}'], cursor: 'c-_', more: true })
    expect(JSON.parse(body)).toEqual({
      ...{ events: [{ n: 1 }, { n: 2 }], submissions: [{ p: 1 }], next_cursor: 'c-_', more: true },
    })
  })
  test('may hold nothing', () => {
    expect(JSON.parse(pageBody({ rows: [], proofs: [], cursor: '', more: false }))).toEqual({
      ...{ events: [], submissions: [], next_cursor: '', more: false },
    })
  })
})

describe('the body of a look-up', () => {
  test('has each match with its key, and each submission once', () => {
    const hits = [
      { key: 'aa', entry: entry(1, { submission_id: idOf(7) }) },
      { key: 'bb', entry: entry(2, { submission_id: idOf(8) }) },
      { key: 'aa', entry: entry(3, { submission_id: idOf(7) }) },
    ]
    const proofs = new Map([7, 8, 9].map((n) => [idOf(n), `{"p":${n}}`]))
    expect(JSON.parse(lookupBody({ hits, proofs }, { as_of: 2n ** 60n, asked: 5 }))).toEqual({
      ...{ as_of: String(2n ** 60n), asked: 5, submissions: [{ p: 7 }, { p: 8 }] },
      matches: [
        { key: 'aa', event: { n: 1 } },
        { key: 'bb', event: { n: 2 } },
        { key: 'aa', event: { n: 3 } },
      ],
    })
  })
  test('leaves out the proof of what the node said itself', () => {
    const body = lookupBody({ hits: [{ key: 'aa', entry: entry(1) }], proofs: new Map() }, { as_of: 0n, asked: 1 })
    expect(JSON.parse(body)).toMatchObject({ submissions: [], matches: [{ key: 'aa' }] })
  })
})

describe('hits', () => {
  const [one, two] = [aDigest(), aDigest()]
  const match = (key: string, n: number, change: Partial<Match> = {}): Match => ({
    ...{ signal_key: Buffer.from(key, 'hex'), type: SIGNAL_TYPE.url, profile: 'url/1', feed_id: FEED, seq: BigInt(n) },
    ...change,
  })
  const matches = [
    ...[match(one, 1), match(one, 2), match(two, 3)],
    ...[match(one, 4, { type: SIGNAL_TYPE.domain, profile: 'domain/1' }), match(one, 5, { profile: 'url/2' })],
  ]
  const seqs = (queries: Lookup['queries'], of: readonly Match[] = matches): number[] =>
    hitsOf(queries, byKey(of), ({ seq }) => entry(Number(seq))).map(({ entry: hit }) => Number(hit.seq))

  test('are alike in key, type and profile, in the order of the question', () => {
    const url = { type: 'url', profile: 'url/1' } as const
    expect(seqs([{ ...url, keys: [two, one] }])).toEqual([3, 1, 2])
    expect(
      seqs([
        { ...url, keys: [one] },
        { type: 'domain', profile: 'domain/1', keys: [one] },
      ]),
    ).toEqual([1, 2, 4])
    expect(seqs([{ type: 'domain', profile: 'url/1', keys: [one, two] }])).toEqual([])
    expect(seqs([{ type: 'url', profile: 'url/2', keys: [one] }])).toEqual([5])
    expect(seqs([{ ...url, keys: [aDigest()] }])).toEqual([])
    expect(seqs([{ ...url, keys: [one] }], [])).toEqual([])
  })
  test('without an event that may be seen are none', () => {
    const queries: Lookup['queries'] = [{ type: 'url', profile: 'url/1', keys: [one] }]
    const seen = hitsOf(queries, byKey(matches), ({ seq }) => (seq === 2n ? entry(2) : undefined))
    expect(seen).toEqual([{ key: one, entry: entry(2) }])
  })
  test('are asked for by as many keys as all queries have', () => {
    const query = (n: number) => ({ type: 'url' as const, profile: 'url/1', keys: Array.from({ length: n }, aDigest) })
    expect(countKeys({ queries: [query(3), query(4)] })).toBe(7)
  })
})

describe('sets by source', () => {
  test('hold every row once, each source in the order of the answer', () => {
    const party = fc.constantFrom(APPLE, BANANA)
    fc.assert(
      fc.property(fc.array(fc.tuple(party, fc.nat(9))), (drawn) => {
        const rows = drawn.map(([origin, revision], i) => entry(i, { origin, revision }))
        const sets = bySource(rows, (id) => (id === APPLE ? 'apple' : 'banana'))
        for (const [origin, slug] of [
          [APPLE, 'apple'],
          [BANANA, 'banana'],
        ] as const) {
          const own = rows.filter((row) => row.origin === origin)
          const items = own.map(({ signal_id, revision }) => ({ signal: signal_id, revision }))
          expect(sets.find((set) => set.party === slug)?.items ?? []).toEqual(items)
        }
        expect(new Set(sets.map((set) => set.party)).size).toBe(sets.length)
      }),
      { numRuns: 100 },
    )
  })
})

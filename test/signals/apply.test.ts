import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toBase64Url, utf8 } from '../../src/kernel/bytes.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { apply, type Judged, type Standing } from '../../src/signals/apply.ts'
import { SIGNAL_STATE, SIGNAL_TYPE } from '../../src/signals/schema.ts'
import { AUDIENCE, anItem, aWithdrawal, DAY, idOf, instantAt, NOON } from './factory.ts'

const EVENT = idOf(900)
const KEY = sha256(utf8('apple'))
const leafAt = (n: number): Uint8Array => sha256(utf8(`leaf ${n}`))
const leaves = Array.from({ length: 64 }, (_, i) => leafAt(i))

const signal = (n: number, revision = 1, prev?: Uint8Array, change: object = {}): Judged => ({
  ...{ outcome: 'signal', key: KEY, profile: 'url/1', category: 3, prev },
  item: anItem({ signal: idOf(n), revision, ...change }),
})
const withdrawal = (n: number, revision: number, prev: Uint8Array): Judged => ({
  ...{ outcome: 'withdrawal', prev },
  item: aWithdrawal({ signal: idOf(n), revision, prev: toBase64Url(prev) }),
})
const bad: Judged = { outcome: 'refused', code: 'tlp-refused', pointer: '/tlp' }

const standing = (n: number, change: Partial<Standing> = {}): [Uuid, Standing] => [
  idOf(n),
  {
    ...{ signal_id: idOf(n), signal_key: KEY, type: SIGNAL_TYPE.url, profile: 'url/1', category: 7 },
    ...{ audience_id: AUDIENCE, revision: 1, state: SIGNAL_STATE.live, leaf: leafAt(100), last_event: idOf(800) },
    expires_at: new Date(NOON.getTime() + DAY),
    ...change,
  },
]

const place = (items: readonly Judged[], before: [Uuid, Standing][] = []) =>
  apply(items, new Map(before), { event: EVENT, leaves, now: NOON })

describe('apply', () => {
  test('a created signal stands as its item says', () => {
    const { changed, accepted, revised, refused } = place([signal(1)])
    expect(changed.get(idOf(1))).toEqual({
      ...{ signal_id: idOf(1), signal_key: KEY, type: SIGNAL_TYPE.url, profile: 'url/1', category: 3, revision: 1 },
      ...{ audience_id: AUDIENCE, state: SIGNAL_STATE.live, leaf: leaves[0], last_event: EVENT },
      expires_at: new Date(instantAt(30 * DAY)),
    })
    expect({ accepted, revised, refused }).toEqual({
      ...{ accepted: [{ index: 0, signal_id: idOf(1), revision: 1 }], revised: false, refused: [] },
    })
  })
  test('a revision takes over audience, category and expiry', () => {
    const audience = idOf(2)
    const [id, before] = standing(1)
    const { changed, revised } = place([signal(1, 2, before.leaf, { audience })], [[id, before]])
    expect(changed.get(id)).toMatchObject({
      ...{ revision: 2, audience_id: audience, category: 3, state: SIGNAL_STATE.live, leaf: leaves[0] },
      expires_at: new Date(instantAt(30 * DAY)),
    })
    expect(revised).toBe(true)
  })
  test('a revision of a held signal is refused and changes nothing', () => {
    const [id, before] = standing(1, { state: SIGNAL_STATE.held })
    const { changed, refused } = place([signal(1, 2, before.leaf)], [[id, before]])
    expect(refused).toEqual([{ index: 0, code: 'signal-held', pointer: '/signal' }])
    expect(changed.size).toBe(0)
  })
  test('a withdrawal keeps everything but revision, leaf and state', () => {
    const [id, before] = standing(1)
    const { changed, revised } = place([withdrawal(1, 2, before.leaf)], [[id, before]])
    const { withdrawn: state } = SIGNAL_STATE
    expect(changed.get(id)).toEqual({ ...before, revision: 2, state, leaf: leaves[0], last_event: EVENT })
    expect(revised).toBe(false)
  })
  test('later items stand on what earlier ones of the same submission made', () => {
    const { accepted, changed } = place([signal(1), signal(1, 2, leafAt(0)), signal(1, 3, leafAt(1))])
    expect(accepted.map(({ revision }) => revision)).toEqual([1, 2, 3])
    expect(changed.get(idOf(1))).toMatchObject({ revision: 3, leaf: leafAt(2) })
    expect(changed.size).toBe(1)
  })
  test('a refused item changes nothing and stops no other', () => {
    const items = [signal(1), bad, signal(1, 2, leafAt(5)), signal(2), signal(1), signal(3, 2, leafAt(9))]
    const { accepted, refused, changed } = place(items)
    expect(accepted.map(({ index }) => index)).toEqual([0, 3])
    expect(refused).toEqual([
      { index: 1, code: 'tlp-refused', pointer: '/tlp' },
      { index: 2, code: 'revision-conflict', pointer: '/revision', detail: 'the current revision is 1' },
      { index: 4, code: 'revision-conflict', pointer: '/revision', detail: 'the current revision is 1' },
      { index: 5, code: 'revision-conflict', pointer: '/revision' },
    ])
    expect([...changed.keys()]).toEqual([idOf(1), idOf(2)])
    expect(changed.get(idOf(1))).toMatchObject({ revision: 1, leaf: leafAt(0) })
  })
  test.for([
    ['of what has ended', withdrawal(1, 3, leafAt(100)), { state: SIGNAL_STATE.withdrawn }, 'signal-ended', '/signal'],
    ['of another thing', signal(1, 2, leafAt(100)), { profile: 'domain/1' }, 'revision-conflict', '/value'],
    ['of what is unknown', withdrawal(4, 2, leafAt(100)), {}, 'not-found', '/signal'],
  ] as const)('an item %s is refused by name', ([, judged, change, code, pointer]) => {
    expect(place([judged], [standing(1, change)]).refused).toEqual([{ index: 0, code, pointer }])
  })
  test('a refusal keeps its detail', () => {
    const why: Judged = { ...bad, detail: 'because' }
    expect(place([why]).refused).toEqual([{ index: 0, code: 'tlp-refused', pointer: '/tlp', detail: 'because' }])
  })
  test('counts accepted items by type and category', () => {
    const ended: [Uuid, Standing] = standing(1)
    const { types, categories } = place([signal(5), signal(6), bad, signal(1), signal(7, 9, leafAt(0))], [ended])
    expect([[...types], [...categories]]).toEqual([[[SIGNAL_TYPE.url, 2]], [[3, 2]]])
    const end = place([withdrawal(1, 2, leafAt(100))], [standing(1)])
    expect([...end.categories]).toEqual([[7, 1]])
  })
  test('an item that has no leaf was never verified', () => {
    expect(() => apply([signal(1)], new Map(), { event: EVENT, leaves: [], now: NOON })).toThrow(RangeError)
  })
  test('accepted and refused together are all items, once each, in order', () => {
    const anyItem = fc.oneof(
      fc.constant(bad),
      fc.record({ n: fc.nat(3), revision: fc.integer({ min: 1, max: 4 }), prev: fc.option(fc.nat(20)) }),
    )
    fc.assert(
      fc.property(fc.array(anyItem, { maxLength: 20 }), (drawn) => {
        const items = drawn.map((one): Judged => {
          if ('outcome' in one) return one
          return signal(one.n, one.revision, one.prev === null ? undefined : leafAt(one.prev))
        })
        const { accepted, refused, changed } = place(items)
        const indices = [...accepted, ...refused].map(({ index }) => index)
        expect(indices.toSorted((a, b) => a - b)).toEqual(items.map((_, i) => i))
        for (const [id, { revision }] of changed) {
          const own = accepted.filter(({ signal_id }) => signal_id === id)
          expect(own.map((one) => one.revision)).toEqual(Array.from({ length: revision }, (_, i) => i + 1))
        }
      }),
      { numRuns: 200 },
    )
  })
})

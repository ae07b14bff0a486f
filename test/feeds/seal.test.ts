import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ENDS, type EventType } from '../../src/feeds/entry.ts'
import type { Planned } from '../../src/feeds/plan.ts'
import { CLEAR_KINDS, sealRound } from '../../src/feeds/seal.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { sealedKey } from '../../src/matching/sealed.ts'
import { SIGNAL_STATE } from '../../src/signals/schema.ts'
import { anItem, idOf, NOON, textOf } from '../signals/factory.ts'

const [FEED, AUDIENCE, APPLE, PEAR] = [idOf(20), idOf(10), idOf(1), idOf(2)]
const KEY = Buffer.alloc(32, 3)
const options = { categoryId: () => 7, nonce: () => new Uint8Array(12) }
const item = textOf(anItem({ audience: AUDIENCE }, 'email'))

function planned(type: EventType, signal_id: Uuid, { origin = APPLE, log_idx = 1n } = {}): Planned {
  const event = { type, at: NOON, source: 'apple', origin, signal_id, revision: 1, submission_id: idOf(30), log_idx }
  if (ENDS.has(type)) return { feed_id: FEED, event: { ...event, reason: 'expired' }, shared: undefined }
  const standing = { signal_key: KEY, signal_id, origin, type: 3, profile: 'email/1@spring', audience_id: AUDIENCE }
  return {
    feed_id: FEED,
    event: { ...event, signed: { index: 0, salt: 'c2FsdA', item, path: '' } },
    shared: { ...standing, revision: 1, state: SIGNAL_STATE.live, expires_at: NOON, log_idx },
  }
}
type Body = Record<string, string | undefined>
const bodiesOf = (of: ReturnType<typeof sealRound>): Body[] => of.entries.map(({ body }) => JSON.parse(body) as Body)
const place = (standing: { origin: Uuid; signal_id: Uuid; seq: bigint }[] = []) => ({
  ...{ feed_id: FEED, next_seq: 5n, standing },
})

describe('a round of a sealed feed', () => {
  test('hides what is live and shows what has ended', () => {
    const round = sealRound(
      [planned('signal.created', idOf(40)), planned('signal.expired', idOf(41))],
      place(),
      options,
    )
    const [live, ended] = bodiesOf(round)
    expect(Object.keys(live ?? {})).toEqual(['seq', 'type', 'at', 'feed', 'sealed'])
    expect(live).toMatchObject({ seq: '5', type: 'signal.sealed' })
    const entry = Buffer.from(live?.['sealed'] ?? '', 'base64url')
    expect(sealedKey(KEY, AUDIENCE).open('spring', entry)).toMatchObject({ signal: idOf(40), category: 7, handling: 1 })
    expect(ended).toMatchObject({ seq: '6', type: 'signal.expired', signal: idOf(41) })
    expect(round.kept).toMatchObject([{ signal_id: idOf(40), seq: 5n }])
    expect(round.kept[0]?.body).toContain(JSON.stringify(item))
  })
  test('takes another source’s signal of the same id for another', () => {
    const standing = [{ origin: PEAR, signal_id: idOf(40), seq: 2n }]
    const round = sealRound([planned('signal.expired', idOf(40))], place(standing), options)
    expect(bodiesOf(round)[0]).not.toHaveProperty('ends')
    expect(round.gone).toEqual([{ origin: APPLE, signal_id: idOf(40) }])
  })
  test('leaves a stub for what was erased before it came here, and takes its former entry away', () => {
    const { signed: _, ...event } = planned('signal.revised', idOf(40)).event
    const standing = [{ origin: APPLE, signal_id: idOf(40), seq: 2n }]
    const erased: Planned = { feed_id: FEED, event: { ...event, reason: 'erased' }, shared: undefined }
    const round = sealRound([erased], place(standing), options)
    expect(bodiesOf(round)).toEqual([
      { seq: '5', type: 'signal.sealed', at: NOON.toISOString(), feed: FEED, reason: 'erased', replaces: '2' },
    ])
    expect([round.kept, round.gone]).toEqual([[], [{ origin: APPLE, signal_id: idOf(40) }]])
  })
  test('hides what is held, names it to nobody, and seals it anew when the hold ends', () => {
    const { signed: _, ...event } = planned('signal.held', idOf(40)).event
    const held: Planned = { feed_id: FEED, event: { ...event, reason: 'disputed' }, shared: undefined }
    const all = [planned('signal.created', idOf(40)), held, planned('signal.released', idOf(40))]
    const round = sealRound(all, place(), options)
    const [, hidden, back] = bodiesOf(round)
    expect(hidden).toEqual({
      ...{ seq: '6', type: 'signal.sealed', at: NOON.toISOString(), feed: FEED, reason: 'disputed', replaces: '5' },
    })
    expect(Object.keys(back ?? {})).toEqual(['seq', 'type', 'at', 'feed', 'sealed'])
    expect(round.kept).toMatchObject([{ signal_id: idOf(40), seq: 7n }])
    expect(sealRound(all.slice(0, 2), place(), options)).toMatchObject({ kept: [], gone: [{ signal_id: idOf(40) }] })
  })
  test('refuses to seal what has no key or was signed by nobody', () => {
    const one = planned('signal.created', idOf(40))
    const { signed: _, ...unsigned } = one.event
    expect(() => sealRound([{ ...one, shared: undefined }], place(), options)).toThrow('no key')
    expect(() => sealRound([{ ...one, event: unsigned }], place(), options)).toThrow('nobody signed')
  })
  test('leaves a reader of its events with the entries of just the live signals, whatever happens', () => {
    const step = fc.record({
      type: fc.constantFrom<EventType>('signal.created', 'signal.revised', 'signal.withdrawn', 'signal.expired'),
      signal: fc.integer({ min: 40, max: 43 }),
      origin: fc.constantFrom(APPLE, PEAR),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.nat(30), (steps, cut) => {
        const all = steps.map(({ type, signal, origin }) => planned(type, idOf(signal), { origin }))
        const first = sealRound(all.slice(0, cut), { ...place(), next_seq: 1n }, options)
        const next_seq = BigInt(1 + first.entries.length)
        const second = sealRound(all.slice(cut), { ...place(), next_seq, standing: first.kept }, options)
        const held = new Set<string>()
        for (const { seq = '', sealed, replaces, ends } of [...bodiesOf(first), ...bodiesOf(second)]) {
          if (sealed !== undefined) held.add(seq)
          held.delete(replaces ?? ends ?? '')
        }
        const live = new Map<string, string>()
        for (const [i, { type, signal, origin }] of steps.entries()) {
          if (ENDS.has(type)) live.delete(`${origin} ${signal}`)
          else live.set(`${origin} ${signal}`, String(i + 1))
        }
        expect([...held].sort()).toEqual([...live.values()].sort())
      }),
    )
  })
})

test('the kinds in the clear are the ends', () => {
  expect([...CLEAR_KINDS].sort()).toEqual([3, 4, 7])
})

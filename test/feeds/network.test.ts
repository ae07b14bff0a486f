import { describe, expect, test } from 'vitest'
import { networkPage, relationRows, type SeenRelation, type SeenSignal } from '../../src/feeds/network.ts'
import type { Placed } from '../../src/feeds/plan.ts'
import { NETWORK_MEMBERS_MAX } from '../../src/feeds/schema.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { RELATION_NUMBER, SIGNAL_STATE, SIGNAL_TYPE } from '../../src/signals/schema.ts'
import { idOf, NOON } from '../signals/factory.ts'

const [APPLE, BANANA, CENTRE] = [idOf(1), idOf(2), idOf(1_000)]
const slugOf = (participant: Uuid): string => (participant === APPLE ? 'apple' : 'banana')
const at = (seconds: number): Date => new Date(NOON.getTime() + 1_000 * seconds)

const aSignal = (signal_id: Uuid, origin = APPLE, change: Partial<SeenSignal> = {}): SeenSignal => ({
  ...{ signal_id, origin, type: SIGNAL_TYPE.email, revision: 1, log_idx: 1n },
  ...change,
})
const aRelation = (n: number, other_id: Uuid, change: Partial<SeenRelation> = {}): SeenRelation => ({
  ...{ relation_id: idOf(n), other_id, origin: APPLE, outward: true, kind: RELATION_NUMBER.pays, revision: 1 },
  ...{ observed_at: at(n), log_idx: 2n },
  ...change,
})
const pageOf = (relations: readonly SeenRelation[], signals: readonly SeenSignal[], after?: Uuid) =>
  networkPage({ signal: CENTRE, relations, hub: false, signals: [aSignal(CENTRE), ...signals] }, { after, slugOf })

describe('a relation', () => {
  const placed: Placed = {
    ...{ signal_key: Buffer.alloc(32), signal_id: idOf(5), origin: APPLE, type: SIGNAL_TYPE.relation, revision: 3 },
    ...{ profile: 'relation', audience_id: idOf(9), state: SIGNAL_STATE.live, expires_at: at(60), log_idx: 7n },
    ...{ feed_id: idOf(8), seq: 1n },
    stated: { kind: RELATION_NUMBER.advertises, from: idOf(11), to: idOf(12), observed_at: at(0) },
  }
  test('stands at each of its ends, with the other one and which of them it goes out from', () => {
    const row = {
      ...{ relation_id: idOf(5), origin: APPLE, kind: 3, audience_id: idOf(9), revision: 3, state: 1, log_idx: 7n },
      ...{ observed_at: at(0), expires_at: at(60) },
    }
    expect(relationRows(placed)).toEqual([
      { ...row, signal_id: idOf(11), other_id: idOf(12), outward: true },
      { ...row, signal_id: idOf(12), other_id: idOf(11), outward: false },
    ])
  })
  test('is what a signal of another type is not', () => {
    expect(relationRows({ ...placed, stated: undefined })).toEqual([])
  })
})

describe('a network', () => {
  test('is nothing around a signal that may not be seen, whatever is stated of it', () => {
    const seen = { signal: CENTRE, relations: [aRelation(1, idOf(50))], hub: false, signals: [aSignal(idOf(50))] }
    expect(networkPage(seen, { after: undefined, slugOf })).toBeUndefined()
  })
  test('tells who has a signal, what it is tied by, when that was seen and who states it', () => {
    const relations = [
      aRelation(3, idOf(50)),
      aRelation(2, idOf(50), { origin: BANANA, revision: 4 }),
      aRelation(4, idOf(50), { outward: false }),
      aRelation(5, idOf(50), { kind: RELATION_NUMBER.same_account }),
    ]
    const signals = [aSignal(idOf(50), BANANA, { revision: 2 }), aSignal(idOf(50), APPLE, { type: SIGNAL_TYPE.ip })]
    const page = pageOf(relations, signals)
    const instant = (n: number) => at(n).toISOString()
    expect(page?.network).toEqual({
      ...{ signal: CENTRE, signals: [{ source: 'apple', type: 'email', revision: 1 }], hub: false, next: null },
      members: [
        {
          signal: idOf(50),
          signals: [
            { source: 'apple', type: 'ip', revision: 1 },
            { source: 'banana', type: 'email', revision: 2 },
          ],
          relations: [
            {
              ...{ relation: 'same_account', direction: 'out', first_seen: instant(5), last_seen: instant(5) },
              stated_by: [{ source: 'apple', signal: idOf(5), revision: 1 }],
            },
            {
              ...{ relation: 'pays', direction: 'out', first_seen: instant(2), last_seen: instant(3) },
              stated_by: [
                { source: 'apple', signal: idOf(3), revision: 1 },
                { source: 'banana', signal: idOf(2), revision: 4 },
              ],
            },
            {
              ...{ relation: 'pays', direction: 'in', first_seen: instant(4), last_seen: instant(4) },
              stated_by: [{ source: 'apple', signal: idOf(4), revision: 1 }],
            },
          ],
        },
      ],
    })
    expect(page?.given).toHaveLength(1 + 2 + 4)
  })
  test('has no half of a pair: neither a relation nor its id without the other end', () => {
    const page = pageOf([aRelation(1, idOf(50)), aRelation(2, idOf(51))], [aSignal(idOf(51))])
    expect(page?.network.members.map(({ signal }) => signal)).toEqual([idOf(51)])
    expect(page?.given.map(({ signal_id }) => signal_id)).toEqual([CENTRE, idOf(51), idOf(2)])
  })
  test('gives out once what is a member and states something, too', () => {
    const relations = [aRelation(50, idOf(60)), aRelation(2, idOf(50))]
    const page = pageOf(relations, [aSignal(idOf(50)), aSignal(idOf(60))])
    expect(page?.given.map(({ signal_id }) => signal_id)).toEqual([CENTRE, idOf(50), idOf(2), idOf(60)])
  })
  test('comes in pages of 50 members by rising id, each once', () => {
    const ids = Array.from({ length: 2 * NETWORK_MEMBERS_MAX + 7 }, (_, i) => idOf(2_000 + i))
    const relations = ids.toReversed().map((id, i) => aRelation(i, id))
    const signals = ids.map((id) => aSignal(id))
    const told: Uuid[] = []
    const sizes: number[] = []
    let after: Uuid | undefined
    do {
      const page = pageOf(relations, signals, after)
      if (page === undefined) throw new Error('no page')
      told.push(...page.network.members.map(({ signal }) => signal))
      sizes.push(page.network.members.length)
      after = page.network.next ?? undefined
    } while (after !== undefined)
    expect(told).toEqual(ids.toSorted())
    expect(sizes).toEqual([50, 50, 7])
    const whole = ids.toSorted().slice(0, NETWORK_MEMBERS_MAX)
    expect(
      pageOf(
        relations.filter(({ other_id }) => whole.includes(other_id)),
        signals,
      )?.network.next,
    ).toBeNull()
  })
})

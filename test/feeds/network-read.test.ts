import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createNetworks } from '../../src/feeds/network-read.ts'
import { type NetworkResult, RELATIONS_MAX } from '../../src/feeds/schema.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { RELATION, type SignalItem } from '../../src/signals/schema.ts'
import { readSays } from '../provenance/disclosures.ts'
import { type Change, DAY, instantAt } from '../signals/factory.ts'
import { aWorld, type Party, type World } from './world.ts'

let w: World
let apple: Party
let banana: Party
let cherry: Party
/** Audiences of all three, of apple and banana, and of banana and cherry. */
let all: Uuid
let pair: Uuid
let other: Uuid

const ROUTE = '/v1/signals/:signal/network'

beforeAll(async () => {
  w = await aWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  cherry = await w.admit('cherry')
  all = (await w.group('all', [apple, banana, cherry])).audience
  pair = (await w.group('pair', [apple, banana])).audience
  other = (await w.group('other', [banana, cherry])).audience
})
afterAll(() => w.end())
beforeEach(() => w.pass(1_000))

const ask = async (by: Party, signal: Uuid, after?: Uuid) => {
  const { body, read } = await w.feeds.network(w.reader(by, ROUTE), { signal, after })
  return { network: JSON.parse(body) as NetworkResult, read }
}
/** Every page of it; undefined where there is no such signal. */
async function wholeOf(by: Party, signal: Uuid): Promise<Omit<NetworkResult, 'as_of' | 'next'> | undefined> {
  const members: NetworkResult['members'] = []
  let after: Uuid | undefined
  for (;;) {
    try {
      const { as_of: _, next, ...page } = (await ask(by, signal, after)).network
      members.push(...page.members)
      if (next === null) return { ...page, members }
      after = next
    } catch (error) {
      if ((error as { code?: string }).code === 'not-found') return undefined
      throw error
    }
  }
}
const membersOf = async (by: Party, signal: Uuid): Promise<Uuid[]> =>
  (await ask(by, signal)).network.members.map((member) => member.signal)

const stated = (from: Uuid, to: Uuid, audience: Uuid, change: object = {}) =>
  w.item({ audience, value: { relation: 'pays', from, to }, ...change }, 'relation')

/** Two signals of apple, tied by it, in audiences of its choice. */
async function aTie(audiences: { from?: Uuid; to?: Uuid; relation?: Uuid } = {}) {
  const from = w.item({ audience: audiences.from ?? pair }, 'email')
  const to = w.item({ audience: audiences.to ?? pair }, 'payment_handle')
  const relation = stated(from.signal, to.signal, audiences.relation ?? pair)
  await w.submit(apple, [from, to, relation])
  await w.project()
  return { from, to, relation }
}

/** What the journal says of a read. */
async function readOf(by: Party, read: string): Promise<Record<string, unknown>[]> {
  const [name = ''] = read.split(' ')
  await w.provenance.journal.flush(by.participant, by.slug)
  const inner = await w.provenance.journal.inner(by.participant, name)
  if (inner === undefined || inner === 'waiting') throw new Error('no record of the read')
  return readSays(inner.opened).map(({ name: field, value }) => ({ [field]: value }))
}

describe('a network', () => {
  test('is the same from both ends, and says in which way the relation goes', async () => {
    const { from, to, relation } = await aTie()
    const link = (direction: string) => ({
      ...{ relation: 'pays', direction, stated_by: [{ source: 'apple', signal: relation.signal, revision: 1 }] },
      ...{ first_seen: new Date(relation.observed_at).toISOString() },
      last_seen: new Date(relation.observed_at).toISOString(),
    })
    expect((await ask(banana, from.signal)).network).toMatchObject({
      ...{ signal: from.signal, signals: [{ source: 'apple', type: 'email', revision: 1 }], hub: false, next: null },
      members: [
        {
          ...{ signal: to.signal, signals: [{ source: 'apple', type: 'payment_handle', revision: 1 }] },
          relations: [link('out')],
        },
      ],
    })
    expect((await ask(banana, to.signal)).network.members).toMatchObject([
      { signal: from.signal, relations: [link('in')] },
    ])
  })

  test('is recorded first, with what it gave out of each source, and with what it was answered from', async () => {
    const { from, to } = await aTie()
    await w.submit(banana, [stated(to.signal, from.signal, pair)])
    await w.project()
    const { network, read } = await ask(banana, from.signal)
    const told = await readOf(banana, read)
    expect(told).toEqual(
      expect.arrayContaining([
        { route: ROUTE },
        { n: 4 },
        { as_of: { log: network.as_of } },
        { source: expect.objectContaining({ party: 'apple', n: 3 }) },
        { source: expect.objectContaining({ party: 'banana', n: 1 }) },
      ]),
    )
    const first = network.members[0]?.relations.flatMap(({ stated_by }) => stated_by.map(({ source }) => source))
    expect(first?.toSorted()).toEqual(['apple', 'banana'])
  })

  test.for([
    ['the relation', { relation: 'other' }],
    ['the signal that was asked for', { from: 'other' }],
    ['the other signal', { to: 'other' }],
  ] as const)('tells nothing to whom %s is not shown', async ([what, hidden]) => {
    const of = { all, pair, other }
    const named = Object.fromEntries(Object.entries(hidden).map(([end, name]) => [end, of[name]]))
    // Apple shares nothing with cherry alone: banana does.
    const [from, to] = [w.item({ audience: named['from'] ?? pair }), w.item({ audience: named['to'] ?? pair })]
    const relation = stated(from.signal, to.signal, named['relation'] ?? pair)
    await w.submit(banana, [from, to, relation])
    await w.project()
    expect(await membersOf(banana, from.signal)).toEqual([to.signal])
    const asked = ask(apple, from.signal)
    if (what === 'the signal that was asked for') await expect(asked).rejects.toMatchObject({ code: 'not-found' })
    else expect((await asked).network.members).toEqual([])
  })

  test('of what is another’s, has ended or never was is one and the same refusal, and nothing is recorded', async () => {
    const { from } = await aTie()
    const ended = w.item({ audience: pair })
    await w.submit(apple, [ended])
    await w.project()
    await w.withdraw(apple, ended.signal)
    await w.project()
    const refusal = (by: Party, signal: Uuid) =>
      ask(by, signal).catch((error: Error) => ({ ...error, message: error.message }))
    const journal = () => w.t.owner.selectFrom('read_journal').select('journal_id').execute()
    const before = await journal()
    const never = await refusal(cherry, newId(w.now()))
    expect(never).toMatchObject({ code: 'not-found' })
    expect(await refusal(cherry, from.signal)).toEqual(never)
    expect(await refusal(banana, ended.signal)).toEqual(never)
    expect(await journal()).toEqual(before)
  })

  test('of a sealed audience is never told: what it holds is opened one by one', async () => {
    const { audience } = await w.group(`sealed-${newId(w.now()).slice(-6)}`, [apple, banana], 'sealed')
    const [hidden, shown] = [w.item({ audience }, 'email'), w.item({ audience: pair })]
    await w.submit(apple, [hidden, shown, stated(shown.signal, hidden.signal, pair)])
    await w.project()
    expect(await membersOf(banana, shown.signal)).toEqual([])
    await expect(ask(banana, hidden.signal)).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('a relation is gone', () => {
  const gone = async (from: Uuid): Promise<void> => {
    await w.project()
    expect(await membersOf(banana, from)).toEqual([])
  }

  test('when it is withdrawn', async () => {
    const { from, relation } = await aTie()
    await w.withdraw(apple, relation.signal)
    await gone(from.signal)
  })
  test('when the other end is withdrawn', async () => {
    const { from, to } = await aTie()
    await w.withdraw(apple, to.signal)
    await gone(from.signal)
  })
  test.for(['relation', 'end'] as const)('when the %s is over, even before that is recorded', async (what) => {
    const soon = { expires_at: instantAt(60_000, w.now()) }
    const [from, to] = [w.item({ audience: pair }), w.item({ audience: pair, ...(what === 'end' ? soon : {}) })]
    await w.submit(apple, [from, to, stated(from.signal, to.signal, pair, what === 'relation' ? soon : {})])
    await w.project()
    expect(await membersOf(banana, from.signal)).toEqual([to.signal])
    w.pass(61_000)
    expect(await membersOf(banana, from.signal)).toEqual([])
    await w.expire(apple.participant, 'apple')
    await gone(from.signal)
  })
  test('when it goes to another audience', async () => {
    const { from, relation } = await aTie({ from: all, to: all, relation: all })
    expect(await membersOf(cherry, from.signal)).toHaveLength(1)
    await w.revise(apple, relation, { audience: pair })
    await w.project()
    expect(await membersOf(cherry, from.signal)).toEqual([])
    expect(await membersOf(banana, from.signal)).toHaveLength(1)
  })
  test('for whoever has left the audience', async () => {
    const slug = `parting-${newId(w.now()).slice(-6)}`
    const { audience } = await w.group(slug, [apple, banana])
    const { from } = await aTie({ relation: audience })
    expect(await membersOf(banana, from.signal)).toHaveLength(1)
    await w.regroup(slug, { leave: [banana] })
    expect(await membersOf(banana, from.signal)).toEqual([])
    expect(await membersOf(apple, from.signal)).toHaveLength(1)
  })
  test('from the rows, at both ends, when it is erased', async () => {
    const { from, to, relation } = await aTie()
    const rows = () =>
      w.t.owner.selectFrom('shared_relation').select('signal_id').where('relation_id', '=', relation.signal).execute()
    expect((await rows()).map(({ signal_id }) => signal_id).sort()).toEqual([from.signal, to.signal].sort())
    await w.decide('signals.erase', { participant: 'apple', signals: [relation.signal], basis: 'subject_request' })
    expect(await rows()).toEqual([])
    await gone(from.signal)
    await sql`update projector set next_idx = 0`.execute(w.t.owner)
    const again = w.aProjector()
    while ((await again.round()) > 0);
    expect(await rows()).toEqual([])
  })
})

test('rows are the same after a projector began again, and a late one changes nothing', async () => {
  const { from, relation } = await aTie()
  await w.revise(apple, relation, { observed_at: instantAt(-2 * DAY, w.now()) })
  await w.project()
  const rows = () =>
    w.t.owner.selectFrom('shared_relation').selectAll().orderBy('signal_id').orderBy('relation_id').execute()
  const before = await rows()
  await sql`update projector set next_idx = 0`.execute(w.t.owner)
  // Until it has caught up no answer could say how far the log was looked at.
  await expect(ask(banana, from.signal)).rejects.toMatchObject({ code: 'busy', retryAfter: 1 })
  const again = w.aProjector()
  while ((await again.round()) > 0);
  expect(await rows()).toEqual(before)
  expect(before.filter(({ relation_id }) => relation_id === relation.signal)).toMatchObject([
    { revision: 2 },
    { revision: 2 },
  ])
})

test('a revision states what the relation always did', async () => {
  const { to, relation } = await aTie()
  const value = { ...relation.value, from: newId(w.now()), to: to.signal }
  expect((await w.revise(apple, relation, { value })).results).toMatchObject([
    { status: 409, code: 'revision-conflict', pointer: '/value' },
  ])
})

describe('a signal with more relations than a network is made of', () => {
  /** A signal with so many relations to one other. */
  async function withRelations(n: number, by: Party, audience: Uuid) {
    const [hub, far] = [w.item({ audience: all }), w.item({ audience: all })]
    const relations = Array.from({ length: n }, () => stated(hub.signal, far.signal, audience))
    await w.submit(apple, [hub, far])
    await w.submit(by, relations)
    await w.project()
    return { hub, far }
  }

  test('is named as a hub and not expanded, from one on above the limit', async () => {
    const { hub, far } = await withRelations(RELATIONS_MAX, banana, other)
    expect((await ask(banana, hub.signal)).network).toMatchObject({ hub: false, members: [{ signal: far.signal }] })
    await w.submit(banana, [stated(far.signal, hub.signal, other)])
    await w.project()
    const { network, read } = await ask(cherry, hub.signal)
    expect(network).toMatchObject({ hub: true, members: [], next: null, signals: [{ source: 'apple' }] })
    expect(await readOf(cherry, read)).toContainEqual({ n: 1 })
    // Of what is stated among others one's own view is not a hub.
    expect((await ask(apple, hub.signal)).network).toMatchObject({ hub: false, members: [] })
  })
})

/** The plain rule, over everything that was ever submitted. */
interface Fact {
  item: SignalItem
  origin: Party
  /** Withdrawn in the end. */
  gone: boolean
  revised: boolean
}

interface Plan {
  by: number
  audience: number
  end: string
}

type AChange = Change & { revised?: boolean }

describe('the answer to each member', () => {
  const seen = (by: Party, { item, origin, gone }: Fact, memberOf: ReadonlyMap<Uuid, readonly Party[]>): boolean =>
    !gone &&
    Date.parse(item.expires_at) > w.now().getTime() &&
    (origin === by || (memberOf.get(item.audience) ?? []).includes(by))

  function expected(by: Party, signal: Uuid, facts: readonly Fact[], memberOf: ReadonlyMap<Uuid, readonly Party[]>) {
    const mine = facts.filter((fact) => seen(by, fact, memberOf))
    const at = (id: Uuid) =>
      mine
        .filter(({ item }) => item.signal === id)
        .map(({ item, origin }) => ({ source: origin.slug, type: item.type, revision: item.revision }))
        .sort((a, b) => (a.source < b.source ? -1 : 1))
    if (at(signal).length === 0) return undefined
    const ties = mine.flatMap(({ item, origin }) => {
      if (item.type !== 'relation') return []
      const { relation, from, to } = item.value
      if (from !== signal && to !== signal) return []
      const [end, direction] = from === signal ? [to, 'out'] : [from, 'in']
      return at(end).length === 0 ? [] : [{ end, direction, relation, item, source: origin.slug }]
    })
    const members = [...new Set(ties.map(({ end }) => end))].sort().map((end) => ({
      signal: end,
      signals: at(end),
      relations: RELATION.flatMap((relation) =>
        ['out', 'in'].flatMap((direction) => {
          const own = ties.filter((tie) => tie.end === end && tie.relation === relation && tie.direction === direction)
          if (own.length === 0) return []
          const times = own.map(({ item }) => new Date(item.observed_at).toISOString()).sort()
          return {
            ...{ relation, direction, first_seen: times[0], last_seen: times.at(-1) },
            stated_by: own
              .map(({ source, item: { signal: id, revision } }) => ({ source, signal: id, revision }))
              .sort((a, b) => (`${a.source} ${a.signal}` < `${b.source} ${b.signal}` ? -1 : 1)),
          }
        }),
      ),
    }))
    return { signal, signals: at(signal), hub: false, members }
  }

  const n = fc.nat({ max: 5 })
  const aPlan = fc.record({ by: n, audience: n, end: fc.constantFrom('no', 'no', 'no', 'withdrawn', 'over') })
  const world = fc.record({
    signals: fc.array(fc.record({ plan: aPlan, same: fc.boolean() }), { minLength: 2, maxLength: 6 }),
    relations: fc.array(
      fc.record({ plan: aPlan, from: n, to: n, kind: n, days: fc.nat({ max: 20 }), rare: fc.nat({ max: 3 }) }),
      { maxLength: 12 },
    ),
  })
  const pick = <T>(list: readonly T[], i: number): T => list[i % list.length] as T

  /** Submitted, revised and withdrawn as planned, and carried over. */
  async function carry(facts: readonly Fact[]): Promise<void> {
    for (const [origin, own] of Map.groupBy(facts, (fact) => fact.origin)) {
      const items = own.map(({ item }) => item)
      expect((await w.submit(origin, items)).accepted).toBe(items.length)
    }
    for (const fact of facts.filter(({ revised }) => revised)) {
      const change = { audience: all, observed_at: instantAt(-DAY, w.now()) }
      await w.revise(fact.origin, fact.item, change)
      fact.item = { ...fact.item, ...change, revision: 2 } as SignalItem
    }
    for (const { origin, item } of facts.filter(({ gone }) => gone)) await w.withdraw(origin, item.signal)
    await w.project()
  }

  test('is the plain rule over what that member may see', async () => {
    const memberOf = new Map([
      [all, [apple, banana, cherry]],
      [pair, [apple, banana]],
      [other, [banana, cherry]],
    ])
    const parties = [apple, banana, cherry]
    await fc.assert(
      fc.asyncProperty(world, async ({ signals, relations }) => {
        w.pass(1_000)
        const facts: Fact[] = []
        const add = (type: 'email' | 'relation', plan: Plan, { revised = false, ...change }: AChange): void => {
          const origin = pick(parties, plan.by)
          const chosen = pick([all, pair, other], plan.audience)
          const audience = (memberOf.get(chosen) ?? []).includes(origin) ? chosen : all
          const over = plan.end === 'over' ? { expires_at: instantAt(60_000, w.now()) } : {}
          const item = w.item({ audience, ...over, ...change }, type)
          facts.push({ item, origin, gone: plan.end === 'withdrawn', revised })
        }
        for (const { plan, same } of signals) {
          // What another source calls by an id that is known is another signal.
          const known = same ? facts.at(-1)?.item.signal : undefined
          const taken = facts.some(({ item, origin }) => item.signal === known && origin === pick(parties, plan.by))
          add('email', plan, known === undefined || taken ? {} : { signal: known })
        }
        const ids = [...new Set(facts.map(({ item }) => item.signal)), newId(w.now())]
        for (const { plan, from: a, to: b, kind, days, rare } of relations) {
          const [from, to] = [pick(ids, a), pick(ids, b)]
          const observed_at = instantAt(-days * DAY, w.now())
          const value = { relation: pick(RELATION, kind), from, to }
          if (from !== to) add('relation', plan, { value, observed_at, revised: rare === 0 })
        }
        await carry(facts)
        w.pass(61_000)
        for (const by of parties)
          for (const id of ids) expect(await wholeOf(by, id)).toEqual(expected(by, id, facts, memberOf))
      }),
      { numRuns: 8 },
    )
  })
})

test('a network that takes the database too long is refused, not waited for', async () => {
  const { from } = await aTie()
  const hurried = createNetworks({
    ...{ db: w.t.app, clock: w.clock, provenance: w.provenance, directory: w.authority, timeoutMs: 50 },
  })
  await w.t.owner.transaction().execute(async (tx) => {
    await sql`lock table shared_relation in access exclusive mode`.execute(tx)
    await expect(hurried(w.reader(banana, ROUTE), { signal: from.signal })).rejects.toMatchObject({ code: 'busy' })
  })
})

import fc from 'fast-check'
import { sql } from 'kysely'
import { expect } from 'vitest'
import { ensureEpochKeys } from '../../../src/core.ts'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { CASE_STATE } from '../../../src/review/transition.ts'
import type { SignalItem } from '../../../src/signals/schema.ts'
import type { Party } from '../../feeds/world.ts'
import { GRACE_MS, type ReviewWorld } from '../world.ts'
import * as model from './model.ts'

/** The database, and one case of it. */
export interface Real {
  w: ReviewWorld
  source: Party
  recipient: Party
  other: Party
  item: SignalItem
  id: Uuid
}

type Model = model.Model
type Command = fc.AsyncCommand<Model, Real>

const ANALYSTS = ['ann', 'bob', 'cat'] as const
const LEAD = 'lea'
const VERDICTS = {
  confirmed_action_taken: 'own_policy',
  outdated: 'inactive',
  not_violating: 'policy_differs',
  needs_information: 'context',
} as const
type Verdict = keyof typeof VERDICTS

const codeOf = async (work: () => Promise<unknown>): Promise<string> =>
  work().then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

/** A step of the model and of the database that must end alike; afterwards both must say the same. */
const command = (
  name: string,
  run: (m: Model, r: Real) => Promise<unknown>,
  check: (m: Model) => boolean = () => true,
): Command => ({
  check,
  run: async (m, r) => {
    await run(m, r)
    await expectSame(m, r)
  },
  toString: () => name,
})

const who = fc.constantFrom(...ANALYSTS, LEAD)
const by = ({ w, recipient }: Real, name: string) => w.as(recipient, name, name === LEAD)

const claiming = who.map((name) =>
  command(`${name} claims`, async (m, r) => {
    const said = model.claim(m, name, name === LEAD)
    const done = await r.w.review.claim(by(r, name), r.id).then(
      (lease) => {
        model.claimed(m, name, lease.token)
        return 'done'
      },
      (error: { code?: string; message: string }) => error.code ?? error.message,
    )
    expect(done).toBe(said)
  }),
)

/** Two at once: one of them has it, whoever it is. */
const racing = fc.constantFrom(['ann', 'bob'] as const, ['bob', 'cat'] as const).map(([a, b]) =>
  command(
    `${a} and ${b} claim at once`,
    async (m, r) => {
      const both = await Promise.allSettled([a, b].map((name) => r.w.review.claim(by(r, name), r.id)))
      const won = both.flatMap((one, i) =>
        one.status === 'fulfilled' ? [{ name: i === 0 ? a : b, ...one.value }] : [],
      )
      expect(won).toHaveLength(1)
      for (const { name, token } of won) model.claimed(m, name, token)
    },
    (m) => m.state === 'open' && (m.lease === undefined || m.lease.until <= m.now),
  ),
)

const verdict = fc.constantFrom(...(Object.keys(VERDICTS) as Verdict[]))

async function decide(m: Model, r: Real, { name, verdict }: { name: string; verdict: Verdict }): Promise<void> {
  const [grip, closed, version] = [m.grips.get(name), m.state === 'closed', m.version]
  if (grip === undefined) throw new Error('nobody decides what nobody claimed')
  const id = newId(r.w.now())
  const said = model.decide(m, name, { id, verdict })
  const request = { decision: id, ...(closed ? { version } : grip), verdict, reason: VERDICTS[verdict] }
  const asked = () => r.w.review.decide(by(r, name), r.id, request)
  expect(await codeOf(asked)).toBe(said)
  // The same again changes nothing.
  if (said === 'done') expect(await codeOf(asked)).toBe('done')
}

const deciding = fc.tuple(who, verdict).map(([name, verdict]) =>
  command(
    `${name} decides ${verdict}`,
    (m, r) => decide(m, r, { name, verdict }),
    (m) => m.grips.has(name),
  ),
)

/** As it mostly goes. */
const working = fc.tuple(who, verdict).map(([name, verdict]) =>
  command(
    `${name} claims and decides ${verdict}`,
    async (m, r) => {
      const { token } = await r.w.review.claim(by(r, name), r.id)
      model.claim(m, name, true)
      model.claimed(m, name, token)
      await decide(m, r, { name, verdict })
    },
    (m) => m.state === 'open' && (m.lease === undefined || m.lease.until <= m.now || name === LEAD),
  ),
)

const answering = fc
  .tuple(who, fc.constantFrom('approve' as const, 'deny' as const, 'retract' as const))
  .map(([name, what]) =>
    command(
      `${name} answers ${what}`,
      async (m, r) => {
        const decision = model.last(m)?.id ?? ('' as Uuid)
        const said = model.answer(m, name, what)
        const answer = { operator: name, answer: what }
        expect(await codeOf(() => r.w.review.second(by(r, name), { case: r.id, decision }, answer))).toBe(said)
      },
      (m) => model.last(m) !== undefined,
    ),
  )

const undoing = who.map((name) =>
  command(
    `${name} undoes`,
    async (m, r) => {
      const decision = model.last(m)?.id ?? ('' as Uuid)
      const said = model.undo(m)
      expect(await codeOf(() => r.w.review.undo(by(r, name), { case: r.id, decision }))).toBe(said)
    },
    (m) => model.last(m) !== undefined,
  ),
)

const holding = who.map((name) =>
  command(
    `${name} parks`,
    async (m, r) => {
      const grip = m.grips.get(name)
      if (grip === undefined) throw new Error('nobody parks what nobody claimed')
      const said = model.hold(m, name)
      const request = { ...grip, reason: 'awaiting_expert', hours: 24 }
      expect(await codeOf(() => r.w.review.hold(by(r, name), r.id, request))).toBe(said)
    },
    (m) => m.grips.has(name),
  ),
)

const resuming = who.map((name) =>
  command(`${name} resumes`, async (m, r) => {
    const version = m.version
    const said = model.resume(m)
    expect(await codeOf(() => r.w.review.resume(by(r, name), r.id, version))).toBe(said)
  }),
)

const MINUTE_MS = 60_000
/** With the keys of the month that it may have become, as the node's own loop makes them. */
const pass = async (m: Model, r: Real, ms: number): Promise<void> => {
  r.w.pass(ms)
  m.now += ms
  await ensureEpochKeys(r.w.keys, r.w.now())
}
const passing = fc
  .constantFrom(1_000, GRACE_MS, 15 * MINUTE_MS, 24 * 60 * MINUTE_MS)
  .map((ms) => command(`${ms / 1_000} s pass`, (m, r) => pass(m, r, ms)))

const round = async (m: Model, r: Real): Promise<void> => {
  model.round(m)
  model.follow(m)
  await r.w.releaseRound()
  await r.w.settle()
}

/** The grace of whatever was decided is over. */
const settling = fc.constant(
  command(
    'the grace passes and the loop goes round',
    async (m, r) => {
      await pass(m, r, GRACE_MS)
      await round(m, r)
    },
    (m) => m.state === 'decided',
  ),
)

const releasing = fc.constant(command('the loop goes round', round))

/** Killed between the decision and its release: nothing of the release is there, and the next round makes it whole. */
const crashing = fc.constant(
  command(
    'the loop is killed, and goes round again',
    async (m, r) => {
      await r.w.without('insert on feedback', 'aldis_app', async () => expect(r.w.releaseRound()).rejects.toThrow())
      await expectSame(m, r)
      await round(m, r)
    },
    (m) => m.state === 'decided' && (model.last(m)?.releaseAt ?? Number.POSITIVE_INFINITY) <= m.now,
  ),
)

const hitting = fc.oneof(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 3, max: 9 })).map((more) =>
  command(
    `${more} more hits`,
    async (m, r) => {
      const count = m.hits + more
      model.hit(m, count)
      await r.w.hit(r.recipient, r.source, r.item, count)
    },
    (m) => !m.ended && m.state !== 'void',
  ),
)

const disputing = fc.constant(
  command(
    'another disputes',
    async (m, r) => {
      const { w, source, other, item } = r
      model.follow(m)
      model.dispute(m)
      await w.object(other, { ...w.about(source, item), dispute: newId(w.now()), ground: 'false_match' })
      await w.settle()
    },
    (m) => !m.disputed && !m.ended && m.state !== 'void',
  ),
)

const withdrawing = fc.constant(
  command(
    'the source withdraws',
    async (m, r) => {
      model.withdraw(m)
      await r.w.withdraw(r.source, r.item.signal)
      await r.w.settle()
    },
    (m) => !m.ended && m.state !== 'void',
  ),
)

/** Often what makes a case go on, seldom what ends it. */
export const commands = (length: number): fc.Arbitrary<Command[]> =>
  fc.array(
    fc.oneof(
      ...(
        [
          [working, 8],
          [settling, 8],
          [answering, 6],
          [deciding, 3],
          [claiming, 3],
          [passing, 3],
          [undoing, 2],
          [releasing, 2],
          [crashing, 2],
          [hitting, 6],
          [holding, 2],
          [resuming, 1],
          [racing, 1],
          [disputing, 1],
        ] as const
      ).map(([arbitrary, weight]) => ({ arbitrary, weight })),
      { arbitrary: withdrawing, weight: 1 },
    ),
    { minLength: length, maxLength: 2 * length, size: 'max' },
  )

const NAMES = new Map<number, string>(Object.entries(CASE_STATE).map(([name, id]) => [id, name]))

/** What must hold whatever was done. */
async function expectSame(m: Model, { w, recipient, item, id }: Real): Promise<void> {
  const of = sql`participant_id = ${recipient.participant} and case_id = ${id}`
  const { rows: cases } = await sql<{ state: number; version: number; told: boolean }>`
    select state, version, exists (select from prov_record r where r.event_id = last_event) as told
    from review_case where ${of}`.execute(w.t.owner)
  expect(cases.map(({ state, ...rest }) => ({ state: NAMES.get(state), ...rest }))).toEqual([
    { state: m.state, version: m.version, told: true },
  ])
  // One live lease, and it is the one that was given last.
  const { rows: leases } = await sql<{ holder: string }>`select holder from review_lease
    where ${of} and expires_at > ${w.now()}`.execute(w.t.owner)
  const live = m.lease !== undefined && m.lease.until > m.now ? [{ holder: m.lease.holder }] : []
  expect(leases).toEqual(live)
  // No decision is lost, and each stands as it must.
  const { rows: decisions } = await sql<{ id: Uuid; status: string; told: boolean }>`
    select decision_id as id, case when ended_at is not null then 'ended' when released_at is not null then 'released'
      when release_at is null then 'proposed' else 'grace' end as status,
      exists (select from prov_record r where r.event_id = last_event) as told
    from decision where ${of} order by seq`.execute(w.t.owner)
  expect(decisions).toEqual(m.decisions.map((one) => ({ id: one.id, status: one.status, told: true })))
  // What was released has been delivered once, what was not has not: nothing leaves in the grace.
  const { rows: said } = await sql<{ n: bigint }>`select count(*) as n from feedback
    where participant_id = ${recipient.participant} and signal_id = ${item.signal}`.execute(w.t.owner)
  expect(Number(said[0]?.n)).toBe(model.released(m).length)
  if (m.state === 'closed') expect(model.released(m).length).toBeGreaterThan(0)
}

/** Entries of the log that tell of the case: each move has one, and there is none without a move. */
export async function expectLogged(m: Model, { w, recipient, id }: Real): Promise<void> {
  const rows = await w.t.owner
    .selectFrom('prov_record')
    .select('event_id')
    .where('participant_id', '=', recipient.participant)
    .where('kind', 'in', ['review.moved', 'review.decided', 'review.undone'])
    .execute()
  const told = await Promise.all(rows.map(({ event_id }) => w.opened(event_id)))
  expect(told.filter((one) => one['case'] === id)).toHaveLength(m.entries)
}

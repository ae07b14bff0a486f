import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asParticipant, type Tx } from '../../../src/db/as-participant.ts'
import { OUTCOME } from '../../../src/feedback/schema.ts'
import type { Uuid } from '../../../src/kernel/ids.ts'
import * as decisionStore from '../../../src/review/decision-store.ts'
import * as figuresStore from '../../../src/review/figures-store.ts'
import * as hitStore from '../../../src/review/hit-store.ts'
import * as noticeStore from '../../../src/review/notice-store.ts'
import * as queueStore from '../../../src/review/queue-store.ts'
import { freshDatabase, type TestDatabase } from '../../support/database.ts'
import { planned } from '../../support/plans.ts'

const CASES = 10_000
const OWN = '01890000-0000-7000-8000-0000000000aa' as Uuid
const NOW = new Date('2026-03-01T12:00:00Z')

let t: TestDatabase

/** Ten thousand open cases of one organisation, as many of another's, and ten times as many that are closed. */
beforeAll(async () => {
  t = await freshDatabase()
  const other = '01890000-0000-7000-8000-0000000000bb'
  for (const [owner, state, count] of [
    [OWN, 1, CASES],
    [other, 1, CASES],
    [OWN, 5, 5 * CASES],
    [OWN, 2, 20],
  ] as const)
    await sql`insert into review_case (participant_id, case_id, origin, signal_id, signal_key, revision, type, category,
        severity, confidence, state, version, own_hits, confirmations, disputed, rank, due_at, opened_at, last_event)
      select ${owner}::uuid, gen_random_uuid(), ${other}::uuid, gen_random_uuid(), sha256(n::text::bytea), 1, n % 8 + 1, n % 12 + 1,
        n % 4 + 1, n % 100, ${state}, 1, n % 5, 0, n % 50 = 0, n % 4000, ${NOW}::timestamptz + (n - 2000) * interval '1 minute',
        ${NOW}::timestamptz - n * interval '1 minute', gen_random_uuid()
      from generate_series(1, ${count}) n`.execute(t.owner)
  await sql`insert into review_lease select participant_id, case_id, 'h' || (rank % 40), gen_random_uuid(), ${NOW}::timestamptz + interval '10 min'
    from review_case where state = 1`.execute(t.owner)
  // A fifth of the hits were acted on, three times as many decisions were released as are counted.
  await sql`insert into hit (participant_id, origin, signal_id, signal_key, count, last_at, own_ref, acted_count, last_event)
    select ${OWN}::uuid, ${other}::uuid, gen_random_uuid(), sha256(n::text::bytea), 5, ${NOW}::timestamptz, null,
      case when n % 5 = 0 then 3 end, gen_random_uuid()
    from generate_series(1, ${6 * CASES}) n`.execute(t.owner)
  await sql`insert into decision (participant_id, case_id, seq, decision_id, verdict, reason, authority, decided_by, decided_at,
      needs_second, corrects, release_at, released_at, single_reviewed, last_event)
    select ${OWN}::uuid, c.case_id, 1, gen_random_uuid(), case when n % 3 = 0 then ${OUTCOME.not_violating}::int2
        else ${OUTCOME.confirmed_action_taken}::int2 end, 'law', 2, 'ann',
      ${NOW}::timestamptz - n * interval '1 minute', false, false, ${NOW}::timestamptz, ${NOW}::timestamptz, false, gen_random_uuid()
    from (select case_id, row_number() over () as n from review_case where participant_id = ${OWN} and state = 5) c
    where n <= ${3 * CASES}`.execute(t.owner)
  await sql`analyze review_case, review_lease, hit, decision`.execute(t.owner)
})
afterAll(() => t.drop())

type Work = (tx: Tx<'participant'>) => Promise<unknown>

/** How the statements of some work are carried out, as the application's role has them planned. */
const plansOf = (work: Work): Promise<string> =>
  asParticipant(t.app, OWN, async (tx) => {
    const { db, plans } = planned(tx)
    await work(db)
    return (await plans()).join('\n')
  })

const limit = 100
const after = { due_at: NOW, case_id: OWN, rank: 2_000 }
const none = { filter: {}, limit }
const narrow = { filter: { type: 1, severity: 3, disputed: true }, limit }
const mine = { filter: { holder: { who: 'h1', now: NOW } }, limit }
const times = { now: NOW, soon: NOW, today: NOW }

const READS: readonly (readonly [what: string, index: string, work: Work])[] = [
  [
    'the overdue cases',
    'review_case_late',
    (tx) => queueStore.lateCases(tx, OWN, { now: NOW, ...none, after: undefined }),
  ],
  ['a later page of them', 'review_case_late', (tx) => queueStore.lateCases(tx, OWN, { now: NOW, ...none, after })],
  [
    'the ranked cases',
    'review_case_rank',
    (tx) => queueStore.rankedCases(tx, OWN, { now: NOW, ...none, after: undefined }),
  ],
  ['a later page of them', 'review_case_rank', (tx) => queueStore.rankedCases(tx, OWN, { now: NOW, ...none, after })],
  [
    'what somebody works on',
    'review_lease_holder',
    (tx) => queueStore.rankedCases(tx, OWN, { now: NOW, ...mine, after }),
  ],
  [
    'the parked cases',
    'review_case_state',
    (tx) => queueStore.casesInState(tx, OWN, { state: 2, ...none, after: undefined }),
  ],
  [
    'a later page of the closed ones',
    'review_case_state',
    (tx) => queueStore.casesInState(tx, OWN, { state: 5, ...none, after: OWN }),
  ],
  [
    'what is new',
    'review_case_opened',
    (tx) => queueStore.openedSince(tx, OWN, { since: new Date(NOW.getTime() - 600_000), limit }),
  ],
  ['what was handed over last', 'review_case_handed', (tx) => noticeStore.handedOver(tx, OWN, limit)],
  ['the count of what waits', 'review_case_state', (tx) => queueStore.waitingCounts(tx, OWN)],
  ['the count of what is held', 'review_lease_holder', (tx) => queueStore.heldBy(tx, OWN, { who: 'h1', now: NOW })],
]

describe('at ten thousand open cases among sixty thousand', () => {
  test.each(READS)('%s: by %s, without a walk over the table or a sort of it', async (_, index, work) => {
    const plan = await plansOf(work)
    expect(plan).toContain(index)
    expect(plan).not.toMatch(/Seq Scan on review_case|Sort Key/)
  })

  test('a filter that few cases fit reads no more than the own open ones', async () => {
    const plan = await plansOf((tx) => queueStore.rankedCases(tx, OWN, { now: NOW, ...narrow, after }))
    expect(plan).toMatch(/review_case_(rank|late)/)
    expect(plan).not.toContain('Seq Scan')
  })

  test('pages follow each other without gap or repetition, with a filter too', async () => {
    const seen: string[] = []
    await asParticipant(t.app, OWN, async (tx) => {
      let after: { rank: number; due_at: Date; case_id: Uuid } | undefined
      for (;;) {
        const rows = await queueStore.rankedCases(tx, OWN, { now: NOW, filter: { type: 3 }, after, limit })
        seen.push(...rows.map(({ case_id }) => case_id))
        after = rows.at(-1)
        if (rows.length < limit) return
      }
    })
    expect(new Set(seen).size).toBe(seen.length)
    const { rows } = await sql<{ n: string }>`select count(*) as n from review_case
      where participant_id = ${OWN} and state = 1 and type = 3 and due_at > ${NOW}`.execute(t.owner)
    expect(seen.length).toBe(Number(rows[0]?.n))
  })

  test.each([
    ['signals that were acted on', 'hit_acted', (tx: Tx<'participant'>) => hitStore.hitCounts(tx, OWN)],
    ['released decisions', 'decision_at', (tx: Tx<'participant'>) => decisionStore.verdictCounts(tx, OWN)],
  ])('figures count the newest ten thousand of %s, by %s', async (_, index, work) => {
    const plan = await plansOf(work)
    expect(plan).toContain(index)
    expect(plan).not.toMatch(/Seq Scan|Sort Key: (decided_at|signal_id)/)
  })

  test('and no more, however many there are', async () => {
    const [hits, verdicts, acted] = await asParticipant(t.app, OWN, async (tx) => [
      await hitStore.hitCounts(tx, OWN),
      await decisionStore.verdictCounts(tx, OWN),
      await decisionStore.actedOn(tx, OWN),
    ])
    const many = queueStore.COUNTED_MAX + 1
    expect([Number(hits?.again), Number(hits?.since), Number(acted.n)]).toEqual([many, 2 * many, many])
    expect(verdicts.reduce((sum, { n }) => sum + Number(n), 0)).toBe(many)
  })

  test('counts are of the own organisation', async () => {
    const told = await asParticipant(t.app, OWN, (tx) => queueStore.openCounts(tx, OWN, times))
    expect([Number(told.open), Number(told.disputed)]).toEqual([CASES, CASES / 50])
    const ages = await asParticipant(t.app, OWN, (tx) => figuresStore.openAges(tx, OWN, NOW))
    expect([ages.p50, ages.p90]).toEqual([CASES * 30 + 60, CASES * 54 + 60])
  })
})

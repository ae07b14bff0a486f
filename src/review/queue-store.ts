import { type Expression, type SqlBool, sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'
import { CASE, type CaseRow } from './store.ts'
import { CASE_STATE } from './transition.ts'

/** What a page of cases is cut down to; everything that is absent is any. */
export interface CaseFilter {
  type?: number | undefined
  category?: number | undefined
  /** At least this one. */
  severity?: number | undefined
  origin?: Uuid | undefined
  hits?: boolean | undefined
  disputed?: boolean | undefined
  /** Who works on it now, or was handed it. */
  holder?: { who: string; now: Date } | undefined
}

export interface Asked<After> {
  filter: CaseFilter
  after: After | undefined
  limit: number
}

/** Counts stop here: what is beyond is "many". */
export const COUNTED_MAX = 10_000

/** Every page walks one index of the organisation's own cases and looks at each row it passes: never at more than there are open. */
const casesOf = (tx: Tx, participant_id: Uuid, { filter, limit }: Asked<unknown>) => {
  const wanted = conditions(participant_id, filter)
  return tx
    .selectFrom('review_case')
    .select(CASE)
    .where('participant_id', '=', participant_id)
    .where((eb) => eb.and(wanted))
    .limit(limit)
}

function conditions(participant_id: Uuid, filter: CaseFilter): Expression<SqlBool>[] {
  const { type, category, severity, origin, hits, disputed, holder } = filter
  return [
    ...(type === undefined ? [] : [sql<boolean>`type = ${type}`]),
    ...(category === undefined ? [] : [sql<boolean>`category = ${category}`]),
    ...(severity === undefined ? [] : [sql<boolean>`severity >= ${severity}`]),
    ...(origin === undefined ? [] : [sql<boolean>`origin = ${origin}`]),
    ...(hits === undefined ? [] : [sql<boolean>`(own_hits > 0) = ${hits}`]),
    ...(disputed === undefined ? [] : [sql<boolean>`disputed = ${disputed}`]),
    ...(holder === undefined ? [] : [isHeldBy(participant_id, holder)]),
  ]
}

const isHeldBy = (participant_id: Uuid, { who, now }: { who: string; now: Date }) =>
  sql<boolean>`(assigned_to = ${who} or case_id in (select l.case_id from review_lease l
    where l.participant_id = ${participant_id} and l.holder = ${who} and l.expires_at > ${now}))`

/** Open cases that are overdue at a moment, by their date. */
export const lateCases = (
  tx: Tx,
  participant_id: Uuid,
  { now, ...asked }: Asked<{ due_at: Date; case_id: Uuid }> & { now: Date },
): Promise<CaseRow[]> => {
  const { after } = asked
  const query = casesOf(tx, participant_id, asked)
    .where(sql<boolean>`state = 1`)
    .where('due_at', '<=', now)
    .orderBy('due_at')
    .orderBy('case_id')
  if (after === undefined) return query.execute()
  return query.where(sql<boolean>`(due_at, case_id) > (${after.due_at}, ${after.case_id})`).execute()
}

/** Open cases that were not overdue at a moment: by rank, then by their date. */
export const rankedCases = (
  tx: Tx,
  participant_id: Uuid,
  { now, ...asked }: Asked<{ rank: number; due_at: Date; case_id: Uuid }> & { now: Date },
): Promise<CaseRow[]> => {
  const query = casesOf(tx, participant_id, asked)
    .where(sql<boolean>`state = 1`)
    .where('due_at', '>', now)
    .orderBy('rank', 'desc')
    .orderBy('due_at')
    .orderBy('case_id')
  if (asked.after === undefined) return query.execute()
  const { rank, due_at, case_id } = asked.after
  // Two ranges of one index: ranks go down while dates go up.
  return query
    .where('rank', '<=', rank)
    .where(sql<boolean>`(rank < ${rank} or (due_at, case_id) > (${due_at}, ${case_id}))`)
    .execute()
}

export const casesInState = (
  tx: Tx,
  participant_id: Uuid,
  { state, ...asked }: Asked<Uuid> & { state: number },
): Promise<CaseRow[]> =>
  casesOf(tx, participant_id, asked)
    // A literal, so that the partial index is known to fit.
    .where(sql<boolean>`state = ${sql.lit(state)}`)
    .where('case_id', '>', asked.after ?? FIRST)
    .orderBy('case_id')
    .execute()

const FIRST = '00000000-0000-0000-0000-000000000000' as Uuid

// ---- counts

/** What is open, in one walk that ends at `COUNTED_MAX`. */
export const openCounts = (
  tx: Tx,
  participant_id: Uuid,
  { now, soon, today }: { now: Date; soon: Date; today: Date },
) =>
  tx
    .selectFrom((eb) =>
      eb
        .selectFrom('review_case')
        .select(['opened_at', 'due_at', 'disputed'])
        .where('participant_id', '=', participant_id)
        .where(sql<boolean>`state = 1`)
        .limit(COUNTED_MAX + 1)
        .as('c'),
    )
    .select((eb) => [
      eb.fn.countAll<bigint>().as('open'),
      eb.fn.min('c.opened_at').as('oldest'),
      eb.fn.countAll<bigint>().filterWhere('c.due_at', '<=', now).as('overdue'),
      eb.fn
        .countAll<bigint>()
        .filterWhere((f) => f.and([f('c.due_at', '>', now), f('c.due_at', '<=', soon)]))
        .as('at_risk'),
      eb.fn.countAll<bigint>().filterWhere('c.disputed', '=', true).as('disputed'),
      eb.fn.countAll<bigint>().filterWhere('c.opened_at', '>=', today).as('today'),
      sql<Date | null>`min(c.due_at) filter (where c.due_at > ${now})`.as('next_due'),
    ])
    .executeTakeFirstOrThrow()

/** Cases that are parked, and those that wait for a second person. */
export const waitingCounts = (tx: Tx, participant_id: Uuid) =>
  tx
    .selectFrom((eb) =>
      eb
        .selectFrom('review_case')
        .select('state')
        .where('participant_id', '=', participant_id)
        .where(sql<boolean>`state in (${sql.lit(CASE_STATE.held)}, ${sql.lit(CASE_STATE.awaiting_second)})`)
        .limit(COUNTED_MAX + 1)
        .as('c'),
    )
    .select((eb) => [
      eb.fn.countAll<bigint>().filterWhere('c.state', '=', CASE_STATE.held).as('held'),
      eb.fn.countAll<bigint>().filterWhere('c.state', '=', CASE_STATE.awaiting_second).as('second'),
    ])
    .executeTakeFirstOrThrow()

/** Open cases that somebody works on. */
export const heldBy = (tx: Tx, participant_id: Uuid, { who, now }: { who: string; now: Date }) =>
  tx
    .selectFrom('review_lease as l')
    .innerJoin('review_case as c', (join) =>
      join.onRef('c.participant_id', '=', 'l.participant_id').onRef('c.case_id', '=', 'l.case_id'),
    )
    .select((eb) => eb.fn.countAll<bigint>().as('n'))
    .where('l.participant_id', '=', participant_id)
    .where('l.holder', '=', who)
    .where('l.expires_at', '>', now)
    .where(sql<boolean>`c.state = 1`)
    .executeTakeFirstOrThrow()

/** How many open cases came since a moment, at most `limit`. */
export async function openedSince(
  tx: Tx,
  participant_id: Uuid,
  { since, limit }: { since: Date; limit: number },
): Promise<number> {
  const rows = await tx
    .selectFrom('review_case')
    .select('case_id')
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`state = 1`)
    .where('opened_at', '>', since)
    .limit(limit)
    .execute()
  return rows.length
}

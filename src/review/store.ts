import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { CASE_STATE } from './transition.ts'

export interface CaseRow {
  participant_id: Uuid
  case_id: Uuid
  origin: Uuid
  signal_id: Uuid
  signal_key: Buffer
  revision: number
  type: number
  category: number
  severity: number
  confidence: number
  state: number
  version: number
  own_hits: number
  confirmations: number
  disputed: boolean
  rank: number
  due_at: Date
  paused_at: Date | null
  opened_at: Date
  held_until: Date | null
  hold_reason: string | null
  assigned_to: string | null
  last_event: Uuid
}

const CASE = [
  ...(['participant_id', 'case_id', 'origin', 'signal_id', 'signal_key', 'revision', 'type', 'category'] as const),
  ...(['severity', 'confidence', 'state', 'version', 'own_hits', 'confirmations', 'disputed', 'rank'] as const),
  ...(['due_at', 'paused_at', 'opened_at', 'held_until', 'hold_reason', 'assigned_to', 'last_event'] as const),
] as const

// ---- cases

/** The live case of a signal, locked. */
export const liveCase = (
  tx: Tx,
  participant_id: Uuid,
  of: { origin: Uuid; signal_id: Uuid },
): Promise<CaseRow | undefined> =>
  tx
    .selectFrom('review_case')
    .select(CASE)
    .where('participant_id', '=', participant_id)
    .where('origin', '=', of.origin)
    .where('signal_id', '=', of.signal_id)
    .where('state', '<>', CASE_STATE.void)
    .forUpdate()
    .executeTakeFirst()

export const caseForUpdate = (tx: Tx, participant_id: Uuid, case_id: Uuid): Promise<CaseRow | undefined> =>
  tx
    .selectFrom('review_case')
    .select(CASE)
    .where('participant_id', '=', participant_id)
    .where('case_id', '=', case_id)
    .forUpdate()
    .executeTakeFirst()

export const caseOf = (tx: Tx, participant_id: Uuid, case_id: Uuid): Promise<CaseRow | undefined> =>
  tx
    .selectFrom('review_case')
    .select(CASE)
    .where('participant_id', '=', participant_id)
    .where('case_id', '=', case_id)
    .executeTakeFirst()

/** False where another opened a case of the signal at the same moment: it is then found. */
export async function insertCase(tx: Tx, row: CaseRow): Promise<boolean> {
  const made = await tx
    .insertInto('review_case')
    .values(row)
    .onConflict((oc) => oc.doNothing())
    .returning('case_id')
    .executeTakeFirst()
  return made !== undefined
}

export type CaseChange = Partial<
  Pick<
    CaseRow,
    | ('revision' | 'category' | 'severity' | 'confidence' | 'state' | 'version' | 'own_hits' | 'confirmations')
    | ('disputed' | 'rank' | 'due_at' | 'paused_at' | 'opened_at' | 'held_until' | 'hold_reason' | 'assigned_to')
  >
> & { last_event: Uuid }

export async function updateCase(
  tx: Tx,
  { participant_id, case_id }: { participant_id: Uuid; case_id: Uuid },
  change: CaseChange,
): Promise<void> {
  await tx
    .updateTable('review_case')
    .set(change)
    .where('participant_id', '=', participant_id)
    .where('case_id', '=', case_id)
    .execute()
}

/** Whether the trigger is new. */
export async function insertTrigger(
  tx: Tx,
  row: { participant_id: Uuid; case_id: Uuid; kind: string; ref: string; at: Date; last_event: Uuid },
): Promise<boolean> {
  const made = await tx
    .insertInto('case_trigger')
    .values(row)
    .onConflict((oc) => oc.columns(['participant_id', 'case_id', 'kind', 'ref']).doNothing())
    .returning('case_id')
    .executeTakeFirst()
  return made !== undefined
}

/** Whether a case of the signal was opened for this reason before, one that is over included. */
export async function wasTriggered(
  tx: Tx,
  participant_id: Uuid,
  of: { origin: Uuid; signal_id: Uuid; kind: string; ref: string },
): Promise<boolean> {
  const row = await tx
    .selectFrom('review_case as c')
    .innerJoin('case_trigger as t', (join) =>
      join.onRef('t.participant_id', '=', 'c.participant_id').onRef('t.case_id', '=', 'c.case_id'),
    )
    .select('c.case_id')
    .where('c.participant_id', '=', participant_id)
    .where('c.origin', '=', of.origin)
    .where('c.signal_id', '=', of.signal_id)
    .where('t.kind', '=', of.kind)
    .where('t.ref', '=', of.ref)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

export const triggersOf = (tx: Tx, participant_id: Uuid, case_id: Uuid) =>
  tx
    .selectFrom('case_trigger')
    .select(['kind', 'ref', 'at'])
    .where('participant_id', '=', participant_id)
    .where('case_id', '=', case_id)
    .orderBy('last_event')
    .orderBy('kind')
    .execute()

// ---- the queue

/** Open cases that are overdue at a moment, by their date. */
export const lateCases = (
  tx: Tx,
  participant_id: Uuid,
  { now, after, limit }: { now: Date; after: { due_at: Date; case_id: Uuid } | undefined; limit: number },
): Promise<CaseRow[]> => {
  const query = tx
    .selectFrom('review_case')
    .select(CASE)
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`state = 1`)
    .where('due_at', '<=', now)
    .orderBy('due_at')
    .orderBy('case_id')
    .limit(limit)
  if (after === undefined) return query.execute()
  return query.where(sql<boolean>`(due_at, case_id) > (${after.due_at}, ${after.case_id})`).execute()
}

/** Open cases that were not overdue at a moment: by rank, then by their date. */
export const rankedCases = (
  tx: Tx,
  participant_id: Uuid,
  { now, after, limit }: { now: Date; after: { rank: number; due_at: Date; case_id: Uuid } | undefined; limit: number },
): Promise<CaseRow[]> => {
  const query = tx
    .selectFrom('review_case')
    .select(CASE)
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`state = 1`)
    .where('due_at', '>', now)
    .orderBy('rank', 'desc')
    .orderBy('due_at')
    .orderBy('case_id')
    .limit(limit)
  if (after === undefined) return query.execute()
  const { rank, due_at, case_id } = after
  // Two ranges of one index: ranks go down while dates go up.
  return query
    .where('rank', '<=', rank)
    .where(sql<boolean>`(rank < ${rank} or (due_at, case_id) > (${due_at}, ${case_id}))`)
    .execute()
}

export const casesInState = (
  tx: Tx,
  participant_id: Uuid,
  { state, after, limit }: { state: number; after: Uuid; limit: number },
): Promise<CaseRow[]> =>
  tx
    .selectFrom('review_case')
    .select(CASE)
    .where('participant_id', '=', participant_id)
    .where('state', '=', state)
    .where('case_id', '>', after)
    .orderBy('case_id')
    .limit(limit)
    .execute()

// ---- leases

export const leaseOf = (tx: Tx, participant_id: Uuid, case_id: Uuid) =>
  tx
    .selectFrom('review_lease')
    .select(['holder', 'token', 'expires_at'])
    .where('participant_id', '=', participant_id)
    .where('case_id', '=', case_id)
    .executeTakeFirst()

export const leasesOf = (tx: Tx, participant_id: Uuid, cases: readonly Uuid[]) =>
  tx
    .selectFrom('review_lease')
    .select(['case_id', 'holder', 'token', 'expires_at'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`case_id = any(${cases}::uuid[])`)
    .execute()

export async function putLease(
  tx: Tx,
  row: { participant_id: Uuid; case_id: Uuid; holder: string; token: Uuid; expires_at: Date },
): Promise<void> {
  const { holder, token, expires_at } = row
  await tx
    .insertInto('review_lease')
    .values(row)
    .onConflict((oc) => oc.columns(['participant_id', 'case_id']).doUpdateSet({ holder, token, expires_at }))
    .execute()
}

/** The next open case that nobody works on, locked, past those that others are just taking. */
export const nextFree = (
  tx: Tx,
  participant_id: Uuid,
  { who, now, late }: { who: string; now: Date; late: boolean },
): Promise<CaseRow | undefined> => {
  const free = sql<boolean>`not exists (select 1 from review_lease l where l.participant_id = ${participant_id}
    and l.case_id = review_case.case_id and l.expires_at > ${now} and l.holder <> ${who})`
  const query = tx
    .selectFrom('review_case')
    .select(CASE)
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`state = 1`)
    .where('origin', '<>', participant_id)
    .where((eb) => eb.or([eb('assigned_to', 'is', null), eb('assigned_to', '=', who)]))
    .where(free)
    .limit(1)
    .forUpdate()
    .skipLocked()
  if (late) return query.where('due_at', '<=', now).orderBy('due_at').orderBy('case_id').executeTakeFirst()
  return query.where('due_at', '>', now).orderBy('rank', 'desc').orderBy('due_at').orderBy('case_id').executeTakeFirst()
}

// ---- sweeps, across organisations

/** Cases that waited long enough: parked ones, and proposals that nobody answered. */
export const dueCases = (db: Db, now: Date, limit: number) =>
  db
    .selectFrom('review_case')
    .select(['participant_id', 'case_id'])
    .where('held_until', '<=', now)
    .orderBy('held_until')
    .limit(limit)
    .execute()

/** Who has a case of a signal. */
export const casesOf = (db: Db, of: { origin: Uuid; signals: readonly Uuid[] }) =>
  db
    .selectFrom('review_case')
    .select(['participant_id', 'signal_id'])
    .where('origin', '=', of.origin)
    .where(sql<boolean>`signal_id = any(${of.signals}::uuid[])`)
    .where('state', '<>', CASE_STATE.void)
    .execute()

// ---- figures

export const stateCounts = (tx: Tx, participant_id: Uuid, now: Date) =>
  tx
    .selectFrom('review_case')
    .select((eb) => [
      eb.fn.countAll<bigint>().filterWhere('state', '=', CASE_STATE.open).as('open'),
      eb.fn
        .countAll<bigint>()
        .filterWhere((f) => f.and([f('state', '=', CASE_STATE.open), f('due_at', '<=', now)]))
        .as('overdue'),
    ])
    .where('participant_id', '=', participant_id)
    .executeTakeFirst()

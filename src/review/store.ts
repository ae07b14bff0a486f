import { type Selectable, sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { ReviewCaseTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'
import { SEVERITY } from './priority.ts'
import { CASE_STATE } from './transition.ts'

export type CaseRow = Selectable<ReviewCaseTable>

/** In place of a match key that is erased, or that nobody asks for. */
export const NO_KEY = Buffer.alloc(32)

/** Every column of a case. */
export const CASE = [
  ...(['participant_id', 'case_id', 'origin', 'signal_id', 'signal_key', 'revision', 'type', 'category'] as const),
  ...(['severity', 'confidence', 'state', 'version', 'own_hits', 'confirmations', 'disputed', 'rank'] as const),
  ...(['due_at', 'paused_at', 'opened_at', 'held_until', 'hold_reason', 'assigned_to', 'handed_event'] as const),
  'last_event' as const,
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

export const casesNamed = (tx: Tx, participant_id: Uuid, cases: readonly Uuid[]): Promise<CaseRow[]> =>
  tx
    .selectFrom('review_case')
    .select(CASE)
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`case_id = any(${cases}::uuid[])`)
    .orderBy('case_id')
    .execute()

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
    | 'signal_key'
    | 'handed_event'
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

/** The newest, in their order; `after` leaves out what came until then. */
export const triggersOf = async (
  tx: Tx,
  { participant_id, case_id }: { participant_id: Uuid; case_id: Uuid },
  { after, limit }: { after?: Date; limit: number },
) => {
  const query = tx
    .selectFrom('case_trigger')
    .select(['kind', 'ref', 'at', 'last_event'])
    .where('participant_id', '=', participant_id)
    .where('case_id', '=', case_id)
    .orderBy('last_event', 'desc')
    .orderBy('kind', 'desc')
    .limit(limit)
  return (await (after === undefined ? query : query.where('at', '>', after)).execute()).reverse()
}

/** Of what a case was opened for or given. */
export const lastTriggered = async (
  tx: Tx,
  { participant_id, case_id }: { participant_id: Uuid; case_id: Uuid },
): Promise<Date | undefined> => {
  const row = await tx
    .selectFrom('case_trigger')
    .select((eb) => eb.fn.max('at').as('at'))
    .where('participant_id', '=', participant_id)
    .where('case_id', '=', case_id)
    .executeTakeFirst()
  return row?.at ?? undefined
}

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
  {
    who,
    now,
    late,
    without,
    mild,
  }: { who: string; now: Date; late: boolean; without: readonly number[]; mild: boolean },
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
    .where(sql<boolean>`category <> all(${without}::int2[])`)
    .where(sql<boolean>`severity <= ${mild ? SEVERITY.medium : SEVERITY.critical}`)
    .limit(1)
    .forUpdate()
    .skipLocked()
  if (late) return query.where('due_at', '<=', now).orderBy('due_at').orderBy('case_id').executeTakeFirst()
  return query.where('due_at', '>', now).orderBy('rank', 'desc').orderBy('due_at').orderBy('case_id').executeTakeFirst()
}

// ---- sweeps, across organisations

/** Cases of some organisations that waited long enough: parked ones, and proposals that nobody answered. */
export const dueCases = (db: Db, { now, of, limit }: { now: Date; of: readonly Uuid[]; limit: number }) =>
  db
    .selectFrom('review_case')
    .select(['participant_id', 'case_id'])
    .where('held_until', '<=', now)
    .where(sql<boolean>`participant_id = any(${of}::uuid[])`)
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

/** Cases of signals, those that are over included, that hold a match key. */
export const keyedCases = (db: Db, of: { origin: Uuid; signals: readonly Uuid[] }) =>
  db
    .selectFrom('review_case')
    .select(['case_id', 'participant_id'])
    .where('origin', '=', of.origin)
    .where(sql<boolean>`signal_id = any(${of.signals}::uuid[])`)
    .where('signal_key', '<>', NO_KEY)
    .execute()

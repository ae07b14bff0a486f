import { type Selectable, sql } from 'kysely'
import { plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { BulkItemTable, BulkJobTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'
import { BULK_RESULT, BULK_STATE } from './bulk-schema.ts'

export type JobRow = Selectable<BulkJobTable>
export type ItemRow = Selectable<BulkItemTable>

// ---- jobs

/** Whether the id is new. */
export async function insertJob(tx: Tx, row: JobRow): Promise<boolean> {
  const made = await tx
    .insertInto('bulk_job')
    .values(row)
    .onConflict((oc) => oc.columns(['participant_id', 'job_id']).doNothing())
    .returning('job_id')
    .executeTakeFirst()
  return made !== undefined
}

export const jobOf = (tx: Tx, participant_id: Uuid, job_id: Uuid): Promise<JobRow | undefined> =>
  tx
    .selectFrom('bulk_job')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('job_id', '=', job_id)
    .executeTakeFirst()

export const jobForUpdate = (tx: Tx, participant_id: Uuid, job_id: Uuid): Promise<JobRow | undefined> =>
  tx
    .selectFrom('bulk_job')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('job_id', '=', job_id)
    .forUpdate()
    .executeTakeFirst()

/** The newest first; `after`: the last of the page before. */
export const jobsOf = (
  tx: Tx,
  participant_id: Uuid,
  { after, limit }: { after: Pick<JobRow, 'proposed_at' | 'job_id'> | undefined; limit: number },
): Promise<JobRow[]> => {
  const query = tx
    .selectFrom('bulk_job')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .orderBy('proposed_at', 'desc')
    .orderBy('job_id', 'desc')
    .limit(limit)
  if (after === undefined) return query.execute()
  return query.where(sql<boolean>`(proposed_at, job_id) < (${after.proposed_at}, ${after.job_id})`).execute()
}

/** Jobs that wait for a lead. */
export const proposedJobs = (tx: Tx, participant_id: Uuid, limit: number): Promise<JobRow[]> =>
  tx
    .selectFrom('bulk_job')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('state', '=', BULK_STATE.proposed)
    .orderBy('proposed_at')
    .limit(limit)
    .execute()

export async function updateJob(
  tx: Tx,
  { participant_id, job_id }: Pick<JobRow, 'participant_id' | 'job_id'>,
  change: Partial<
    Pick<JobRow, 'state' | 'approved_by' | 'approved_digest' | 'expires_at' | 'refusal' | 'ended_at' | 'release_at'>
  > & { last_event: Uuid },
): Promise<void> {
  await tx
    .updateTable('bulk_job')
    .set(change)
    .where('participant_id', '=', participant_id)
    .where('job_id', '=', job_id)
    .execute()
}

// ---- items

export async function insertItems(tx: Tx, rows: readonly ItemRow[]): Promise<void> {
  const [first] = rows
  if (first === undefined) return
  const { participant_id, job_id } = first
  await sql`insert into bulk_item (participant_id, job_id, place, case_id, version, decision_id)
    select ${participant_id}::uuid, ${job_id}::uuid, * from unnest(
      ${plainArray(rows.map(({ place }) => place))}::int2[], ${plainArray(rows.map(({ case_id }) => case_id))}::uuid[],
      ${plainArray(rows.map(({ version }) => version))}::int4[],
      ${plainArray(rows.map(({ decision_id }) => decision_id))}::uuid[])`.execute(tx)
}

export const itemsOf = (tx: Tx, participant_id: Uuid, job_id: Uuid): Promise<ItemRow[]> =>
  tx
    .selectFrom('bulk_item')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('job_id', '=', job_id)
    .orderBy('place')
    .execute()

/** The next that nobody looked at yet, locked, past one that another process is just deciding. */
export const nextItem = (tx: Tx, participant_id: Uuid, job_id: Uuid): Promise<ItemRow | undefined> =>
  tx
    .selectFrom('bulk_item')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('job_id', '=', job_id)
    .where('result', 'is', null)
    .orderBy('place')
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst()

/** The next that was changed and is to be as it was. */
export const nextToUndo = (tx: Tx, participant_id: Uuid, job_id: Uuid): Promise<ItemRow | undefined> =>
  tx
    .selectFrom('bulk_item')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('job_id', '=', job_id)
    .where('result', 'in', [BULK_RESULT.decided, BULK_RESULT.proposed])
    .where('undone', 'is', null)
    .orderBy('place')
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst()

export async function updateItem(
  tx: Tx,
  { participant_id, job_id, place }: Pick<ItemRow, 'participant_id' | 'job_id' | 'place'>,
  change: Partial<Pick<ItemRow, 'result' | 'done_at' | 'undone'>>,
): Promise<void> {
  await tx
    .updateTable('bulk_item')
    .set(change)
    .where('participant_id', '=', participant_id)
    .where('job_id', '=', job_id)
    .where('place', '=', place)
    .execute()
}

/** Those that nobody looked at yet are left as they are. */
export async function cancelItems(tx: Tx, { participant_id, job_id }: JobRow, now: Date): Promise<void> {
  await tx
    .updateTable('bulk_item')
    .set({ result: BULK_RESULT.cancelled, done_at: now })
    .where('participant_id', '=', participant_id)
    .where('job_id', '=', job_id)
    .where('result', 'is', null)
    .execute()
}

/** How many there are of each result, by job; without one: not looked at yet. */
export const itemCounts = (tx: Tx, participant_id: Uuid, jobs: readonly Uuid[]) =>
  tx
    .selectFrom('bulk_item')
    .select((eb) => ['job_id', 'result', eb.fn.countAll<bigint>().as('n')])
    .select((eb) => eb.fn.countAll<bigint>().filterWhere('undone', '=', true).as('undone'))
    .select((eb) => eb.fn.countAll<bigint>().filterWhere('undone', 'is', null).as('to_undo'))
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`job_id = any(${jobs}::uuid[])`)
    .groupBy(['job_id', 'result'])
    .execute()

// ---- what was decided

/** From now on all decisions of a job have one grace. */
export async function setGrace(tx: Tx, { participant_id, job_id }: JobRow, release_at: Date): Promise<void> {
  await tx
    .updateTable('decision')
    .set({ release_at })
    .where('participant_id', '=', participant_id)
    .where('job_id', '=', job_id)
    .where('needs_second', '=', false)
    .where('released_at', 'is', null)
    .where('ended_at', 'is', null)
    .execute()
}

// ---- sweeps, across organisations

/** Jobs of some organisations that have work, and proposals whose time is over; the oldest first. */
export const liveJobs = (db: Db, { now, of, limit }: { now: Date; of: readonly Uuid[]; limit: number }) =>
  db
    .selectFrom('bulk_job')
    .select(['participant_id', 'job_id', 'state'])
    .where(sql<boolean>`state in (1, 2, 4)`)
    .where(sql<boolean>`participant_id = any(${of}::uuid[])`)
    .where(sql<boolean>`(state <> 1 or expires_at <= ${now})`)
    .orderBy('proposed_at')
    .limit(limit)
    .execute()

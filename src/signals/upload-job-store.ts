import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { UploadJobTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'
import { UPLOAD_STATE } from './schema.ts'

export interface JobRow extends Omit<UploadJobTable, 'participant_id' | 'upload_id'> {
  participant_id: Uuid
  upload_id: Uuid
}

export type Named = Pick<JobRow, 'participant_id' | 'upload_id'>
/** Parts are of what was sent, or of the results. */
export const PART_KIND = { sent: 1, results: 2 } as const

const COLUMNS = [
  ...(['participant_id', 'upload_id', 'state', 'attempt', 'credential_id', 'scopes', 'bytes', 'lines'] as const),
  ...(['accepted', 'refused', 'tries', 'fault', 'received_at', 'ended_at'] as const),
] as const

const jobs = (tx: Tx, { participant_id, upload_id }: Named) =>
  tx
    .selectFrom('upload_job')
    .select(COLUMNS)
    .where('participant_id', '=', participant_id)
    .where('upload_id', '=', upload_id)

export const jobOf = (tx: Tx, of: Named): Promise<JobRow | undefined> => jobs(tx, of).executeTakeFirst()
export const jobForUpdate = (tx: Tx, of: Named): Promise<JobRow | undefined> =>
  jobs(tx, of).forUpdate().executeTakeFirst()

/** The newest first. */
export const jobsOf = (tx: Tx, participant_id: Uuid, limit: number): Promise<JobRow[]> =>
  tx
    .selectFrom('upload_job')
    .select(COLUMNS)
    .where('participant_id', '=', participant_id)
    .orderBy('received_at', 'desc')
    .limit(limit)
    .execute()

export async function liveJobs(tx: Tx, participant_id: Uuid): Promise<number> {
  const { n } = await tx
    .selectFrom('upload_job')
    .select((eb) => eb.fn.countAll<bigint>().as('n'))
    .where('participant_id', '=', participant_id)
    .where('state', '<=', UPLOAD_STATE.running)
    .executeTakeFirstOrThrow()
  return Number(n)
}

/** Unless another connection has just inserted it: whose it is, its `attempt` tells. */
export async function insertJob(tx: Tx, row: JobRow): Promise<void> {
  await tx
    .insertInto('upload_job')
    .values(row)
    .onConflict((conflict) => conflict.columns(['participant_id', 'upload_id']).doNothing())
    .execute()
}

export async function updateJob(
  tx: Tx,
  { participant_id, upload_id }: Named,
  change: Partial<Omit<JobRow, 'participant_id' | 'upload_id'>>,
): Promise<void> {
  await tx
    .updateTable('upload_job')
    .set(change)
    .where('participant_id', '=', participant_id)
    .where('upload_id', '=', upload_id)
    .execute()
}

export async function deleteJob(tx: Tx, { participant_id, upload_id }: Named): Promise<void> {
  await tx
    .deleteFrom('upload_job')
    .where('participant_id', '=', participant_id)
    .where('upload_id', '=', upload_id)
    .execute()
}

export async function insertPart(
  tx: Tx,
  { participant_id, upload_id }: Named,
  part: { kind: number; part: number; content: Buffer },
): Promise<void> {
  await tx
    .insertInto('upload_part')
    .values({ participant_id, upload_id, ...part })
    .execute()
}

export async function partOf(
  tx: Tx,
  { participant_id, upload_id }: Named,
  { kind, part }: { kind: number; part: number },
): Promise<Buffer | undefined> {
  const row = await tx
    .selectFrom('upload_part')
    .select('content')
    .where('participant_id', '=', participant_id)
    .where('upload_id', '=', upload_id)
    .where('kind', '=', kind)
    .where('part', '=', part)
    .executeTakeFirst()
  return row?.content
}

export async function deleteParts(tx: Tx, { participant_id, upload_id }: Named, kind: number): Promise<void> {
  await tx
    .deleteFrom('upload_part')
    .where('participant_id', '=', participant_id)
    .where('upload_id', '=', upload_id)
    .where('kind', '=', kind)
    .execute()
}

/** Of every participant those that are to be worked off, the oldest first. `db` logs in as `aldis_projector`. */
export const dueJobs = async (db: Db, limit: number): Promise<Named[]> =>
  (
    await sql<Named>`select participant_id, upload_id from upload_job where state in (2, 3)
      order by received_at limit ${limit}`.execute(db)
  ).rows

/** Those whose sender began and has not come to an end for so long that there is nobody any more. */
export const begunBefore = async (db: Db, before: Date, limit: number): Promise<Named[]> =>
  (
    await sql<Named>`select participant_id, upload_id from upload_job where state = 1 and received_at < ${before}
      order by received_at limit ${limit}`.execute(db)
  ).rows

/** And those whose results have been kept for their time. */
export const endedBefore = async (db: Db, before: Date, limit: number): Promise<Named[]> =>
  (
    await sql<Named>`select participant_id, upload_id from upload_job where state > 3 and ended_at < ${before}
      order by ended_at limit ${limit}`.execute(db)
  ).rows

import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'

// How far a log was committed for good and signed.

/** Opens a log of size 0; done once by `aldis init`. */
export async function openLog(
  tx: Tx,
  log: { log_id: number; origin: string; root: Uint8Array; edges: Uint8Array; range: Uint8Array; at: Date },
): Promise<void> {
  const { log_id, origin, at } = log
  const root = Buffer.from(log.root)
  await tx
    .insertInto('log_head')
    .values({ log_id, origin, size: 0n, root, edges: Buffer.from(log.edges) })
    .execute()
  await tx.insertInto('log_fence').values({ log_id, size: 0n, root }).execute()
  await tx
    .insertInto('log_signed')
    .values({ log_id, size: 0n, root, range: Buffer.from(log.range), at })
    .execute()
}

export const fence = (db: Db | Tx, logId: number) =>
  db.selectFrom('log_fence').select(['size', 'root']).where('log_id', '=', logId).executeTakeFirst()

export const lockSigned = (tx: Tx, logId: number) =>
  tx
    .selectFrom('log_signed')
    .select(['size', 'root', 'range', 'at'])
    .where('log_id', '=', logId)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst()

export const signed = (db: Db | Tx, logId: number) =>
  db.selectFrom('log_signed').select(['size', 'root', 'range']).where('log_id', '=', logId).executeTakeFirst()

/** Changes nothing, and makes the commit one that a standby is waited for. */
export async function touchSigned(tx: Tx, logId: number): Promise<void> {
  await tx
    .updateTable('log_signed')
    .set((eb) => ({ size: eb.ref('size') }))
    .where('log_id', '=', logId)
    .execute()
}

/** Ends a log at its newest signed size, once; answers where it ends. */
export async function closeLog(tx: Tx, logId: number): Promise<bigint | undefined> {
  // A signer that is about to write a checkpoint comes first, or finds the log closed.
  const signed = await tx
    .selectFrom('log_signed')
    .select('size')
    .where('log_id', '=', logId)
    .forUpdate()
    .executeTakeFirst()
  if (signed === undefined) return undefined
  // So does an integrator that clears what it indexed, under a share of this lock.
  await tx.selectFrom('log_head').select('log_id').where('log_id', '=', logId).forUpdate().execute()
  await tx
    .updateTable('log_head')
    .set({ closed_size: signed.size })
    .where('log_id', '=', logId)
    .where('closed_size', 'is', null)
    .execute()
  const head = await tx.selectFrom('log_head').select('closed_size').where('log_id', '=', logId).executeTakeFirst()
  return head?.closed_size ?? undefined
}

export async function insertCheckpoint(
  tx: Tx,
  checkpoint: { log_id: number; size: bigint; root: Uint8Array; range: Uint8Array; at: Date; note: string },
): Promise<void> {
  const { log_id, size, at, note } = checkpoint
  await tx.insertInto('log_checkpoint').values({ log_id, size, at, note }).execute()
  await tx
    .updateTable('log_signed')
    .set({ size, root: Buffer.from(checkpoint.root), range: Buffer.from(checkpoint.range), at })
    .where('log_id', '=', log_id)
    .execute()
}

/** A checkpoint of exactly that size. */
export const checkpointOf = (tx: Tx, logId: number, size: bigint) =>
  tx
    .selectFrom('log_checkpoint')
    .select('note')
    .where('log_id', '=', logId)
    .where('size', '=', size)
    .limit(1)
    .executeTakeFirst()

export const latestCheckpoint = (db: Db, logId: number) =>
  db
    .selectFrom('log_checkpoint')
    .select(['size', 'at', 'note'])
    .where('log_id', '=', logId)
    .orderBy('size', 'desc')
    .orderBy('at', 'desc')
    .limit(1)
    .executeTakeFirst()

/** Every log of the database as far as it has come, the oldest first; for whoever sees all rows. */
export const standings = (db: Db | Tx) =>
  db
    .selectFrom('log_head as h')
    .innerJoin('log_fence as f', 'f.log_id', 'h.log_id')
    .innerJoin('log_signed as s', 's.log_id', 'h.log_id')
    .select([
      'h.log_id',
      'h.origin',
      'h.size',
      'h.root',
      'h.closed_size',
      'f.size as fenced',
      's.size as signed',
      's.root as signed_root',
    ])
    .orderBy('h.log_id')
    .execute()

/** The longest time between two checkpoints that were signed in a period, milliseconds; 0 with fewer than two. */
export async function longestGap(db: Db, log_id: number, { from, to }: { from: Date; to: Date }): Promise<number> {
  const { rows } = await sql<{ ms: number | null }>`
    select (max(extract(epoch from at - earlier)) * 1000)::float8 as ms from (
      select at, lag(at) over (order by at) as earlier from log_checkpoint
      where log_id = ${log_id} and at >= ${from} and at < ${to}) as signed`.execute(db)
  return Number(rows[0]?.ms ?? 0)
}

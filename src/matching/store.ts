import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

/** A batch as it was debited. */
export interface BatchRow {
  participant_id: Uuid
  batch_key: Uuid
  digest: Buffer
  kid: string
  purpose: string
  n: number
  at: Date
}

/** Whether the row is new; of two with one key that come together the second waits for the first. */
export async function insertBatch(tx: Tx, row: BatchRow): Promise<boolean> {
  const made = await tx
    .insertInto('evaluation_batch')
    .values({ ...row, event_id: null })
    .onConflict((oc) => oc.columns(['participant_id', 'batch_key']).doNothing())
    .returning('batch_key')
    .executeTakeFirst()
  return made !== undefined
}

export const batch = (
  tx: Tx,
  participant_id: Uuid,
  batch_key: Uuid,
): Promise<Pick<BatchRow, 'digest' | 'at'> | undefined> =>
  tx
    .selectFrom('evaluation_batch')
    .select(['digest', 'at'])
    .where('participant_id', '=', participant_id)
    .where('batch_key', '=', batch_key)
    .executeTakeFirst()

export interface Debit {
  participant_id: Uuid
  day: string
  purpose: string
  n: number
  /** Elements of a day. */
  quota: number
}

/** Adds the elements to those of the day unless that would be more than the quota; whether it did. `n` is within the quota. */
export async function debit(tx: Tx, { participant_id, day, purpose, n, quota }: Debit): Promise<boolean> {
  const row = await tx
    .insertInto('evaluation_use')
    .values({ participant_id, day, purpose, used: n })
    .onConflict((oc) =>
      oc
        .columns(['participant_id', 'day', 'purpose'])
        .doUpdateSet((eb) => ({ used: eb('evaluation_use.used', '+', n) }))
        .where('evaluation_use.used', '<=', quota - n),
    )
    .returning('used')
    .executeTakeFirst()
  return row !== undefined
}

/** Batches without an event, oldest first. */
export const pendingBatches = (tx: Tx, participant_id: Uuid, limit: number) =>
  tx
    .selectFrom('evaluation_batch')
    .select(['batch_key', 'kid', 'purpose', 'n'])
    .where('participant_id', '=', participant_id)
    .where('event_id', 'is', null)
    .orderBy('at')
    .limit(limit)
    .execute()

export async function setEvent(tx: Tx, participant_id: Uuid, keys: readonly Uuid[], event_id: Uuid): Promise<void> {
  await tx
    .updateTable('evaluation_batch')
    .set({ event_id })
    .where('participant_id', '=', participant_id)
    .where('batch_key', 'in', [...keys])
    .execute()
}

/** Forgets what has its event and is repeated freely no more. */
export async function forget(tx: Tx, participant_id: Uuid, before: Date): Promise<void> {
  await tx
    .deleteFrom('evaluation_batch')
    .where('participant_id', '=', participant_id)
    .where('event_id', 'is not', null)
    .where('at', '<', before)
    .execute()
}

/** Whoever has rows, read as `aldis_ledger`. */
export const participantsWithBatches = (db: Db) =>
  db.selectFrom('evaluation_batch').select('participant_id').distinct().execute()

/** What one participant used on a day. */
export const usedByOn = (tx: Tx, participant_id: Uuid, day: string): Promise<{ purpose: string; used: number }[]> =>
  tx
    .selectFrom('evaluation_use')
    .select(['purpose', 'used'])
    .where('participant_id', '=', participant_id)
    .where('day', '=', day)
    .execute()

/** What everybody used on a day, read as `aldis_ledger`. */
export const usedOn = (db: Db, day: string) =>
  db.selectFrom('evaluation_use').select(['participant_id', 'purpose', 'used']).where('day', '=', day).execute()

import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

/** How far a participant's batches of reads are over and gone, locked; undefined where it never read. */
export const expiryHead = (tx: Tx, participant_id: Uuid) =>
  tx
    .selectFrom('read_head')
    .select(['expired_no', 'gone_no'])
    .where('participant_id', '=', participant_id)
    .forUpdate()
    .executeTakeFirst()

/** Batches after a number, in order, with the time of their entry and what the journal has: rows, reads, and when the last was made. */
export async function batchesAfter(
  tx: Tx,
  participant_id: Uuid,
  { after, limit }: { after: bigint; limit: number },
): Promise<ExpiryBatch[]> {
  const { rows } = await sql<ExpiryBatch>`
    select b.batch_no, b.event_id, b.n, b.expired_by, j.rows, j.reads, j.last,
      (select at from prov_record where participant_id = ${participant_id} and event_id = b.event_id) as entry
    from (select * from read_batch where participant_id = ${participant_id} and batch_no > ${after}
      order by batch_no limit ${limit}) b
    left join lateral (select count(*)::int4 as rows, coalesce(sum(n), 0)::int4 as reads, max(at) as last
      from read_journal where participant_id = ${participant_id} and batch_no = b.batch_no) j on true
    order by b.batch_no`.execute(tx)
  return rows
}

export interface ExpiryBatch {
  batch_no: bigint
  event_id: Uuid
  n: number
  expired_by: Uuid | null
  /** When the entry says that it was made. */
  entry: Date | null
  /** Of the journal. */
  rows: number
  reads: number
  last: Date | null
}

export async function markExpired(
  tx: Tx,
  participant_id: Uuid,
  { from, upto, event }: { from: bigint; upto: bigint; event: Uuid },
): Promise<void> {
  await tx
    .updateTable('read_batch')
    .set({ expired_by: event })
    .where('participant_id', '=', participant_id)
    .where('batch_no', '>', from)
    .where('batch_no', '<=', upto)
    .execute()
  await tx.updateTable('read_head').set({ expired_no: upto }).where('participant_id', '=', participant_id).execute()
}

/** How many reads were made up to a moment, their batch's entry too, and are still there. */
export async function overReads(db: Db, participant_id: Uuid, before: Date): Promise<number> {
  const { n } = await db
    .selectFrom('read_journal')
    .select((eb) => eb.fn.coalesce(eb.fn.sum<bigint>('n'), sql<bigint>`0`).as('n'))
    .where('participant_id', '=', participant_id)
    .where('at', '<=', before)
    .where('batch_no', 'in', (eb) =>
      eb
        .selectFrom('read_batch as b')
        .innerJoin('prov_record as r', (join) =>
          join.onRef('r.participant_id', '=', 'b.participant_id').onRef('r.event_id', '=', 'b.event_id'),
        )
        .select('b.batch_no')
        .where('b.participant_id', '=', participant_id)
        .where('r.at', '<=', before),
    )
    .executeTakeFirstOrThrow()
  return Number(n)
}

/** Takes the reads away; what the batches are stays. */
export async function deleteReads(
  tx: Tx,
  participant_id: Uuid,
  { from, upto, until }: { from: bigint; upto: bigint; until: Date },
): Promise<void> {
  await tx
    .deleteFrom('read_journal')
    .where('participant_id', '=', participant_id)
    .where('batch_no', '>', from)
    .where('batch_no', '<=', upto)
    .execute()
  await tx
    .updateTable('read_head')
    .set({ gone_no: upto, gone_until: until })
    .where('participant_id', '=', participant_id)
    .execute()
}

import { type Selectable, sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { askKept } from '../db/kept.ts'
import type { FeedEntryTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'

export const headOf = (tx: Tx, feed_id: Uuid) =>
  tx
    .selectFrom('feed_head')
    .select(['next_seq', 'retained_from', 'sealed_seq'])
    .where('feed_id', '=', feed_id)
    .executeTakeFirst()

export const headsOf = (tx: Tx, feeds: readonly Uuid[]) =>
  tx
    .selectFrom('feed_head')
    .select(['feed_id', 'next_seq', 'retained_from', 'sealed_seq'])
    .where(sql<boolean>`feed_id = any(${feeds}::uuid[])`)
    .execute()

const ENTRY = ['seq', 'kind', 'origin', 'signal_id', 'revision', 'submission_id', 'body'] as const

export const entriesAfter = (
  db: Tx | Db,
  feed_id: Uuid,
  range: { after: bigint; until: bigint | null; limit: number },
) => {
  const query = db
    .selectFrom('feed_entry')
    .select(ENTRY)
    .where('feed_id', '=', feed_id)
    .where('seq', '>', range.after)
    .orderBy('seq')
    .limit(range.limit)
  return (range.until === null ? query : query.where('seq', '<=', range.until)).execute()
}

/** The last sequence of a feed that a participant may see, by its stay as it is now; null while that has no end. */
export async function untilOf(tx: Tx, feed_id: Uuid, participant_id: Uuid): Promise<bigint | null> {
  const row = await tx
    .selectFrom('feed as f')
    .innerJoin('audience_member as m', 'm.audience_id', 'f.audience_id')
    .select('m.until_seq')
    .where('f.feed_id', '=', feed_id)
    .where('m.participant_id', '=', participant_id)
    .executeTakeFirst()
  return row?.until_seq ?? null
}

/** Which revisions of which signals a run of a feed has, without their text. */
export const namesAfter = (db: Tx | Db, feed_id: Uuid, { after, limit }: { after: bigint; limit: number }) =>
  db
    .selectFrom('feed_entry')
    .select(['origin', 'signal_id', 'revision'])
    .where('feed_id', '=', feed_id)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute()

type PlacedEntry = Pick<
  Selectable<FeedEntryTable>,
  'seq' | 'origin' | 'signal_id' | 'revision' | 'submission_id' | 'body'
>

/**
 * Entries at their places, each with the body of the submission that proves it, if one does. Place by place: for a list of
 * them, a database that has no statistics of a feed yet reads the whole of it.
 */
export const entriesAt = (tx: Tx, feed_id: Uuid, seqs: readonly bigint[]) =>
  askKept(
    tx,
    sql<PlacedEntry & { proof: string | null }>`select e.*, (select s.body from feed_submission as s
        where s.feed_id = ${feed_id} and s.submission_id = e.submission_id) as proof
      from unnest(${seqs}::int8[]) as place(at)
      cross join lateral (select seq, origin, signal_id, revision, submission_id, body from feed_entry
        where feed_id = ${feed_id} and seq = place.at limit 1) as e`,
  )

export const submissionBodies = (db: Tx | Db, feed_id: Uuid, ids: readonly Uuid[]) =>
  db
    .selectFrom('feed_submission')
    .select(['submission_id', 'body'])
    .where('feed_id', '=', feed_id)
    .where(sql<boolean>`submission_id = any(${ids}::uuid[])`)
    .orderBy('submission_id')
    .execute()

/** Whether a submission stands in a feed, within the part of it that a reader may see. */
export async function holdsSubmission(
  tx: Tx,
  feed_id: Uuid,
  part: { submission_id: Uuid; from_seq: bigint; until_seq: bigint | null },
): Promise<boolean> {
  const { submission_id, from_seq, until_seq } = part
  const [present] = await submissionBodies(tx, feed_id, [submission_id])
  if (present === undefined || (from_seq <= 1n && until_seq === null)) return present !== undefined
  const query = tx
    .selectFrom('feed_entry')
    .select('seq')
    .where('feed_id', '=', feed_id)
    .where('seq', '>=', from_seq)
    .where('submission_id', '=', submission_id)
    .limit(1)
  const within = until_seq === null ? query : query.where('seq', '<=', until_seq)
  return (await within.executeTakeFirst()) !== undefined
}

// ---- what is where

/** The first event at or after a sequence. */
const eventFrom = (tx: Tx, feed_id: Uuid, seq: bigint) =>
  tx
    .selectFrom('feed_entry')
    .select(['seq', 'log_idx'])
    .where('feed_id', '=', feed_id)
    .where('seq', '>=', seq)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst()

/** The first sequence at or after a place of the log, by halves: both rise together, and no index over them is kept for this. */
export async function firstAt(tx: Tx, feed_id: Uuid, place: bigint): Promise<bigint> {
  let low = 0n
  let high: bigint = (await headOf(tx, feed_id))?.next_seq ?? 1n
  while (low < high) {
    const middle = (low + high) / 2n
    const row = await eventFrom(tx, feed_id, middle)
    if (row === undefined || row.log_idx >= place) high = middle
    else low = row.seq + 1n
  }
  return low
}

/** A source's events in a part of a feed, in order; of one signal if it is named. */
export const eventsOf = (
  tx: Tx,
  feed_id: Uuid,
  of: { origin: Uuid; signal?: Uuid; from: bigint; to: bigint },
): Promise<{ seq: bigint; signal_id: Uuid; revision: number }[]> => {
  const query = tx
    .selectFrom('feed_entry')
    .select(['seq', 'signal_id', 'revision'])
    .where('feed_id', '=', feed_id)
    .where('seq', '>=', of.from)
    .where('seq', '<=', of.to)
    .where('origin', '=', of.origin)
    .orderBy('seq')
  return (of.signal === undefined ? query : query.where('signal_id', '=', of.signal)).execute()
}

/** The submissions that hold revisions of one signal, its withdrawal among them. */
export async function submissionsWith(tx: Tx, participant_id: Uuid, signal_id: Uuid): Promise<Uuid[]> {
  const rows = await tx
    .selectFrom('signal_revision')
    .select('submission_id')
    .distinct()
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', signal_id)
    .execute()
  return rows.map(({ submission_id }) => submission_id)
}

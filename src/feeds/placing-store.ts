import { sql } from 'kysely'
import { jsonTexts, plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

export const nextIndex = async (db: Db, log_id: number): Promise<bigint> => {
  const row = await db
    .selectFrom('projector')
    .select('next_idx')
    .where('log_id', '=', log_id)
    .where('name', '=', 'feeds')
    .executeTakeFirst()
  return row?.next_idx ?? 0n
}

export async function moveNextIndex(tx: Tx, log_id: number, next_idx: bigint): Promise<void> {
  await tx
    .insertInto('projector')
    .values({ log_id, name: 'feeds', next_idx })
    .onConflict((oc) => oc.columns(['log_id', 'name']).doUpdateSet({ next_idx }))
    .execute()
}

export const lockFeed = (tx: Tx, feed_id: Uuid) =>
  tx
    .selectFrom('feed_head')
    .select(['next_seq', 'applied_idx', 'added_us', 'sealed_seq'])
    .where('feed_id', '=', feed_id)
    .forUpdate()
    .executeTakeFirstOrThrow()

export interface EntryRow {
  seq: bigint
  log_idx: bigint
  kind: number
  origin: Uuid
  signal_id: Uuid
  revision: number
  submission_id: Uuid
  body: string
  added_us: bigint
}

/** Entries and the submissions that prove them, in one statement. */
export async function insertEntries(
  tx: Tx,
  feed_id: Uuid,
  rows: { entries: readonly EntryRow[]; submissions: readonly { submission_id: Uuid; body: string }[] },
): Promise<void> {
  const { entries: e, submissions: s } = rows
  await sql`
    with new_submission as (
      insert into feed_submission (feed_id, submission_id, body)
      select ${feed_id}::uuid, * from unnest(
        ${plainArray(s.map((x) => x.submission_id))}::uuid[], string_to_array(${jsonTexts(s.map((x) => x.body))}, E'\\x1f'))
      on conflict (feed_id, submission_id) do nothing
    )
    insert into feed_entry (feed_id, seq, log_idx, kind, origin, signal_id, revision, submission_id, added_us, body)
    select ${feed_id}::uuid, * from unnest(
      ${plainArray(e.map((x) => x.seq))}::int8[], ${plainArray(e.map((x) => x.log_idx))}::int8[],
      ${plainArray(e.map((x) => x.kind))}::int2[], ${plainArray(e.map((x) => x.origin))}::uuid[],
      ${plainArray(e.map((x) => x.signal_id))}::uuid[], ${plainArray(e.map((x) => x.revision))}::int4[],
      ${plainArray(e.map((x) => x.submission_id))}::uuid[], ${plainArray(e.map((x) => x.added_us))}::int8[],
      string_to_array(${jsonTexts(e.map((x) => x.body))}, E'\\x1f'))`.execute(tx)
}

export async function moveFeed(
  tx: Tx,
  feed_id: Uuid,
  head: { next_seq: bigint; applied_idx: bigint; added_us: bigint },
): Promise<void> {
  await tx.updateTable('feed_head').set(head).where('feed_id', '=', feed_id).execute()
}

/** Where entries of these log indices stand, for a round that is done again. */
export const placesOf = (tx: Tx, feed_id: Uuid, range: { from: bigint; to: bigint }) =>
  tx
    .selectFrom('feed_entry')
    .select(['seq', 'log_idx', 'signal_id', 'revision'])
    .where('feed_id', '=', feed_id)
    .where('log_idx', '>=', range.from)
    .where('log_idx', '<=', range.to)
    .orderBy('seq')
    .execute()

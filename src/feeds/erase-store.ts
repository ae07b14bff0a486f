import { sql } from 'kysely'
import { bytesArray, hexArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { ENTRY_BYTES } from '../matching/sealed.ts'

/** The head, locked: nothing is placed or sealed there meanwhile, and what was read before is not sealed. */
export async function lockForErasure(tx: Tx, feed_id: Uuid) {
  const head = await tx
    .selectFrom('feed_head')
    .select(['next_seq', 'sealed_seq', 'erasures'])
    .where('feed_id', '=', feed_id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  await tx
    .updateTable('feed_head')
    .set({ erasures: head.erasures + 1n })
    .where('feed_id', '=', feed_id)
    .execute()
  return head
}

export const feedsOf = (tx: Tx, audiences: readonly Uuid[]) =>
  tx
    .selectFrom('feed')
    .select(['feed_id', 'audience_id'])
    .where(sql<boolean>`audience_id = any(${audiences}::uuid[])`)
    .execute()

export const nextSeq = async (tx: Tx, feed_id: Uuid): Promise<bigint> => {
  const row = await tx.selectFrom('feed_head').select('next_seq').where('feed_id', '=', feed_id).executeTakeFirst()
  return row?.next_seq ?? 1n
}

/** The first event at or after a sequence. */
export const placeFrom = (tx: Tx, feed_id: Uuid, seq: bigint) =>
  tx
    .selectFrom('feed_entry')
    .select(['seq', 'log_idx'])
    .where('feed_id', '=', feed_id)
    .where('seq', '>=', seq)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst()

/** One source's events of these signals between two sequences. */
export const eventsBetween = (
  tx: Tx,
  feed_id: Uuid,
  of: { origin: Uuid; signals: readonly Uuid[]; from: bigint; to: bigint },
) =>
  tx
    .selectFrom('feed_entry')
    .select(['seq', 'signal_id', 'revision', 'body'])
    .where('feed_id', '=', feed_id)
    .where('seq', '>=', of.from)
    .where('seq', '<', of.to)
    .where('origin', '=', of.origin)
    .where(sql<boolean>`signal_id = any(${of.signals}::uuid[])`)
    .orderBy('seq')
    .execute()

export async function rewriteEntry(tx: Tx, feed_id: Uuid, { seq, body }: { seq: bigint; body: string }): Promise<void> {
  await tx.updateTable('feed_entry').set({ body }).where('feed_id', '=', feed_id).where('seq', '=', seq).execute()
}

export async function forgetKeys(
  tx: Tx,
  of: { origin: Uuid; signals: readonly { signal_id: Uuid; signal_key: Buffer }[] },
): Promise<void> {
  const keys = hexArray(of.signals.map(({ signal_key }) => signal_key.toString('hex')))
  await sql`delete from shared_signal where signal_key = any(${keys}::bytea[]) and origin = ${of.origin}::uuid
    and signal_id = any(${of.signals.map(({ signal_id }) => signal_id)}::uuid[])`.execute(tx)
}

/** Of a sealed feed: what could be opened, and the buckets that hold entries of it; the place stays until its tombstone. */
export async function forgetSealed(
  tx: Tx,
  feed_id: Uuid,
  of: { origin: Uuid; signals: readonly Uuid[] },
): Promise<void> {
  await tx
    .updateTable('sealed_signal')
    .set({ entry: Buffer.alloc(ENTRY_BYTES), body: '', expires_at: new Date(0) })
    .where('feed_id', '=', feed_id)
    .where('origin', '=', of.origin)
    .where(sql<boolean>`signal_id = any(${of.signals}::uuid[])`)
    .execute()
  await tx.deleteFrom('sealed_snapshot').where('feed_id', '=', feed_id).execute()
  await tx.deleteFrom('sealed_bucket').where('feed_id', '=', feed_id).execute()
}

/** The newest generation of the segment that begins there. */
export const segmentFrom = (tx: Tx, feed_id: Uuid, first_seq: bigint) =>
  tx
    .selectFrom('feed_segment')
    .select(['generation', 'n', 'set_salt', 'sets'])
    .where('feed_id', '=', feed_id)
    .where('first_seq', '=', first_seq)
    .orderBy('generation', 'desc')
    .limit(1)
    .executeTakeFirst()

export const entriesIn = (tx: Tx, feed_id: Uuid, range: { from: bigint; n: number }) =>
  tx
    .selectFrom('feed_entry')
    .select(['kind', 'submission_id', 'body'])
    .where('feed_id', '=', feed_id)
    .where('seq', '>=', range.from)
    .orderBy('seq')
    .limit(range.n)
    .execute()

export const submissionsIn = (tx: Tx, feed_id: Uuid, ids: readonly Uuid[]) =>
  tx
    .selectFrom('feed_submission')
    .select(['submission_id', 'body'])
    .where('feed_id', '=', feed_id)
    .where(sql<boolean>`submission_id = any(${ids}::uuid[])`)
    .execute()

export interface NewGeneration {
  feed_id: Uuid
  first_seq: bigint
  generation: number
  n: number
  digest: Buffer
  set_salt: Buffer
  sets: string
  bytes: Buffer
}

/** The next generation of a segment in the place of those before. */
export async function replaceSegment(tx: Tx, row: NewGeneration): Promise<void> {
  await tx.insertInto('feed_segment').values(row).execute()
  await tx
    .deleteFrom('feed_segment')
    .where('feed_id', '=', row.feed_id)
    .where('first_seq', '=', row.first_seq)
    .where('generation', '<', row.generation)
    .execute()
}

/** Of these digests those of segments that are given out. */
export async function liveDigests(db: Db, digests: readonly Buffer[]): Promise<Buffer[]> {
  const rows = await db
    .selectFrom('feed_segment')
    .select('digest')
    .where(sql<boolean>`digest = any(${bytesArray(digests)}::bytea[])`)
    .execute()
  return rows.map(({ digest }) => digest)
}

// ---- who was asked, and who has answered

/** Where tombstones of one log place stand at the latest; undefined before they are in the feed. */
export const lastAt = async (tx: Tx, feed_id: Uuid, { before, place }: { before: bigint; place: bigint }) => {
  const row = await tx
    .selectFrom('feed_entry')
    .select(['seq', 'log_idx'])
    .where('feed_id', '=', feed_id)
    .where('seq', '<', before)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.log_idx === place ? row.seq : undefined
}

export const acksIn = (tx: Tx, participant_id: Uuid, feeds: readonly Uuid[]) =>
  tx
    .selectFrom('feed_ack')
    .select(['feed_id', 'stage', 'seq'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`feed_id = any(${feeds}::uuid[])`)
    .execute()

import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
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

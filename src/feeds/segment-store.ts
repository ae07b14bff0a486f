import { type Selectable, sql } from 'kysely'
import { bytesArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { copyBytes } from '../db/copy-out.ts'
import type { FeedSegmentTable } from '../db/tables.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'

type SegmentRow = Selectable<FeedSegmentTable>

export const sealable = (db: Db, size: number) =>
  db
    .selectFrom('feed_head')
    .select(['feed_id', 'sealed_seq', 'erasures'])
    .where(sql<boolean>`next_seq - 1 - sealed_seq >= ${size}`)
    .execute()

/**
 * The segment first, then the mark that it may be asked for; nothing if an erasure came between, since the entries were
 * read when the feed had seen so many, or another sealer, who may be further.
 */
export async function insertSegment(tx: Tx, row: SegmentRow, erasures: bigint): Promise<void> {
  const head = await tx
    .selectFrom('feed_head')
    .select(['erasures', 'sealed_seq'])
    .where('feed_id', '=', row.feed_id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  if (head.erasures !== erasures || head.sealed_seq !== row.first_seq - 1n) return
  await tx
    .insertInto('feed_segment')
    .values(row)
    .onConflict((oc) => oc.doNothing())
    .execute()
  await tx
    .updateTable('feed_head')
    .set({ sealed_seq: row.first_seq + BigInt(row.n) - 1n })
    .where('feed_id', '=', row.feed_id)
    .execute()
}

/** The newest generation of each segment that begins from `from` to before `until`. */
export const segmentsIn = (tx: Tx, feed_id: Uuid, { from, until }: { from: bigint; until: bigint }) =>
  tx
    .selectFrom('feed_segment')
    .distinctOn('first_seq')
    .select(['first_seq', 'generation', 'n', 'digest', 'set_salt', 'sets'])
    .select(sql<number>`octet_length(bytes)`.as('size'))
    .where('feed_id', '=', feed_id)
    .where('first_seq', '>=', from)
    .where('first_seq', '<', until)
    .orderBy('first_seq')
    .orderBy('generation', 'desc')
    .execute()

/** Bytes of a segment that the driver gathers at once. */
const PIECE = 65_536

/** Undefined once an erasure has replaced that generation: its bytes are given out no more. */
export const segmentBytes = (
  tx: Tx,
  feed_id: Uuid,
  { first_seq, generation, size }: Pick<SegmentRow, 'first_seq' | 'generation'> & { size: number },
): Promise<Buffer | undefined> => {
  if (!isUuid(feed_id) || !Number.isInteger(generation)) throw new TypeError('not a segment')
  return copyBytes(
    tx,
    `select substring(bytes from ${PIECE} * piece + 1 for ${PIECE})
     from (select bytes from feed_segment where feed_id = '${feed_id}' and first_seq = ${BigInt(first_seq)}
       and generation = ${generation}) as segment,
     generate_series(0, (octet_length(bytes) - 1) / ${PIECE}) as piece
     order by piece`,
    size,
  )
}

/** The next generation of a segment in the place of those before. */
export async function replaceSegment(tx: Tx, row: SegmentRow): Promise<void> {
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

import { sql } from 'kysely'
import { bytesArray, jsonTexts, plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { copyBytes } from '../db/copy-out.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'
import { ENTRY_BYTES } from '../matching/sealed.ts'
import type { SealedName, SealedRow } from './seal.ts'

// ---- live entries

/** Where signals stand in a sealed feed, whosever they are. */
export const sealedPlaces = (tx: Tx, feed_id: Uuid, signals: readonly Uuid[]) =>
  tx
    .selectFrom('sealed_signal')
    .select(['signal_id', 'origin', 'seq'])
    .where('feed_id', '=', feed_id)
    .where(sql<boolean>`signal_id = any(${signals}::uuid[])`)
    .execute()

export async function upsertSealed(tx: Tx, feed_id: Uuid, rows: readonly SealedRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into sealed_signal (feed_id, signal_id, origin, revision, seq, submission_id, expires_at, entry, body)
    select ${feed_id}::uuid, * from unnest(
      ${plainArray(rows.map((x) => x.signal_id))}::uuid[], ${plainArray(rows.map((x) => x.origin))}::uuid[],
      ${plainArray(rows.map((x) => x.revision))}::int4[], ${plainArray(rows.map((x) => x.seq))}::int8[],
      ${plainArray(rows.map((x) => x.submission_id))}::uuid[],
      ${plainArray(rows.map((x) => x.expires_at.toISOString()))}::timestamptz[],
      ${bytesArray(rows.map((x) => x.entry))}::bytea[],
      string_to_array(${jsonTexts(rows.map((x) => x.body))}, E'\\x1f'))
    on conflict (feed_id, signal_id, origin) do update set
      revision = excluded.revision, seq = excluded.seq, submission_id = excluded.submission_id,
      expires_at = excluded.expires_at, entry = excluded.entry, body = excluded.body`.execute(tx)
}

export async function deleteSealed(tx: Tx, feed_id: Uuid, gone: readonly SealedName[]): Promise<void> {
  for (const [origin, own] of Map.groupBy(gone, (one) => one.origin)) {
    await tx
      .deleteFrom('sealed_signal')
      .where('feed_id', '=', feed_id)
      .where('origin', '=', origin)
      .where(sql<boolean>`signal_id = any(${own.map(({ signal_id }) => signal_id)}::uuid[])`)
      .execute()
  }
}

/** The live signals of an id, of each source that has one; row-level security cuts what is not the reader's. */
export const sealedSignals = (tx: Tx, feed_id: Uuid, signal_id: Uuid, now: Date) =>
  tx
    .selectFrom('sealed_signal as s')
    .innerJoin('feed_entry as e', (join) => join.onRef('e.feed_id', '=', 's.feed_id').onRef('e.seq', '=', 's.seq'))
    .select(['s.signal_id', 's.origin', 's.revision', 's.submission_id', 's.body', 'e.log_idx'])
    .where('s.feed_id', '=', feed_id)
    .where('s.signal_id', '=', signal_id)
    .where('s.expires_at', '>', now)
    .orderBy('s.origin')
    .execute()

/** Signals that left a full audience for a sealed one are found by their key no more. */
export async function hideShared(
  tx: Tx,
  rows: readonly { signal_key: Buffer; signal_id: Uuid; origin: Uuid; log_idx: bigint }[],
): Promise<void> {
  for (const [origin, own] of Map.groupBy(rows, (one) => one.origin)) {
    const [last = 0n] = own.map(({ log_idx }) => log_idx).sort((a, b) => (a < b ? 1 : -1))
    await tx
      .updateTable('shared_signal')
      .set({ state: 2, log_idx: last })
      .where(sql<boolean>`signal_key = any(${bytesArray(own.map(({ signal_key }) => signal_key))}::bytea[])`)
      .where(sql<boolean>`signal_id = any(${own.map(({ signal_id }) => signal_id)}::uuid[])`)
      .where('origin', '=', origin)
      .where('log_idx', '<', last)
      .execute()
  }
}

// ---- buckets

export const countSealed = async (db: Db, feed_id: Uuid): Promise<number> => {
  const row = await db
    .selectFrom('sealed_signal')
    .select((eb) => eb.fn.countAll<bigint>().as('n'))
    .where('feed_id', '=', feed_id)
    .executeTakeFirstOrThrow()
  return Number(row.n)
}

/** Of one page of entries. */
const PAGE = 20_000
const PAGE_ROW = 32 + ENTRY_BYTES

/** Every live entry of a feed, one behind the other. */
export async function sealedEntries(tx: Tx, feed_id: Uuid): Promise<Buffer> {
  if (!isUuid(feed_id)) throw new TypeError('not a UUID')
  const pages: Buffer[] = []
  for (let after = ''; ; ) {
    const packed = await copyBytes(
      tx,
      `select string_agg(uuid_send(signal_id) || uuid_send(origin) || entry, ''::bytea order by signal_id, origin)
       from (select signal_id, origin, entry from sealed_signal where feed_id = '${feed_id}' and body <> '' ${after}
         order by signal_id, origin limit ${PAGE}) as page
       having count(*) > 0`,
      PAGE * PAGE_ROW,
    )
    const page = packed ?? Buffer.alloc(0)
    const rows = Array.from({ length: page.length / PAGE_ROW }, (_, i) =>
      page.subarray(PAGE_ROW * i, PAGE_ROW * (i + 1)),
    )
    pages.push(...rows.map((row) => row.subarray(32)))
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE) return Buffer.concat(pages)
    after = `and (signal_id, origin) > ('${last.toString('hex', 0, 16)}', '${last.toString('hex', 16, 32)}')`
  }
}

export const headForSnapshot = (tx: Tx, feed_id: Uuid) =>
  tx.selectFrom('feed_head').select(['next_seq', 'erasures']).where('feed_id', '=', feed_id).executeTakeFirstOrThrow()

/** Until the snapshot is there, nothing of the feed is erased. */
export const lockForSnapshot = (tx: Tx, feed_id: Uuid) =>
  tx.selectFrom('feed_head').select('erasures').where('feed_id', '=', feed_id).forUpdate().executeTakeFirstOrThrow()

export async function deleteBuckets(tx: Tx, feed_id: Uuid, snapshot: bigint): Promise<void> {
  await tx.deleteFrom('sealed_bucket').where('feed_id', '=', feed_id).where('snapshot', '=', snapshot).execute()
}

export interface SnapshotRow {
  feed_id: Uuid
  /** The feed's sequence up to which it is made. */
  snapshot: bigint
  /** Null: too many entries for buckets. */
  bits: number | null
  /** Entries of a bucket. */
  width: number
  made_at: Date
}

export const newestSnapshot = (tx: Tx | Db, feed_id: Uuid) =>
  tx
    .selectFrom('sealed_snapshot')
    .select(['snapshot', 'bits', 'width', 'made_at'])
    .where('feed_id', '=', feed_id)
    .orderBy('snapshot', 'desc')
    .limit(1)
    .executeTakeFirst()

export const snapshotAt = (tx: Tx, feed_id: Uuid, snapshot: bigint) =>
  tx
    .selectFrom('sealed_snapshot')
    .select(['bits', 'width'])
    .where('feed_id', '=', feed_id)
    .where('snapshot', '=', snapshot)
    .executeTakeFirst()

export const bucketAt = (tx: Tx, feed_id: Uuid, at: { snapshot: bigint; prefix: number }) =>
  tx
    .selectFrom('sealed_bucket')
    .select('body')
    .where('feed_id', '=', feed_id)
    .where('snapshot', '=', at.snapshot)
    .where('prefix', '=', at.prefix)
    .executeTakeFirst()

/** A part of a snapshot that nobody is shown yet; done again it has other padding, so what was there goes. */
export async function insertBuckets(
  tx: Tx,
  { feed_id, snapshot }: { feed_id: Uuid; snapshot: bigint },
  buckets: readonly { prefix: number; body: Uint8Array }[],
): Promise<void> {
  await sql`
    insert into sealed_bucket (feed_id, snapshot, prefix, body)
    select ${feed_id}::uuid, ${snapshot}::int8, * from unnest(
      ${plainArray(buckets.map(({ prefix }) => prefix))}::int4[], ${bytesArray(buckets.map(({ body }) => body))}::bytea[])
    on conflict (feed_id, snapshot, prefix) do update set body = excluded.body`.execute(tx)
}

export async function insertSnapshot(tx: Tx, row: SnapshotRow): Promise<void> {
  await tx
    .insertInto('sealed_snapshot')
    .values(row)
    .onConflict((oc) => oc.doNothing())
    .execute()
}

/** How many snapshots are kept: whoever was told the last but one may still be asking for its buckets. */
const KEPT = 2

export async function deleteOldSnapshots(tx: Tx, feed_id: Uuid): Promise<void> {
  const kept = await tx
    .selectFrom('sealed_snapshot')
    .select('snapshot')
    .where('feed_id', '=', feed_id)
    .orderBy('snapshot', 'desc')
    .limit(KEPT)
    .execute()
  const oldest = kept.at(-1)?.snapshot
  if (oldest === undefined) return
  await tx.deleteFrom('sealed_snapshot').where('feed_id', '=', feed_id).where('snapshot', '<', oldest).execute()
  await tx.deleteFrom('sealed_bucket').where('feed_id', '=', feed_id).where('snapshot', '<', oldest).execute()
}

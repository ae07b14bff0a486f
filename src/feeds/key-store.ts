import { sql } from 'kysely'
import { bytesArray, hexArray, plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import { copyBytes } from '../db/copy-out.ts'
import { askKept } from '../db/kept.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Placed } from './plan.ts'

/** A later state of the same source's signal; what another source calls by the same id is another row. */
export async function upsertShared(tx: Tx, rows: readonly Placed[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into shared_signal (signal_key, signal_id, origin, type, profile, audience_id, revision, state, expires_at,
      log_idx, feed_id, seq)
    select * from unnest(
      ${bytesArray(rows.map((x) => x.signal_key))}::bytea[], ${plainArray(rows.map((x) => x.signal_id))}::uuid[],
      ${plainArray(rows.map((x) => x.origin))}::uuid[], ${plainArray(rows.map((x) => x.type))}::int2[],
      ${rows.map((x) => x.profile)}::text[], ${plainArray(rows.map((x) => x.audience_id))}::uuid[],
      ${plainArray(rows.map((x) => x.revision))}::int4[], ${plainArray(rows.map((x) => x.state))}::int2[],
      ${plainArray(rows.map((x) => x.expires_at.toISOString()))}::timestamptz[],
      ${plainArray(rows.map((x) => x.log_idx))}::int8[], ${plainArray(rows.map((x) => x.feed_id))}::uuid[],
      ${plainArray(rows.map((x) => x.seq))}::int8[])
    on conflict (signal_key, signal_id, origin) do update set
      audience_id = excluded.audience_id, revision = excluded.revision, state = excluded.state,
      expires_at = excluded.expires_at, log_idx = excluded.log_idx, feed_id = excluded.feed_id, seq = excluded.seq
    where excluded.log_idx > shared_signal.log_idx`.execute(tx)
}

/** Live signals behind the keys, in hex, that the open transaction's participant may see: row-level security cuts the rest. */
export const lookUp = (tx: Tx, keys: readonly string[], now: Date) =>
  askKept(
    tx,
    tx
      .selectFrom('shared_signal')
      .select(['signal_key', 'signal_id', 'type', 'profile', 'origin', 'revision', 'feed_id', 'seq', 'log_idx'])
      .where(sql<boolean>`signal_key = any(${hexArray(keys)}::bytea[])`)
      .where('state', '=', 1)
      .where('expires_at', '>', now),
  )

/** Bytes of a key, and of the three ids behind it: which signal, whose, and the audience. */
export const KEY_ROW = 80
/** Keys that the driver gathers at once, 64 KiB: it keeps memory for the longest row that came. */
const KEYS_TOGETHER = 800

/** A page of every key that is shared, one row of `KEY_ROW` bytes behind the other, so that reading them all leaves little behind. */
export async function sharedKeys(
  tx: Tx,
  { after, limit }: { after: Buffer | undefined; limit: number },
): Promise<Buffer> {
  const from =
    after === undefined
      ? ''
      : `where (signal_key, signal_id, origin) >
        ('\\x${after.toString('hex', 0, 32)}'::bytea, '${after.toString('hex', 32, 48)}', '${after.toString('hex', 48, 64)}')`
  const packed = await copyBytes(
    tx,
    `select string_agg(row, ''::bytea order by nr)
     from (select signal_key || uuid_send(signal_id) || uuid_send(origin) || uuid_send(audience_id) as row,
         row_number() over (order by signal_key, signal_id, origin) - 1 as nr
       from (select signal_key, signal_id, origin, audience_id from shared_signal ${from}
         order by signal_key, signal_id, origin limit ${Number(limit)}) as page) as numbered
     group by nr / ${KEYS_TOGETHER}
     order by nr / ${KEYS_TOGETHER}`,
    KEY_ROW * limit,
  )
  return packed ?? Buffer.alloc(0)
}

export async function forgetKeys(
  tx: Tx,
  of: { origin: Uuid; signals: readonly { signal_id: Uuid; signal_key: Buffer }[] },
): Promise<void> {
  const keys = hexArray(of.signals.map(({ signal_key }) => signal_key.toString('hex')))
  await sql`delete from shared_signal where signal_key = any(${keys}::bytea[]) and origin = ${of.origin}::uuid
    and signal_id = any(${of.signals.map(({ signal_id }) => signal_id)}::uuid[])`.execute(tx)
}

import { sql } from 'kysely'
import { hexArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { EntryRow } from './placing-store.ts'

/** An event of one signal in a feed, and what its first one there was. */
export interface ObjectEntry extends EntryRow {
  first_us: bigint | null
  first_body: string | null
  superseded: boolean
}

export interface ObjectRange {
  after: bigint
  limit: number
  /** `object_key` of signals, in hex; all signals unless given. */
  keys?: readonly string[] | undefined
}

/** Events of signals; in inboxes stand others. */
const LAST_KIND = 7

/**
 * In order. Of each is told whether something was said of its signal later, which takes its place; that is looked up entry by entry, since
 * a join would be planned by guesses of how many there are.
 */
export async function objectsAfter(tx: Tx, feed_id: Uuid, { after, limit, keys }: ObjectRange): Promise<ObjectEntry[]> {
  const named = keys === undefined ? sql`true` : sql`e.object_key = any(${hexArray(keys)}::bytea[])`
  const { rows } = await sql<ObjectEntry>`
    with page as materialized (
      select e.seq, e.log_idx, e.kind, e.origin, e.signal_id, e.revision, e.submission_id, e.body, e.added_us
      from feed_entry e
      where e.feed_id = ${feed_id}::uuid and e.seq > ${after}::int8 and e.kind <= ${LAST_KIND} and ${named}
      order by e.seq limit ${limit})
    select e.*, first.added_us as first_us, first.body as first_body,
      exists (
        select 1 from feed_entry n
        where n.feed_id = ${feed_id}::uuid and n.signal_id = e.signal_id
          and n.origin = e.origin and n.seq > e.seq and n.kind <= ${LAST_KIND}) as superseded
    from page e
    left join lateral (
      select f.added_us, f.body from feed_entry f
      where e.kind > 1 and f.feed_id = ${feed_id}::uuid
        and f.signal_id = e.signal_id and f.origin = e.origin and f.seq < e.seq
      order by f.seq limit 1) first on true
    order by e.seq`.execute(tx)
  return rows
}

/** The first entry at or after a sequence, and when it came. */
export const stampFrom = (tx: Tx, feed_id: Uuid, seq: bigint) =>
  tx
    .selectFrom('feed_entry')
    .select(['seq', 'added_us'])
    .where('feed_id', '=', feed_id)
    .where('seq', '>=', seq)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst()

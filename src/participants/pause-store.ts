import { sql } from 'kysely'
import { plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

export const audienceFeeds = (tx: Tx) =>
  tx
    .selectFrom('feed as f')
    .innerJoin('audience as a', 'a.audience_id', 'f.audience_id')
    .leftJoin('feed_pause as p', 'p.feed_id', 'f.feed_id')
    .select(['f.feed_id', 'a.audience_id', 'a.kind', 'a.label', 'p.paused', 'p.reason', 'p.at'])
    .orderBy('a.kind')
    .orderBy('a.audience_id')
    .execute()

/** Whoever is a member of an audience now, by slug. */
export const membersNow = (tx: Tx) =>
  tx
    .selectFrom('audience_member as m')
    .innerJoin('participant as p', 'p.participant_id', 'm.participant_id')
    .select(['m.audience_id', 'p.slug'])
    .where('m.until_seq', 'is', null)
    .orderBy('p.slug')
    .execute()

/** How many entries stand in each feed. */
export async function entriesIn(db: Db, feeds: readonly Uuid[]): Promise<Map<Uuid, number>> {
  const rows = await db
    .selectFrom('feed_head')
    .select(['feed_id', 'next_seq'])
    .where(sql<boolean>`feed_id = any(${plainArray(feeds)}::uuid[])`)
    .execute()
  return new Map(rows.map(({ feed_id, next_seq }) => [feed_id, Number(next_seq) - 1]))
}

/** An inbox tells a participant of what concerns it alone: nobody pauses it. */
export const isOfAudience = async (tx: Tx, feed_id: Uuid): Promise<boolean> => {
  const row = await tx.selectFrom('feed').select('audience_id').where('feed_id', '=', feed_id).executeTakeFirst()
  return row !== undefined && row.audience_id !== null
}

export const pauseOf = (tx: Tx, feed_id: Uuid): Promise<{ paused: boolean; reason: string } | undefined> =>
  tx.selectFrom('feed_pause').select(['paused', 'reason']).where('feed_id', '=', feed_id).executeTakeFirst()

export async function setPause(
  tx: Tx,
  row: { feed_id: Uuid; paused: boolean; reason: string; at: Date; last_event: Uuid },
): Promise<void> {
  const { feed_id: _, ...change } = row
  await tx
    .insertInto('feed_pause')
    .values(row)
    .onConflict((oc) => oc.column('feed_id').doUpdateSet(change))
    .execute()
}

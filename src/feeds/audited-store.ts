import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

// What auditors see of what recipients find: no text, and no match key.

/** Every feed, with the audience or the participant that it is of. */
export const feeds = (db: Db) =>
  db.selectFrom('feed').select(['feed_id', 'audience_id', 'participant_id']).orderBy('feed_id').execute()

export const entriesAfter = (db: Db, feed_id: Uuid, { after, limit }: { after: bigint; limit: number }) =>
  db
    .selectFrom('feed_entry')
    .select(['seq', 'kind', 'origin', 'signal_id', 'revision'])
    .where('feed_id', '=', feed_id)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute()

/** Signals as look-ups have them, after a source's signal; a signal has one key, which is not told. */
export const sharedAfter = (db: Db, origin: Uuid, { after, limit }: { after: Uuid; limit: number }) =>
  db
    .selectFrom('shared_signal')
    .select(['signal_id', 'audience_id', 'revision', 'state', 'expires_at'])
    .where('origin', '=', origin)
    .where(sql<boolean>`signal_id > ${after}`)
    .orderBy('signal_id')
    .limit(limit)
    .execute()

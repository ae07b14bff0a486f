import { sql } from 'kysely'
import { bytesArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

export interface WordsFilter {
  type?: number | undefined
  origin?: Uuid | undefined
}

/** Live patterns and tactics that the open transaction's participant may see, by falling id. */
export function wordsPage(
  tx: Tx,
  page: { filter: WordsFilter; before: { signal: Uuid; origin: Uuid } | undefined; now: Date; limit: number },
) {
  const { filter, before, now, limit } = page
  let query = tx
    .selectFrom('shared_signal')
    .select(['signal_id', 'origin', 'type', 'revision', 'feed_id', 'seq', 'log_idx'])
    .where(sql<boolean>`(type = 9 or type = 11)`)
    .where('state', '=', 1)
    .where('expires_at', '>', now)
  if (filter.type !== undefined) query = query.where('type', '=', filter.type)
  if (filter.origin !== undefined) query = query.where('origin', '=', filter.origin)
  if (before !== undefined)
    query = query.where(sql<boolean>`(signal_id, origin) < (${before.signal}, ${before.origin})`)
  return query.orderBy('signal_id', 'desc').orderBy('origin', 'desc').limit(limit).execute()
}

/** One of them, by whose it is and the keys that its id has as a pattern and as a tactic. */
export const wordsOf = (tx: Tx, { origin, keys, now }: { origin: Uuid; keys: readonly Uint8Array[]; now: Date }) =>
  tx
    .selectFrom('shared_signal')
    .select(['signal_id', 'origin', 'type', 'revision', 'feed_id', 'seq', 'log_idx'])
    .where(sql<boolean>`signal_key = any(${bytesArray(keys)}::bytea[])`)
    .where('origin', '=', origin)
    .where('state', '=', 1)
    .where('expires_at', '>', now)
    .execute()

/** Which submissions brought the revisions of a signal, whosever it is; what of them a reader may see its feeds tell. */
export const revisionsOf = (db: Db, origin: Uuid, signal_id: Uuid, limit: number) =>
  db
    .selectFrom('signal_revision')
    .select(['revision', 'submission_id'])
    .where('participant_id', '=', origin)
    .where('signal_id', '=', signal_id)
    .orderBy('revision', 'desc')
    .limit(limit)
    .execute()

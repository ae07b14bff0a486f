import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'
import { EVENT_KIND } from './entry.ts'

/** Disputes of one signal in its source's inbox, the newest first. */
export const disputesHeard = (tx: Tx, inbox: Uuid, signal_id: Uuid, limit: number) =>
  tx
    .selectFrom('feed_entry')
    .select(['seq', 'body'])
    .where('feed_id', '=', inbox)
    .where('signal_id', '=', signal_id)
    .where('kind', '=', EVENT_KIND['dispute.opened'])
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute()

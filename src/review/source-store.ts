/** What the log tells of, read beside the source. */
import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { SIGNAL_STATE } from '../signals/schema.ts'

/** Signals of an event as their items say them, and what they are looked up by. */
export const itemsOf = (db: Db, participant_id: Uuid, submission_id: Uuid) =>
  itemsIn(db, participant_id).where('r.submission_id', '=', submission_id).execute()

/** What a signal said last, withdrawn or not; undefined once it is erased. */
export const newestOf = (db: Db, participant_id: Uuid, signal_id: Uuid) =>
  itemsIn(db, participant_id)
    .where('r.signal_id', '=', signal_id)
    .where('r.salt', 'is not', null)
    // A withdrawal is the last revision of what it ends, and says nothing of it.
    .where((eb) => eb.or([eb('s.state', '<>', SIGNAL_STATE.withdrawn), eb('r.revision', '<', eb.ref('s.revision'))]))
    .orderBy('r.revision', 'desc')
    .limit(1)
    .executeTakeFirst()

/** Signals that an event ended without a submission. */
export const endedBy = (db: Db, participant_id: Uuid, event: Uuid) =>
  db
    .selectFrom('signal')
    .select('signal_id')
    .where('participant_id', '=', participant_id)
    .where('last_event', '=', event)
    .where('state', 'in', [SIGNAL_STATE.expired, SIGNAL_STATE.erased])
    .execute()

/** Erased signals of a source after one, in order. */
export async function erasedAfter(
  db: Db,
  participant_id: Uuid,
  { after, limit }: { after: Uuid; limit: number },
): Promise<Uuid[]> {
  const rows = await db
    .selectFrom('signal')
    .select('signal_id')
    .where('participant_id', '=', participant_id)
    // As a literal: an index holds these alone.
    .where(sql<boolean>`state = 5`)
    .where('signal_id', '>', after)
    .orderBy('signal_id')
    .limit(limit)
    .execute()
  return rows.map(({ signal_id }) => signal_id)
}

/** Whether a signal is no more: withdrawn, run out or erased. */
export async function hasEnded(db: Db, participant_id: Uuid, signal_id: Uuid): Promise<boolean> {
  const row = await db
    .selectFrom('signal')
    .select('signal_id')
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', signal_id)
    .where('state', 'in', [SIGNAL_STATE.withdrawn, SIGNAL_STATE.expired, SIGNAL_STATE.erased])
    .executeTakeFirst()
  return row !== undefined
}

const itemsIn = (db: Db, participant_id: Uuid) =>
  db
    .selectFrom('signal_revision as r')
    .innerJoin('signal as s', (join) =>
      join.onRef('s.participant_id', '=', 'r.participant_id').onRef('s.signal_id', '=', 'r.signal_id'),
    )
    .select(['r.signal_id', 'r.revision', 'r.item', 'r.salt', 's.signal_key', 's.category'])
    .where('r.participant_id', '=', participant_id)

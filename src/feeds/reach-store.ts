import { sql } from 'kysely'
import { bytesArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

/** Where what a source said last of its own signals stands; of those in sealed audiences and of erased ones nothing does. */
export const ownPlaces = (tx: Tx, origin: Uuid, keys: readonly Uint8Array[]) =>
  tx
    .selectFrom('shared_signal')
    .select(['signal_id', 'audience_id', 'feed_id', 'seq'])
    .where(sql<boolean>`signal_key = any(${bytesArray(keys)}::bytea[])`)
    .where('origin', '=', origin)
    .execute()

/** How far some participants acknowledged some feeds, by the furthest of the given stages. */
export const acknowledged = (
  db: Db,
  of: { participants: readonly Uuid[]; feeds: readonly Uuid[]; stages: readonly number[] },
) =>
  db
    .selectFrom('feed_ack')
    .select((eb) => ['participant_id', 'feed_id', eb.fn.max('seq').as('seq')])
    .where(sql<boolean>`participant_id = any(${of.participants}::uuid[])`)
    .where(sql<boolean>`feed_id = any(${of.feeds}::uuid[])`)
    .where(sql<boolean>`stage = any(${of.stages}::int2[])`)
    .groupBy(['participant_id', 'feed_id'])
    .execute()

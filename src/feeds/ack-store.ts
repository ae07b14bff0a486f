import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

interface Ack {
  participant_id: Uuid
  feed_id: Uuid
  stage: number
  seq: bigint
  last_event: Uuid
}

/** A row of nothing, unless there is one: what is not there cannot be locked, and two first ones at once would not see each other. */
export async function beginAck(tx: Tx, ack: Omit<Ack, 'seq'>): Promise<void> {
  await tx
    .insertInto('feed_ack')
    .values({ ...ack, seq: 0n })
    .onConflict((oc) => oc.columns(['participant_id', 'feed_id', 'stage']).doNothing())
    .execute()
}

export async function upsertAck(tx: Tx, ack: Ack): Promise<void> {
  const { seq, last_event } = ack
  await tx
    .insertInto('feed_ack')
    .values(ack)
    .onConflict((oc) => oc.columns(['participant_id', 'feed_id', 'stage']).doUpdateSet({ seq, last_event }))
    .execute()
}

/** Locked. */
export const ackOf = (tx: Tx, participant_id: Uuid, feed_id: Uuid, stage: number) =>
  tx
    .selectFrom('feed_ack')
    .select('seq')
    .where('participant_id', '=', participant_id)
    .where('feed_id', '=', feed_id)
    .where('stage', '=', stage)
    .forUpdate()
    .executeTakeFirst()

/** Ends by source between two sequence numbers of a feed. */
export const endsBySource = (tx: Tx, feed_id: Uuid, range: { after: bigint; upto: bigint; kinds: readonly number[] }) =>
  tx
    .selectFrom('feed_entry')
    .select((eb) => ['origin', eb.fn.countAll<bigint>().as('n')])
    .where('feed_id', '=', feed_id)
    .where('seq', '>', range.after)
    .where('seq', '<=', range.upto)
    .where(sql<boolean>`kind = any(${range.kinds}::int2[])`)
    .groupBy('origin')
    .execute()

/** How far one participant acknowledged the ends of its feeds. */
export const acksOf = (db: Db, participant_id: Uuid) =>
  db
    .selectFrom('feed_ack')
    .select(['feed_id', 'stage', 'seq', 'last_event'])
    .where('participant_id', '=', participant_id)
    .orderBy('feed_id')
    .orderBy('stage')
    .execute()

export const acksIn = (tx: Tx, participant_id: Uuid, feeds: readonly Uuid[]) =>
  tx
    .selectFrom('feed_ack')
    .select(['feed_id', 'stage', 'seq'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`feed_id = any(${feeds}::uuid[])`)
    .execute()

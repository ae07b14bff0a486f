import { type Selectable, sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { WebhookDeliveryTable, WebhookEndpointTable, WebhookPlaceTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'
import { FEED_KIND } from './schema.ts'

export type EndpointRow = Selectable<WebhookEndpointTable>
export type DeliveryRow = Selectable<WebhookDeliveryTable>

// ---- endpoints

/** Those in force, the oldest first. */
export const liveEndpoints = (tx: Tx, participant_id: Uuid): Promise<EndpointRow[]> =>
  tx
    .selectFrom('webhook_endpoint')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('ended_at', 'is', null)
    .orderBy('endpoint_id')
    .execute()

export async function insertEndpoint(tx: Tx, row: EndpointRow): Promise<void> {
  await tx.insertInto('webhook_endpoint').values(row).execute()
}

/** False if it was over already. */
export async function endEndpoint(
  tx: Tx,
  { participant_id, endpoint_id }: Pick<EndpointRow, 'participant_id' | 'endpoint_id'>,
  change: { ended_at: Date; last_event: Uuid },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('webhook_endpoint')
    .set(change)
    .where('participant_id', '=', participant_id)
    .where('endpoint_id', '=', endpoint_id)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Who was ever called, and whether they are now: of the others old messages are left. */
export const everCalled = (db: Db) =>
  db
    .selectFrom('webhook_endpoint')
    .select(['participant_id', sql<boolean>`bool_or(ended_at is null)`.as('live')])
    .groupBy('participant_id')
    .execute()

/** Who is told of feeds. */
export const toldOfFeeds = (db: Db) =>
  db
    .selectFrom('webhook_endpoint')
    .select('participant_id')
    .distinct()
    .where(sql<boolean>`cardinality(feeds) > 0`)
    .where('ended_at', 'is', null)
    .execute()

type OfEndpoint = Pick<EndpointRow, 'participant_id' | 'endpoint_id'>

/** Whether it is over or not. */
export const endpointOf = (tx: Tx, { participant_id, endpoint_id }: OfEndpoint): Promise<EndpointRow | undefined> =>
  tx
    .selectFrom('webhook_endpoint')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('endpoint_id', '=', endpoint_id)
    .executeTakeFirst()

/** Locked until the transaction ends: one change after the other. */
export const endpointForUpdate = (
  tx: Tx,
  { participant_id, endpoint_id }: OfEndpoint,
): Promise<EndpointRow | undefined> =>
  tx
    .selectFrom('webhook_endpoint')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('endpoint_id', '=', endpoint_id)
    .forUpdate()
    .executeTakeFirst()

/** From now on it has the secret of another number; false if somebody else moved it on first. */
export async function rotateEndpoint(
  tx: Tx,
  { participant_id, endpoint_id }: OfEndpoint,
  change: Pick<EndpointRow, 'secret_no' | 'last_event'> & { rotated_at: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('webhook_endpoint')
    .set(change)
    .where('participant_id', '=', participant_id)
    .where('endpoint_id', '=', endpoint_id)
    .where('secret_no', '=', change.secret_no - 1)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

// ---- how far endpoints were told of feeds

export const placesOf = (tx: Tx, { participant_id, endpoint_id }: OfEndpoint) =>
  tx
    .selectFrom('webhook_place')
    .select(['feed_id', 'seq'])
    .where('participant_id', '=', participant_id)
    .where('endpoint_id', '=', endpoint_id)
    .execute()

export async function putPlace(tx: Tx, row: Selectable<WebhookPlaceTable>): Promise<void> {
  await tx
    .insertInto('webhook_place')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['participant_id', 'endpoint_id', 'feed_id']).doUpdateSet({ seq: row.seq }),
    )
    .execute()
}

// ---- deliveries

/** Those that are new: what was told before is not told again. */
export async function insertDeliveries(tx: Tx, rows: readonly DeliveryRow[]): Promise<number> {
  if (rows.length === 0) return 0
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('webhook_delivery')
    .values([...rows])
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return Number(numInsertedOrUpdatedRows ?? 0)
}

/** How many messages wait for an endpoint, counted to `limit`. */
export async function waitingFor(
  tx: Tx,
  { participant_id, endpoint_id }: Pick<EndpointRow, 'participant_id' | 'endpoint_id'>,
  limit: number,
): Promise<number> {
  const rows = await tx
    .selectFrom('webhook_delivery')
    .select('message_id')
    .where('participant_id', '=', participant_id)
    .where('endpoint_id', '=', endpoint_id)
    .where('next_at', 'is not', null)
    .limit(limit)
    .execute()
  return rows.length
}

/** Of all organisations, what has to be posted by now, the oldest first, but for endpoints that are passed over. */
export const dueDeliveries = (db: Db, now: Date, { passed, limit }: { passed: readonly Uuid[]; limit: number }) =>
  db
    .selectFrom('webhook_delivery')
    .select(['participant_id', 'endpoint_id', 'message_id'])
    .where('next_at', '<=', now)
    .where(sql<boolean>`endpoint_id <> all(${passed}::uuid[])`)
    .orderBy('next_at')
    .limit(limit)
    .execute()

type Name = Pick<DeliveryRow, 'participant_id' | 'endpoint_id' | 'message_id'>

/** The message, locked, if it is still to be posted by now. */
export const dueDelivery = (tx: Tx, { participant_id, endpoint_id, message_id }: Name, now: Date) =>
  tx
    .selectFrom('webhook_delivery')
    .select(['body', 'attempts'])
    .where('participant_id', '=', participant_id)
    .where('endpoint_id', '=', endpoint_id)
    .where('message_id', '=', message_id)
    .where('next_at', '<=', now)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst()

export async function moveDelivery(
  tx: Tx,
  { participant_id, endpoint_id, message_id }: Name,
  change: Partial<Pick<DeliveryRow, 'attempts' | 'next_at' | 'delivered_at' | 'fault'>>,
): Promise<void> {
  await tx
    .updateTable('webhook_delivery')
    .set(change)
    .where('participant_id', '=', participant_id)
    .where('endpoint_id', '=', endpoint_id)
    .where('message_id', '=', message_id)
    .execute()
}

/** What waits for an endpoint that is over is posted no more. */
export async function dropDeliveries(
  tx: Tx,
  { participant_id, endpoint_id }: Pick<EndpointRow, 'participant_id' | 'endpoint_id'>,
): Promise<void> {
  await tx
    .updateTable('webhook_delivery')
    .set({ next_at: null })
    .where('participant_id', '=', participant_id)
    .where('endpoint_id', '=', endpoint_id)
    .where('next_at', 'is not', null)
    .execute()
}

export const lastDeliveries = (tx: Tx, participant_id: Uuid, limit: number): Promise<DeliveryRow[]> =>
  tx
    .selectFrom('webhook_delivery')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .orderBy('made_at', 'desc')
    .orderBy('message_id')
    .limit(limit)
    .execute()

/** Of one endpoint, the newest first. */
export const deliveriesOf = (
  tx: Tx,
  { participant_id, endpoint_id }: OfEndpoint,
  limit: number,
): Promise<DeliveryRow[]> =>
  tx
    .selectFrom('webhook_delivery')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('endpoint_id', '=', endpoint_id)
    .orderBy('made_at', 'desc')
    .orderBy('message_id')
    .limit(limit)
    .execute()

/** To be posted anew, from the first attempt on; false if it is not there. */
export async function deliverAgain(
  tx: Tx,
  { participant_id, endpoint_id, message_id }: Name,
  now: Date,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('webhook_delivery')
    .set({ attempts: 0, next_at: now, delivered_at: null, fault: null })
    .where('participant_id', '=', participant_id)
    .where('endpoint_id', '=', endpoint_id)
    .where('message_id', '=', message_id)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** What was settled longer ago; messages of feeds sooner. */
export async function forgetDeliveries(
  tx: Tx,
  participant_id: Uuid,
  { before, feedsBefore }: { before: Date; feedsBefore: Date },
): Promise<void> {
  const isOld = sql<boolean>`(made_at < ${before} or (kind = ${FEED_KIND} and made_at < ${feedsBefore}))`
  await tx
    .deleteFrom('webhook_delivery')
    .where('participant_id', '=', participant_id)
    .where('next_at', 'is', null)
    .where(isOld)
    .execute()
}

import { type Selectable, sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { RequestLogTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Batch } from './buffer.ts'
import type { Place } from './place.ts'
import type { RequestFilter } from './schema.ts'

export interface RequestRow extends Omit<Selectable<RequestLogTable>, 'participant_id' | 'dropped'> {
  label: string
}

/** A batch in one statement; what is there already stays. The first row tells how many before it are missing. */
export async function insertRequests(tx: Tx, { participant, rows, dropped }: Batch): Promise<void> {
  await sql`
    insert into request_log (participant_id, request_id, at, credential_id, method, route, status, code, duration_ms,
      response_bytes, dropped)
    select ${participant}::uuid, f.*, case f.request_id when ${rows[0]?.request_id ?? ''} then ${dropped}::int4 else 0 end
    from unnest(${rows.map(({ request_id }) => request_id)}::text[],
      ${rows.map(({ at }) => at.toISOString())}::timestamptz[], ${rows.map(({ credential }) => credential)}::uuid[],
      ${rows.map(({ method }) => method)}::text[], ${rows.map(({ route }) => route)}::text[],
      ${rows.map(({ status }) => status)}::int2[], ${rows.map(({ code }) => code ?? null)}::text[],
      ${rows.map(({ duration_ms }) => duration_ms)}::int4[],
      ${rows.map(({ response_bytes }) => response_bytes ?? null)}::int8[])
      as f(request_id, at, credential_id, method, route, status, code, duration_ms, response_bytes)
    on conflict (participant_id, request_id) do nothing`.execute(tx)
}

export interface Asked {
  filter: RequestFilter
  /** Older ones are over, whether they are gone yet or not. */
  since: Date
  after: Place | undefined
  limit: number
}

/** The newest first. */
export function requestsOf(
  tx: Tx,
  participant_id: Uuid,
  { filter, since, after, limit }: Asked,
): Promise<RequestRow[]> {
  let found = tx
    .selectFrom('request_log as r')
    .innerJoin('credential as c', 'c.credential_id', 'r.credential_id')
    .select(['r.request_id', 'r.at', 'r.credential_id', 'c.label', 'r.method', 'r.route', 'r.status', 'r.code'])
    .select(['r.duration_ms', 'r.response_bytes'])
    .where('r.participant_id', '=', participant_id)
    .where('r.at', '>=', since)
  const { status, code, route, request_id } = filter
  if (status !== undefined) {
    const least = Number(status.charAt(0)) * 100
    found = found.where('r.status', '>=', least).where('r.status', '<', least + 100)
  }
  if (code !== undefined) found = found.where('r.code', '=', code)
  if (route !== undefined) found = found.where('r.route', '=', route)
  if (request_id !== undefined) found = found.where('r.request_id', '=', request_id)
  if (after !== undefined) found = found.where(sql<boolean>`(r.at, r.request_id) < (${after.at}, ${after.request_id})`)
  return found.orderBy('r.at', 'desc').orderBy('r.request_id', 'desc').limit(limit).execute()
}

/** Requests since a moment that were answered and not written down. */
export async function droppedSince(tx: Tx, participant_id: Uuid, since: Date): Promise<number> {
  const { n } = await tx
    .selectFrom('request_log')
    .select((eb) => eb.fn.sum<bigint | null>('dropped').as('n'))
    .where('participant_id', '=', participant_id)
    .where('at', '>=', since)
    .where('dropped', '>', 0)
    .executeTakeFirstOrThrow()
  return Number(n ?? 0n)
}

/** What is older, a portion; answers how many. */
export async function forgetRequests(
  tx: Tx,
  participant_id: Uuid,
  of: { before: Date; limit: number },
): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from request_log where participant_id = ${participant_id} and request_id in (
      select request_id from request_log where participant_id = ${participant_id} and at < ${of.before}
      order by at limit ${of.limit})`.execute(tx)
  return Number(numAffectedRows ?? 0n)
}

export async function requestsBefore(db: Db, participant_id: Uuid, before: Date): Promise<number> {
  const { n } = await db
    .selectFrom('request_log')
    .select((eb) => eb.fn.countAll<bigint>().as('n'))
    .where('participant_id', '=', participant_id)
    .where('at', '<', before)
    .executeTakeFirstOrThrow()
  return Number(n)
}

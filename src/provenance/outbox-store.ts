import { sql } from 'kysely'
import { plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

// What was committed and has no index yet.

/** Rows that wait, in the order (time, event id). They come as one: thousands are read at once. */
export interface Outbox {
  n: number
  /** `PACKED` bytes of each. */
  packed: Buffer
  /** Of each the parties, with spaces between them. */
  parties: readonly string[]
  /** Of each the event that comes before it, or nothing; absent where none waits for another. */
  after: readonly (Uuid | '')[] | undefined
  /** Whether some were recorded under a log that is closed now. */
  inherited: boolean
}

const FIRST_LOG = 1
/** Before every event. */
const NO_EVENT = '00000000-0000-0000-0000-000000000000' as Uuid

export interface OutboxQuery {
  limit: number
  /** Only what belongs to this log alone, and not what was recorded under one that is closed now. */
  own: boolean
  /** The event behind which it begins. */
  after: Uuid | undefined
}

/** The rows with the lowest events, as one. */
export async function outbox(tx: Tx, logId: number, { limit, own, after }: OutboxQuery): Promise<Outbox> {
  const { rows } = await sql<Omit<Outbox, 'parties' | 'after'> & { parties: string; after: string | null }>`
    select count(*)::int as n,
      coalesce(string_agg(uuid_send(event_id) || uuid_send(participant_id) || c, ''::bytea order by at, event_id), '') as packed,
      coalesce(string_agg(parties, E'\n' order by at, event_id), '') as parties,
      case when count(after) > 0 then string_agg(coalesce(after::text, ''), ',' order by at, event_id) end as after,
      coalesce(bool_or(log_id < ${logId}), false) as inherited
    from (
      select event_id, participant_id, log_id, at, c, parties, after from prov_outbox
      where log_id >= ${own ? logId : FIRST_LOG} and log_id <= ${logId} and event_id > ${after ?? NO_EVENT}::uuid
      order by event_id
      limit ${limit}
    ) as o`.execute(tx)
  const [row] = rows
  if (row === undefined) throw new Error('a sum has a row')
  const { n, packed, inherited } = row
  return {
    ...{ n, packed, inherited },
    parties: n === 0 ? [] : row.parties.split('\n'),
    after: row.after === null ? undefined : (row.after.split(',') as (Uuid | '')[]),
  }
}

/** Changes that have no index yet. */
export async function waiting(db: Db, logId: number): Promise<number> {
  const { n } = await db
    .selectFrom('prov_outbox')
    .select((eb) => eb.fn.countAll<bigint>().as('n'))
    .where('log_id', '<=', logId)
    .executeTakeFirstOrThrow()
  return Number(n)
}

/** Which of the events are in the log already, or in one before it: not beyond the end of a log that was closed. */
export async function knownEvents(tx: Tx, logId: number, ids: Buffer | readonly Uuid[]): Promise<Set<Uuid>> {
  if (ids.length === 0) return new Set()
  const rows = await tx
    .selectFrom('log_event as e')
    .innerJoin('log_head as h', 'h.log_id', 'e.log_id')
    .select('e.event_id')
    .where('e.log_id', '<=', logId)
    .where(sql<boolean>`e.event_id = any(${Buffer.isBuffer(ids) ? ids : plainArray(ids)}::uuid[])`)
    .where(sql<boolean>`(h.closed_size is null or e.idx < h.closed_size)`)
    .execute()
  return new Set(rows.map((row) => row.event_id))
}

/**
 * Clears only what has its place: in a log that was closed meanwhile, or in a database that is an older one now, it has none.
 * Under the very head that gave the places all have them; under another each is looked up.
 */
export async function clearOutbox(
  tx: Tx,
  logId: number,
  { ids, size, root }: { ids: Buffer; size: bigint; root: Uint8Array },
): Promise<void> {
  // Whoever closes the log comes before or after; whoever indexes what follows may be at it.
  const head = await tx
    .selectFrom('log_head')
    .select(['size', 'root', 'closed_size'])
    .where('log_id', '=', logId)
    .forKeyShare()
    .executeTakeFirst()
  const same = head !== undefined && head.closed_size === null && head.size === size && head.root.equals(root)
  const placed = same ? ids : plainArray([...(await knownEvents(tx, logId, ids))])
  await sql`delete from prov_outbox where event_id = any(${placed}::uuid[]) and log_id <= ${logId}`.execute(tx)
}

/** Entries that a closed log ends before wait for the next one, in the time of their records. */
export async function waitAgain(
  tx: Tx,
  logId: number,
  entries: readonly { event_id: Uuid; participant_id: Uuid; c: Uint8Array; parties: string }[],
): Promise<void> {
  for (const [participant_id, own] of Map.groupBy(entries, (entry) => entry.participant_id)) {
    await sql`
      insert into prov_outbox (event_id, participant_id, log_id, at, c, parties, after)
      select r.event_id, r.participant_id, ${logId}::int, r.at, r.c, e.parties, null
      from unnest(${own.map(({ event_id }) => event_id)}::uuid[], ${own.map(({ parties }) => parties)}::text[])
        as e(event_id, parties)
      join prov_record r on r.participant_id = ${participant_id}::uuid and r.event_id = e.event_id
      on conflict do nothing`.execute(tx)
  }
}

/** Whether an event was committed and has no index yet. */
export const isWaiting = async (db: Db, logId: number, event_id: Uuid): Promise<boolean> => {
  const found = await db
    .selectFrom('prov_outbox')
    .select('event_id')
    .where('log_id', '<=', logId)
    .where('event_id', '=', event_id)
    .executeTakeFirst()
  return found !== undefined
}

/** Of changes without an index, the events; at most `limit`. */
export const waitingEvents = async (db: Db, logId: number, limit: number): Promise<Uuid[]> => {
  const rows = await db
    .selectFrom('prov_outbox')
    .select('event_id')
    .where('log_id', '<=', logId)
    .orderBy('event_id')
    .limit(limit)
    .execute()
  return rows.map(({ event_id }) => event_id)
}

import { sql } from 'kysely'
import { bytesArray, plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

export interface NetworkRow {
  participant_id: Uuid
  credential_id: Uuid
  day: string
  /** Keyed hash. */
  network: Buffer
}

export interface LookupRow {
  participant_id: Uuid
  day: string
  lookups: number
  with_hits: number
}

/** Each network of a key once a day. */
export async function addNetworks(tx: Tx, rows: readonly NetworkRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into network_day (participant_id, credential_id, day, network)
    select * from unnest(${rows.map(({ participant_id }) => participant_id)}::uuid[],
      ${rows.map(({ credential_id }) => credential_id)}::uuid[], ${rows.map(({ day }) => day)}::date[],
      ${bytesArray(rows.map(({ network }) => network))}::bytea[])
    on conflict do nothing`.execute(tx)
}

/** Adds to what was counted of the same day. In one order, so that two processes lock rows alike. */
export async function addLookups(tx: Tx, rows: readonly LookupRow[]): Promise<void> {
  if (rows.length === 0) return
  const sorted = [...rows].sort((a, b) => (`${a.participant_id} ${a.day}` < `${b.participant_id} ${b.day}` ? -1 : 1))
  await sql`
    insert into lookup_day as l (participant_id, day, lookups, with_hits)
    select * from unnest(${sorted.map(({ participant_id }) => participant_id)}::uuid[],
      ${sorted.map(({ day }) => day)}::date[], ${plainArray(sorted.map(({ lookups }) => lookups))}::bigint[],
      ${plainArray(sorted.map(({ with_hits }) => with_hits))}::bigint[])
    on conflict (participant_id, day) do update set
      lookups = l.lookups + excluded.lookups, with_hits = l.with_hits + excluded.with_hits`.execute(tx)
}

/** Of one key on a day. */
export interface NetworksOf {
  participant_id: Uuid
  /** Networks of the day from which it was not used since `since`. */
  fresh: number
  /** Networks from which it was used from then until the day before. */
  known: number
}

export async function networksOn(db: Db, { day, since }: { day: string; since: string }): Promise<NetworksOf[]> {
  const { rows } = await sql<NetworksOf>`
    select participant_id, (count(*) filter (where today and not before))::int4 as fresh,
      (count(*) filter (where before))::int4 as known
    from (
      select participant_id, credential_id, network, bool_or(day = ${day}::date) as today,
        bool_or(day < ${day}::date) as before
      from network_day where day between ${since}::date and ${day}::date
      group by participant_id, credential_id, network) as used
    group by participant_id, credential_id having bool_or(today)`.execute(db)
  return rows
}

export const lookupsBetween = (db: Db, { from, to }: { from: string; to: string }): Promise<LookupRow[]> =>
  db
    .selectFrom('lookup_day')
    .select(['participant_id', 'day'])
    .select([sql<number>`lookups::float8`.as('lookups'), sql<number>`with_hits::float8`.as('with_hits')])
    .where('day', '>=', from)
    .where('day', '<=', to)
    .execute()

/** Days before one; answers how many rows. */
export async function forget(tx: Tx, before: string): Promise<number> {
  const networks = await tx.deleteFrom('network_day').where('day', '<', before).executeTakeFirst()
  const lookups = await tx.deleteFrom('lookup_day').where('day', '<', before).executeTakeFirst()
  return Number(networks.numDeletedRows + lookups.numDeletedRows)
}

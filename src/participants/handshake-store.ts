import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'

export interface RefusalRow {
  minute: Date
  address: string
  reason: string
  count: number
}

/** Adds to what was counted for the same minute, place and reason; several listeners hand over rows that are alike. */
export async function addRefusals(tx: Tx, rows: readonly RefusalRow[]): Promise<void> {
  await sql`
    insert into handshake_refusal (minute, address, reason, count)
    select minute, address, reason, sum(count)::int4 from unnest(${rows.map(({ minute }) => minute.toISOString())}::timestamptz[],
      ${rows.map(({ address }) => address)}::text[], ${rows.map(({ reason }) => reason)}::text[],
      ${rows.map(({ count }) => count)}::int4[]) as told (minute, address, reason, count)
    group by minute, address, reason
    on conflict (minute, address, reason) do update set count = handshake_refusal.count + excluded.count`.execute(tx)
}

/** Those of minutes before a time, the oldest first; answers how many. */
export async function forgetRefusals(tx: Tx, of: { before: Date; limit: number }): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from handshake_refusal using (select minute, address, reason from handshake_refusal where minute < ${of.before}
      order by minute limit ${of.limit}) as old
    where handshake_refusal.minute = old.minute and handshake_refusal.address = old.address
      and handshake_refusal.reason = old.reason`.execute(tx)
  return Number(numAffectedRows ?? 0n)
}

export async function oldRefusals(tx: Tx, before: Date): Promise<number> {
  const { n } = await tx
    .selectFrom('handshake_refusal')
    .select((eb) => eb.fn.countAll<bigint>().as('n'))
    .where('minute', '<', before)
    .executeTakeFirstOrThrow()
  return Number(n)
}

/** How many there were of each day (UTC), from a moment on. */
export async function refusalsByDay(tx: Tx, from: Date): Promise<Map<string, number>> {
  const { rows } = await sql<{ day: string; n: bigint }>`
    select to_char(minute at time zone 'UTC', 'YYYY-MM-DD') as day, sum(count)::int8 as n
    from handshake_refusal where minute >= ${from} group by 1`.execute(tx)
  return new Map(rows.map(({ day, n }) => [day, Number(n)]))
}

/** The newest, for the operator. */
export const newestRefusals = (tx: Tx, limit: number): Promise<RefusalRow[]> =>
  tx
    .selectFrom('handshake_refusal')
    .select(['minute', 'address', 'reason', 'count'])
    .orderBy('minute', 'desc')
    .orderBy('count', 'desc')
    .orderBy('address')
    .orderBy('reason')
    .limit(limit)
    .execute()

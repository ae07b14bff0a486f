import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'

export interface HitRow {
  origin: Uuid
  signal_id: Uuid
  signal_key: Buffer
  count: number
  last_at: Date
  own_ref: string | null
  acted_count: number | null
  last_event: Uuid
}

export const hitForUpdate = (tx: Tx, participant_id: Uuid, of: { origin: Uuid; signal_id: Uuid }) =>
  tx
    .selectFrom('hit')
    .select(['origin', 'signal_id', 'signal_key', 'count', 'last_at', 'own_ref', 'acted_count', 'last_event'])
    .where('participant_id', '=', participant_id)
    .where('origin', '=', of.origin)
    .where('signal_id', '=', of.signal_id)
    .forUpdate()
    .executeTakeFirst()

export async function upsertHit(tx: Tx, participant_id: Uuid, row: HitRow): Promise<void> {
  const { count, last_at, own_ref, acted_count, last_event } = row
  await tx
    .insertInto('hit')
    .values({ participant_id, ...row })
    .onConflict((oc) =>
      oc
        .columns(['participant_id', 'origin', 'signal_id'])
        .doUpdateSet({ count, last_at, own_ref, acted_count, last_event }),
    )
    .execute()
}

/** Of all hits: how many signals were acted on, and what was seen again since. */
export const hitCounts = (tx: Tx, participant_id: Uuid) =>
  tx
    .selectFrom('hit')
    .select((eb) => [
      eb.fn.countAll<bigint>().filterWhere('acted_count', 'is not', null).as('acted'),
      eb.fn.countAll<bigint>().filterWhere(sql<boolean>`count > acted_count`).as('again'),
      sql<bigint>`coalesce(sum(count - acted_count), 0)::bigint`.as('since'),
    ])
    .where('participant_id', '=', participant_id)
    .executeTakeFirst()

import { type Selectable, sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { HitTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'
import { COUNTED_MAX } from './queue-store.ts'

type HitRow = Selectable<HitTable>
type NameOf = Pick<HitRow, 'participant_id' | 'origin' | 'signal_id'>

export const hitForUpdate = (tx: Tx, participant_id: Uuid, of: { origin: Uuid; signal_id: Uuid }) =>
  tx
    .selectFrom('hit')
    .select(['origin', 'signal_id', 'count', 'last_at', 'own_ref', 'acted_count', 'last_event'])
    .where('participant_id', '=', participant_id)
    .where('origin', '=', of.origin)
    .where('signal_id', '=', of.signal_id)
    .forUpdate()
    .executeTakeFirst()

/** As it is shown; nothing is about to change. */
export const hitOf = (tx: Tx, participant_id: Uuid, of: { origin: Uuid; signal_id: Uuid }) =>
  tx
    .selectFrom('hit')
    .select(['count', 'last_at', 'own_ref'])
    .where('participant_id', '=', participant_id)
    .where('origin', '=', of.origin)
    .where('signal_id', '=', of.signal_id)
    .executeTakeFirst()

/** False where the signal has a row already, also one that another transaction made at the same moment. */
export async function insertHit(tx: Tx, row: HitRow): Promise<boolean> {
  const made = await tx
    .insertInto('hit')
    .values(row)
    .onConflict((oc) => oc.columns(['participant_id', 'origin', 'signal_id']).doNothing())
    .returning('signal_id')
    .executeTakeFirst()
  return made !== undefined
}

/** Nothing where there is none. */
export async function updateHit(
  tx: Tx,
  { participant_id, origin, signal_id }: NameOf,
  change: Partial<Pick<HitRow, 'count' | 'last_at' | 'own_ref' | 'acted_count' | 'signal_key'>> & { last_event: Uuid },
): Promise<void> {
  await tx
    .updateTable('hit')
    .set(change)
    .where('participant_id', '=', participant_id)
    .where('origin', '=', origin)
    .where('signal_id', '=', signal_id)
    .execute()
}

/** Of the newest signals that were acted on: what was seen again since. */
export const hitCounts = (tx: Tx, participant_id: Uuid) =>
  tx
    .selectFrom((eb) =>
      eb
        .selectFrom('hit')
        .select(['count', 'acted_count'])
        .where('participant_id', '=', participant_id)
        .where('acted_count', 'is not', null)
        .orderBy('signal_id', 'desc')
        .limit(COUNTED_MAX + 1)
        .as('h'),
    )
    .select((eb) => [
      eb.fn.countAll<bigint>().filterWhere(sql<boolean>`count > acted_count`).as('again'),
      sql<bigint>`coalesce(sum(count - acted_count), 0)::bigint`.as('since'),
    ])
    .executeTakeFirst()

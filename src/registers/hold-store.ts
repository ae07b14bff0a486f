import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

// Legal holds.

export interface HoldRow {
  hold_id: Uuid
  participant_id: Uuid
  what: string
  reason: string
  placed_at: Date
  lifted_at: Date | null
  last_event: Uuid
}

const COLUMNS = ['hold_id', 'participant_id', 'what', 'reason', 'placed_at', 'lifted_at', 'last_event'] as const

export async function insertHold(tx: Tx, row: HoldRow): Promise<void> {
  await tx.insertInto('legal_hold').values(row).execute()
}

export const placedHold = (tx: Tx, hold_id: Uuid): Promise<HoldRow | undefined> =>
  tx
    .selectFrom('legal_hold')
    .select(COLUMNS)
    .where('hold_id', '=', hold_id)
    .where('lifted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst()

export async function liftHold(tx: Tx, hold_id: Uuid, set: { lifted_at: Date; last_event: Uuid }): Promise<void> {
  await tx.updateTable('legal_hold').set(set).where('hold_id', '=', hold_id).execute()
}

/** Placed ones first, then the newest. */
export const holds = (db: Db, limit: number): Promise<HoldRow[]> =>
  db
    .selectFrom('legal_hold')
    .select(COLUMNS)
    .orderBy('lifted_at', (order) => order.desc().nullsFirst())
    .orderBy('placed_at', 'desc')
    .limit(limit)
    .execute()

/** Whose reads, or signals, may not be removed now. */
export async function keptOf(db: Db | Tx, what: 'reads' | 'signals'): Promise<Set<Uuid>> {
  const rows = await db
    .selectFrom('legal_hold')
    .select('participant_id')
    .where('lifted_at', 'is', null)
    .where('what', 'in', [what, 'all'])
    .execute()
  return new Set(rows.map(({ participant_id }) => participant_id))
}

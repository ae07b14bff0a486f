import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { RoutingRules } from './routing.ts'

export interface RoutingRow extends Omit<RoutingRules, 'categories'> {
  participant_id: Uuid
  categories: string[]
  last_event: Uuid
}

const ROUTING = ['keyword_patterns', 'critical', 'not_reviewed', 'new_sources', 'categories'] as const

export const routingRules = (db: Db) =>
  db
    .selectFrom('routing_rule')
    .select(['participant_id', ...ROUTING])
    .execute()

export const routingOf = (tx: Tx, participant_id: Uuid) =>
  tx.selectFrom('routing_rule').select(ROUTING).where('participant_id', '=', participant_id).executeTakeFirst()

/** Locked until the transaction ends. */
export const routingForUpdate = (tx: Tx, participant_id: Uuid) =>
  tx
    .selectFrom('routing_rule')
    .select(ROUTING)
    .where('participant_id', '=', participant_id)
    .forUpdate()
    .executeTakeFirst()

/** Replaces the whole; as the first only where there is none yet: false where another came between. */
export async function putRouting(tx: Tx, row: RoutingRow, isFirst: boolean): Promise<boolean> {
  const { participant_id: _, ...set } = row
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('routing_rule')
    .values(row)
    .onConflict((oc) => {
      const own = oc.column('participant_id')
      return isFirst ? own.doNothing() : own.doUpdateSet(set)
    })
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

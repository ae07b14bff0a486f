import type { Selectable } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { SavedViewTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'

export type ViewRow = Selectable<SavedViewTable>

/** Those of one screen that a person finds: its own, and what colleagues shared. */
export const viewsFor = (
  tx: Tx,
  participant_id: Uuid,
  of: { owner: Uuid; screen: string; limit: number },
): Promise<ViewRow[]> =>
  tx
    .selectFrom('saved_view')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('screen', '=', of.screen)
    .where((eb) => eb.or([eb('owner', '=', of.owner), eb('shared', '=', true)]))
    .orderBy('view_id')
    .limit(of.limit)
    .execute()

/** The personal ones of somebody, or those that are shared in the organisation; counted to `limit`. */
export async function countViews(
  tx: Tx,
  participant_id: Uuid,
  of: { owner: Uuid; shared: boolean; limit: number },
): Promise<number> {
  let query = tx
    .selectFrom('saved_view')
    .select('view_id')
    .where('participant_id', '=', participant_id)
    .where('shared', '=', of.shared)
    .limit(of.limit)
  if (!of.shared) query = query.where('owner', '=', of.owner)
  return (await query.execute()).length
}

export const viewOf = (tx: Tx, participant_id: Uuid, view_id: Uuid): Promise<ViewRow | undefined> =>
  tx
    .selectFrom('saved_view')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('view_id', '=', view_id)
    .executeTakeFirst()

export async function insertView(tx: Tx, row: ViewRow): Promise<void> {
  await tx.insertInto('saved_view').values(row).execute()
}

export async function deleteView(tx: Tx, participant_id: Uuid, view_id: Uuid): Promise<void> {
  await tx
    .deleteFrom('saved_view')
    .where('participant_id', '=', participant_id)
    .where('view_id', '=', view_id)
    .execute()
}

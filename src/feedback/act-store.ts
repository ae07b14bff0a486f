import type { Selectable } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { DisputeTable, FeedbackTable, SignedActTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'

export const actByJti = (tx: Tx, participant_id: Uuid, jti: string) =>
  tx
    .selectFrom('signed_act')
    .select(['act_id', 'od', 'countersignature'])
    .where('participant_id', '=', participant_id)
    .where('jti', '=', jti)
    .executeTakeFirst()

export async function insertAct(tx: Tx, row: Omit<Selectable<SignedActTable>, 'replays'>): Promise<void> {
  await tx
    .insertInto('signed_act')
    .values({ ...row, replays: 0 })
    .execute()
}

/** A replayed answer commits a write too, so that it waits for the standby as its first telling did. */
export async function countReplay(tx: Tx, participant_id: Uuid, act_id: Uuid): Promise<void> {
  await tx
    .updateTable('signed_act')
    .set((eb) => ({ replays: eb('replays', '+', 1) }))
    .where('participant_id', '=', participant_id)
    .where('act_id', '=', act_id)
    .execute()
}

export async function insertFeedback(tx: Tx, row: Selectable<FeedbackTable>): Promise<void> {
  await tx.insertInto('feedback').values(row).execute()
}

/** What a participant said last of a signal. */
export const lastFeedback = (tx: Tx, participant_id: Uuid, of: { origin: Uuid; signal_id: Uuid }) =>
  tx
    .selectFrom('feedback')
    .select(['feedback_id', 'revision', 'outcome'])
    .where('participant_id', '=', participant_id)
    .where('origin', '=', of.origin)
    .where('signal_id', '=', of.signal_id)
    .orderBy('feedback_id', 'desc')
    .limit(1)
    .executeTakeFirst()

/** Whether the row is new. */
export async function insertDispute(tx: Tx, row: Selectable<DisputeTable>): Promise<boolean> {
  const made = await tx
    .insertInto('dispute')
    .values(row)
    .onConflict((oc) => oc.columns(['participant_id', 'dispute_id']).doNothing())
    .returning('dispute_id')
    .executeTakeFirst()
  return made !== undefined
}

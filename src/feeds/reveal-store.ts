import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'

/** Live links of an id that the open transaction's participant may see in full audiences, of each source that has one. */
export const linksOf = (tx: Tx, signal_id: Uuid, { types, now }: { types: readonly number[]; now: Date }) =>
  tx
    .selectFrom('shared_signal')
    .select(['origin', 'signal_id', 'type', 'revision', 'feed_id', 'log_idx'])
    .where('signal_id', '=', signal_id)
    .where('type', 'in', types)
    .where('state', '=', 1)
    .where('expires_at', '>', now)
    .execute()

export interface RevealDebit {
  participant_id: Uuid
  day: string
  who: Uuid
  /** Of a day. */
  quota: number
}

/** One more of the day, unless that would be more than the quota; whether it was. */
export async function debitReveal(tx: Tx, { participant_id, day, who, quota }: RevealDebit): Promise<boolean> {
  const row = await tx
    .insertInto('reveal_use')
    .values({ participant_id, day, who, used: 1 })
    .onConflict((oc) =>
      oc
        .columns(['participant_id', 'day', 'who'])
        .doUpdateSet((eb) => ({ used: eb('reveal_use.used', '+', 1) }))
        .where('reveal_use.used', '<', quota),
    )
    .returning('used')
    .executeTakeFirst()
  return row !== undefined
}

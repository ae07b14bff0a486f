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

/** One more of the day, unless that would be more than the quota; whether it was. The first of a day forgets the days before. */
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
  if (row?.used === 1)
    await tx.deleteFrom('reveal_use').where('participant_id', '=', participant_id).where('day', '<', day).execute()
  return row !== undefined
}

/** How many somebody revealed on a day. */
export async function revealsOn(tx: Tx, { participant_id, day, who }: Omit<RevealDebit, 'quota'>): Promise<number> {
  const row = await tx
    .selectFrom('reveal_use')
    .select('used')
    .where('participant_id', '=', participant_id)
    .where('day', '=', day)
    .where('who', '=', who)
    .executeTakeFirst()
  return row?.used ?? 0
}

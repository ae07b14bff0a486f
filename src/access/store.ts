import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'

/** False if the assertion was taken before. What is too old to be taken at all is forgotten on the way. */
export async function takeAssertion(
  tx: Tx,
  { participant_id, jti, ends_at, now }: { participant_id: Uuid; jti: string; ends_at: Date; now: Date },
): Promise<boolean> {
  await tx
    .deleteFrom('client_assertion')
    .where('participant_id', '=', participant_id)
    .where('ends_at', '<', now)
    .execute()
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('client_assertion')
    .values({ participant_id, jti, ends_at })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return (numInsertedOrUpdatedRows ?? 0n) > 0n
}

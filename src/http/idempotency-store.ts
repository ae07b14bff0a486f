import { type Insertable, sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { IdempotencyKeyTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'

/** A key as one credential used it. */
export interface KeyName {
  participant_id: Uuid
  credential_id: Uuid
  key_digest: Buffer
}

/** What an attempt begins with. */
export interface Attempt extends Pick<Insertable<IdempotencyKeyTable>, 'request_digest' | 'claim' | 'claimed_until'> {
  expires_at: Date
}

const BEGUN = { changed: false, done: false, answer: null, replays: 0 } as const

/** Whether the key was new; of two that come at once the second waits, and finds the row of the first. */
export async function insertKey(tx: Tx, name: KeyName, attempt: Attempt): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('idempotency_key')
    .values({ ...name, ...attempt, ...BEGUN })
    .onConflict((oc) => oc.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/** As it stands; no other attempt changes it until the transaction ends. */
export const keyForUpdate = (tx: Tx, name: KeyName) =>
  tx
    .selectFrom('idempotency_key')
    .select(['request_digest', 'claim', 'claimed_until', 'changed', 'done', 'answer', 'expires_at'])
    .where('participant_id', '=', name.participant_id)
    .where('credential_id', '=', name.credential_id)
    .where('key_digest', '=', name.key_digest)
    .forUpdate()
    .executeTakeFirst()

const own = (tx: Tx, name: KeyName) =>
  tx
    .updateTable('idempotency_key')
    .where('participant_id', '=', name.participant_id)
    .where('credential_id', '=', name.credential_id)
    .where('key_digest', '=', name.key_digest)

/** Begins anew under a key that was locked. */
export const takeKey = (tx: Tx, name: KeyName, attempt: Attempt) =>
  own(tx, name)
    .set({ ...attempt, ...BEGUN })
    .execute()

/** A row that changes, so that the answer waits for a standby as the first one did. */
export const countReplay = (tx: Tx, name: KeyName) =>
  own(tx, name)
    .set((eb) => ({ replays: eb('replays', '+', 1) }))
    .execute()

/** Says, together with what an attempt changes, that it did; false where another attempt took its place. */
export async function markChanged(tx: Tx, name: KeyName, claim: Uuid): Promise<boolean> {
  const { numUpdatedRows } = await own(tx, name).set({ changed: true }).where('claim', '=', claim).executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Ends an attempt with its answer, or with none that is kept; of a refusal only if something was changed. */
export async function finishKey(
  tx: Tx,
  name: KeyName,
  { claim, answer, refused }: { claim: Uuid; answer: Buffer | null; refused: boolean },
): Promise<boolean> {
  const { numUpdatedRows } = await own(tx, name)
    .set({ done: true, answer })
    .where('claim', '=', claim)
    .where((eb) => (refused ? eb('changed', '=', true) : eb.lit(true)))
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Ends an attempt that has no answer to be kept: if it changed nothing the key is free again. */
export async function releaseKey(tx: Tx, name: KeyName, claim: Uuid, now: Date): Promise<void> {
  await tx
    .deleteFrom('idempotency_key')
    .where('participant_id', '=', name.participant_id)
    .where('credential_id', '=', name.credential_id)
    .where('key_digest', '=', name.key_digest)
    .where('claim', '=', claim)
    .where('changed', '=', false)
    .execute()
  await own(tx, name).set({ claimed_until: now }).where('claim', '=', claim).execute()
}

/** One more of the day, unless that would be more than the quota; whether it was. The first of a day forgets the days before. */
export async function debitKey(
  tx: Tx,
  { participant_id, day, quota }: { participant_id: Uuid; day: string; quota: number },
): Promise<boolean> {
  const row = await tx
    .insertInto('idempotency_use')
    .values({ participant_id, day, used: 1 })
    .onConflict((oc) =>
      oc
        .columns(['participant_id', 'day'])
        .doUpdateSet((eb) => ({ used: eb('idempotency_use.used', '+', 1) }))
        .where('idempotency_use.used', '<', quota),
    )
    .returning('used')
    .executeTakeFirst()
  if (row?.used === 1)
    await tx.deleteFrom('idempotency_use').where('participant_id', '=', participant_id).where('day', '<', day).execute()
  return row !== undefined
}

/** New keys of a day. */
export async function keysUsedOn(tx: Tx, participant_id: Uuid, day: string): Promise<number> {
  const row = await tx
    .selectFrom('idempotency_use')
    .select('used')
    .where('participant_id', '=', participant_id)
    .where('day', '=', day)
    .executeTakeFirst()
  return row?.used ?? 0
}

/** What is over, a portion; answers how many. */
export async function forgetKeys(
  tx: Tx,
  participant_id: Uuid,
  { now, limit }: { now: Date; limit: number },
): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from idempotency_key where participant_id = ${participant_id} and (credential_id, key_digest) in (
      select credential_id, key_digest from idempotency_key
      where participant_id = ${participant_id} and expires_at <= ${now} order by expires_at limit ${limit})`.execute(tx)
  return Number(numAffectedRows ?? 0n)
}

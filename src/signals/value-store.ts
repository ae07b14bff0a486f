import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Envelope, EnvelopePlace } from '../keys/envelope.ts'

export interface ValueRow extends Envelope {
  participant_id: Uuid
  signal_id: Uuid
  audience_id: Uuid
  revision: number
  sealed_at: Date
  last_event: Uuid
}

/** The value beside a source's signal. */
export const sealedBeside = (tx: Tx, participant_id: Uuid, signal_id: Uuid): Promise<ValueRow | undefined> =>
  tx
    .selectFrom('sealed_value')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', signal_id)
    .executeTakeFirst()

/** In the place of the one before, if there was one; the signal's row says so. */
export async function putValue(tx: Tx, row: ValueRow): Promise<void> {
  const { participant_id, signal_id, last_event, ...rest } = row
  await tx
    .insertInto('sealed_value')
    .values(row)
    .onConflict((oc) => oc.columns(['participant_id', 'signal_id']).doUpdateSet({ ...rest, last_event }))
    .execute()
  await setValueEvent(tx, participant_id, [signal_id], last_event)
}

/** Value and data key are gone with the row. The signals' rows are locked by whoever ends them. */
export async function destroyValues(tx: Tx, participant_id: Uuid, signals: readonly Uuid[]): Promise<void> {
  if (signals.length === 0) return
  await tx
    .deleteFrom('sealed_value')
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`signal_id = any(${signals}::uuid[])`)
    .execute()
  await setValueEvent(tx, participant_id, signals, null)
}

async function setValueEvent(
  tx: Tx,
  participant_id: Uuid,
  signals: readonly Uuid[],
  value_event: Uuid | null,
): Promise<void> {
  await tx
    .updateTable('signal')
    .set({ value_event })
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`signal_id = any(${signals}::uuid[])`)
    .execute()
}

/** Every value of a source that leaves. */
export async function destroyAll(tx: Tx, participant_id: Uuid): Promise<void> {
  await tx.deleteFrom('sealed_value').where('participant_id', '=', participant_id).execute()
  await tx
    .updateTable('signal')
    .set({ value_event: null })
    .where('participant_id', '=', participant_id)
    .where('value_event', 'is not', null)
    .execute()
}

// ---- keys

/** Values of one participant whose data keys are under another key than this, locked. */
export const valuesUnderOther = (tx: Tx, participant_id: Uuid, { kek, limit }: { kek: string; limit: number }) =>
  tx
    .selectFrom('sealed_value')
    .select(['signal_id', 'audience_id', 'kek_id', 'wrapped_dek'])
    .where('participant_id', '=', participant_id)
    .where('kek_id', '<>', kek)
    .orderBy('signal_id')
    .limit(limit)
    .forUpdate()
    .execute()

export async function setKey(
  tx: Tx,
  of: { participant_id: Uuid; signal_id: Uuid },
  set: Pick<Envelope, 'kek_id' | 'wrapped_dek'>,
): Promise<void> {
  await tx
    .updateTable('sealed_value')
    .set(set)
    .where('participant_id', '=', of.participant_id)
    .where('signal_id', '=', of.signal_id)
    .execute()
}

// ---- auditors

/** One participant's values after an id, in order: of what is sealed a digest, which tells nothing of it. */
export const valuesAfter = (db: Db, participant_id: Uuid, { after, limit }: { after: Uuid; limit: number }) =>
  db
    .selectFrom('sealed_value')
    .select(['signal_id', 'audience_id', 'revision', 'last_event'])
    .select(sql<Buffer>`sha256(nonce || ciphertext || tag)`.as('digest'))
    .where('participant_id', '=', participant_id)
    .where('signal_id', '>', after)
    .orderBy('signal_id')
    .limit(limit)
    .execute()

/** Bound to its row and to the audience that it was given for. */
export const placeOf = ({
  participant_id,
  signal_id,
  audience_id,
}: Pick<ValueRow, 'participant_id' | 'signal_id' | 'audience_id'>): EnvelopePlace => ({
  table: 'sealed_value',
  row: `${participant_id}/${signal_id}`,
  audience: audience_id,
})

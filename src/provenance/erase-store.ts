import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'

/** Where events stand, in every log that they are in, and how far feeds have followed that log. */
export const standingsOf = (tx: Tx, events: readonly Uuid[]) =>
  tx
    .selectFrom('log_event as e')
    .innerJoin('log_head as h', 'h.log_id', 'e.log_id')
    .leftJoin('projector as p', (join) => join.onRef('p.log_id', '=', 'e.log_id').on('p.name', '=', 'feeds'))
    .select(['e.log_id', 'e.event_id', 'e.idx', 'h.closed_size', 'p.next_idx'])
    .where(sql<boolean>`e.event_id = any(${events}::uuid[])`)
    .orderBy('e.log_id')
    .execute()

/** One participant's records, locked. */
export const recordsForUpdate = (tx: Tx, participant_id: Uuid, events: readonly Uuid[]) =>
  tx
    .selectFrom('prov_record')
    .select(['event_id', 'kind', 'c', 'body', 'epoch'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`event_id = any(${events}::uuid[])`)
    .orderBy('event_id')
    .forUpdate()
    .execute()

export async function sealAgain(
  tx: Tx,
  of: { participant_id: Uuid; event_id: Uuid },
  change: { body: Buffer; epoch: number },
): Promise<void> {
  await tx
    .updateTable('prov_record')
    .set(change)
    .where('participant_id', '=', of.participant_id)
    .where('event_id', '=', of.event_id)
    .execute()
}

// ---- who obtained what

export interface JournalPlace {
  day: string
  journal_id: Uuid
}

/** A participant's journal from a place on, in order. */
export const journalAfter = (tx: Tx, participant_id: Uuid, { after, limit }: { after: JournalPlace; limit: number }) =>
  tx
    .selectFrom('read_journal')
    .select([sql<string>`day::text`.as('day'), 'journal_id', 'body', 'epoch'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`(day, journal_id) > (${after.day}::date, ${after.journal_id}::uuid)`)
    .orderBy('read_journal.day')
    .orderBy('journal_id')
    .limit(limit)
    .execute()

/** Until when reads of a participant are gone by their time. */
export const goneUntil = async (tx: Tx, participant_id: Uuid): Promise<Date | null> => {
  const row = await tx
    .selectFrom('read_head')
    .select('gone_until')
    .where('participant_id', '=', participant_id)
    .executeTakeFirst()
  return row?.gone_until ?? null
}

// ---- the keys of months

/** What was sealed under the key is to be sealed anew, and the key to be destroyed. */
export async function markStale(tx: Tx, epoch: number, stale_at: Date): Promise<void> {
  await tx
    .insertInto('epoch_key')
    .values({ epoch, stale_at, rewrapped_at: null, destroyed_at: null })
    .onConflict((oc) => oc.doNothing())
    .execute()
}

export const staleKeys = (tx: Tx) =>
  tx.selectFrom('epoch_key').select(['epoch', 'stale_at', 'rewrapped_at', 'destroyed_at']).orderBy('epoch').execute()

export async function noteKey(
  tx: Tx,
  epoch: number,
  change: { rewrapped_at: Date } | { destroyed_at: Date },
): Promise<void> {
  await tx.updateTable('epoch_key').set(change).where('epoch', '=', epoch).execute()
}

/** One participant's records after one that are sealed under a key, locked, at most `limit` looked at. */
export const recordsUnder = (
  tx: Tx,
  participant_id: Uuid,
  { epoch, after, limit }: { epoch: number; after: Uuid; limit: number },
) =>
  tx
    .selectFrom('prov_record')
    .select(['event_id', 'c', 'body', 'epoch'])
    .where('participant_id', '=', participant_id)
    .where('epoch', '=', epoch)
    .where('event_id', '>', after)
    .orderBy('event_id')
    .limit(limit)
    .forUpdate()
    .execute()

/** The same of the read journal. */
export const journalUnder = (
  tx: Tx,
  participant_id: Uuid,
  { epoch, after, limit }: { epoch: number; after: JournalPlace; limit: number },
) =>
  tx
    .selectFrom('read_journal')
    .select([sql<string>`day::text`.as('day'), 'journal_id', 'body', 'epoch'])
    .where('participant_id', '=', participant_id)
    .where('epoch', '=', epoch)
    .where(sql<boolean>`(day, journal_id) > (${after.day}::date, ${after.journal_id}::uuid)`)
    .orderBy('read_journal.day')
    .orderBy('journal_id')
    .limit(limit)
    .forUpdate()
    .execute()

export async function sealJournalAgain(
  tx: Tx,
  of: JournalPlace & { participant_id: Uuid },
  change: { body: Buffer; epoch: number },
): Promise<void> {
  await tx
    .updateTable('read_journal')
    .set(change)
    .where('participant_id', '=', of.participant_id)
    .where(sql<boolean>`day = ${of.day}::date`)
    .where('journal_id', '=', of.journal_id)
    .execute()
}

import { sql } from 'kysely'
import { hexArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { SIGNAL_STATE } from './schema.ts'

/** One participant's signals among `ids`, locked until the transaction ends. */
export const signalsForErasure = (tx: Tx, participant_id: Uuid, ids: readonly Uuid[]) =>
  tx
    .selectFrom('signal')
    .select(['signal_id', 'signal_key', 'type', 'category', 'revision', 'state', 'last_event', 'value_event'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`signal_id = any(${ids}::uuid[])`)
    .orderBy('signal_id')
    .forUpdate()
    .execute()

/** Every revision of them, withdrawals among them, in order. */
export const revisionsOf = (tx: Tx, participant_id: Uuid, ids: readonly Uuid[]) =>
  tx
    .selectFrom('signal_revision')
    .select(['signal_id', 'revision', 'submission_id', 'salt', 'item'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`signal_id = any(${ids}::uuid[])`)
    .orderBy('signal_id')
    .orderBy('revision')
    .execute()

/** The ends of their holds, each with the revision that feeds were given again. */
export const releasesOf = (tx: Tx, participant_id: Uuid, ids: readonly Uuid[]) =>
  tx
    .selectFrom('signal_hold')
    .select(['signal_id', 'revision', 'released_event'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`signal_id = any(${ids}::uuid[])`)
    .where('released_event', 'is not', null)
    .$narrowType<{ released_event: Uuid }>()
    .execute()

/** Erased signals that a hold had ended of. */
export async function erasedAndReleased(tx: Tx, participant_id: Uuid): Promise<Uuid[]> {
  const rows = await tx
    .selectFrom('signal_hold as h')
    .innerJoin('signal as s', (join) =>
      join.onRef('s.participant_id', '=', 'h.participant_id').onRef('s.signal_id', '=', 'h.signal_id'),
    )
    .select('h.signal_id')
    .distinct()
    .where('h.participant_id', '=', participant_id)
    .where('h.released_event', 'is not', null)
    .where('s.state', '=', SIGNAL_STATE.erased)
    .execute()
  return rows.map(({ signal_id }) => signal_id)
}

/** The signals that one erasure took. */
export async function erasedIds(
  tx: Tx,
  participant_id: Uuid,
  { event, state }: { event: Uuid; state: number },
): Promise<Uuid[]> {
  const rows = await tx
    .selectFrom('signal')
    .select('signal_id')
    .where('participant_id', '=', participant_id)
    .where('last_event', '=', event)
    .where('state', '=', state)
    .orderBy('signal_id')
    .execute()
  return rows.map(({ signal_id }) => signal_id)
}

/** The match keys become zeros. */
export async function endErased(
  tx: Tx,
  change: { participant_id: Uuid; ids: readonly Uuid[]; event: Uuid; state: number },
): Promise<void> {
  await sql`
    update signal set state = ${change.state}, ended_by = last_event, last_event = ${change.event},
      signal_key = ${Buffer.alloc(32)}
    where participant_id = ${change.participant_id} and signal_id = any(${change.ids}::uuid[])`.execute(tx)
}

export async function stubRevision(
  tx: Tx,
  of: { participant_id: Uuid; signal_id: Uuid; revision: number },
  item: string,
): Promise<void> {
  await tx
    .updateTable('signal_revision')
    .set({ salt: null, item })
    .where('participant_id', '=', of.participant_id)
    .where('signal_id', '=', of.signal_id)
    .where('revision', '=', of.revision)
    .execute()
}

/** Signals under match keys, in hex, whose values were not erased. */
export async function keyedSignals(
  db: Db,
  participant_id: Uuid,
  { keys, limit }: { keys: readonly string[]; limit: number },
): Promise<Uuid[]> {
  const rows = await db
    .selectFrom('signal')
    .select('signal_id')
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`signal_key = any(${hexArray(keys)}::bytea[])`)
    .where('state', '<>', SIGNAL_STATE.erased)
    .orderBy('signal_id')
    .limit(limit)
    .execute()
  return rows.map(({ signal_id }) => signal_id)
}

/** Of these signals those whose values were not erased, in order. */
export async function unerasedSignals(db: Db, participant_id: Uuid, ids: readonly Uuid[]): Promise<Uuid[]> {
  const rows = await db
    .selectFrom('signal')
    .select('signal_id')
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`signal_id = any(${ids}::uuid[])`)
    .where('state', '<>', SIGNAL_STATE.erased)
    .orderBy('signal_id')
    .execute()
  return rows.map(({ signal_id }) => signal_id)
}

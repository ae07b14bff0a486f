import { type Selectable, sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { DisputeReceivedTable, DisputeResultTable, SignalOpinionTable, SignalTallyTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'

export const nextIndex = async (db: Db, log_id: number, name: string): Promise<bigint> => {
  const row = await db
    .selectFrom('projector')
    .select('next_idx')
    .where('log_id', '=', log_id)
    .where('name', '=', name)
    .executeTakeFirst()
  return row?.next_idx ?? 0n
}

export async function moveNextIndex(tx: Tx, at: { log_id: number; name: string; next_idx: bigint }): Promise<void> {
  const { next_idx } = at
  await tx
    .insertInto('projector')
    .values(at)
    .onConflict((oc) => oc.columns(['log_id', 'name']).doUpdateSet({ next_idx }))
    .execute()
}

export const feedbackAt = (db: Db, participant_id: Uuid, feedback_id: Uuid) =>
  db
    .selectFrom('feedback')
    .select(['origin', 'signal_id', 'outcome', 'authority', 'own_hits', 'recurrences', 'at'])
    .where('participant_id', '=', participant_id)
    .where('feedback_id', '=', feedback_id)
    .executeTakeFirst()

export const disputeAt = (db: Db, participant_id: Uuid, last_event: Uuid) =>
  db
    .selectFrom('dispute')
    .select(['dispute_id', 'origin', 'signal_id', 'revision', 'ground', 'note', 'opened_at', 'due_at'])
    .where('participant_id', '=', participant_id)
    .where('last_event', '=', last_event)
    .executeTakeFirst()

export const answerAt = (db: Db, participant_id: Uuid, last_event: Uuid) =>
  db
    .selectFrom('dispute_answer')
    .select(['dispute_id', 'opener', 'signal_id', 'result', 'note', 'at'])
    .where('participant_id', '=', participant_id)
    .where('last_event', '=', last_event)
    .executeTakeFirst()

/** The signal that an event let go, if two persons had held it. */
export const releasedByRequest = (tx: Tx, participant_id: Uuid, released_event: Uuid) =>
  tx
    .selectFrom('signal_hold')
    .select('signal_id')
    .where('participant_id', '=', participant_id)
    .where('released_event', '=', released_event)
    .where('request', 'is not', null)
    .executeTakeFirst()

export const tallyOf = (tx: Tx, participant_id: Uuid, signal_id: Uuid) =>
  tx
    .selectFrom('signal_tally')
    .select(['counts', 'open_disputes', 'recurrences'])
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', signal_id)
    .executeTakeFirst()

/** Those of a page of signals, by the sources and the ids on it. */
export const talliesOf = (tx: Tx, { origins, signals }: { origins: readonly Uuid[]; signals: readonly Uuid[] }) =>
  tx
    .selectFrom('signal_tally')
    .select(['participant_id', 'signal_id', 'counts', 'open_disputes'])
    .where(sql<boolean>`participant_id = any(${origins}::uuid[])`)
    .where(sql<boolean>`signal_id = any(${signals}::uuid[])`)
    .execute()

/** Who said what of a signal; read beside the source. */
export const opinionsOf = (db: Db | Tx, participant_id: Uuid, signal_id: Uuid) =>
  db
    .selectFrom('signal_opinion')
    .select(['giver', 'outcome', 'independent', 'recurrences', 'at'])
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', signal_id)
    .execute()

/** The later word counts; that a signal was only taken in does not undo a verdict. Whether anything changed. */
export async function upsertOpinion(tx: Tx, row: Selectable<SignalOpinionTable>, verdictsTo: number): Promise<boolean> {
  const { outcome, independent, recurrences, at, place } = row
  const changed = await tx
    .insertInto('signal_opinion')
    .values(row)
    .onConflict((oc) =>
      oc
        .columns(['participant_id', 'signal_id', 'giver'])
        .doUpdateSet({ outcome, independent, recurrences, at, place })
        .where((eb) =>
          eb.and([
            eb('signal_opinion.place', '<', place),
            eb.or([eb('signal_opinion.outcome', '>', verdictsTo), eb.val(outcome <= verdictsTo)]),
          ]),
        ),
    )
    .returning('giver')
    .executeTakeFirst()
  return changed !== undefined
}

export async function insertReceived(tx: Tx, row: Selectable<DisputeReceivedTable>): Promise<void> {
  await tx
    .insertInto('dispute_received')
    .values(row)
    .onConflict((oc) => oc.columns(['participant_id', 'dispute_id']).doNothing())
    .execute()
}

export async function insertResult(tx: Tx, row: Selectable<DisputeResultTable>): Promise<void> {
  await tx
    .insertInto('dispute_result')
    .values(row)
    .onConflict((oc) => oc.columns(['participant_id', 'dispute_id']).doNothing())
    .execute()
}

export async function upsertTally(tx: Tx, row: Selectable<SignalTallyTable>): Promise<void> {
  const { audience_id, counts, open_disputes, recurrences } = row
  await tx
    .insertInto('signal_tally')
    .values(row)
    .onConflict((oc) =>
      oc.columns(['participant_id', 'signal_id']).doUpdateSet({ audience_id, counts, open_disputes, recurrences }),
    )
    .execute()
}

/** Counts go to whoever the signal goes to now: after a submission that may have moved it. */
export async function moveTallies(tx: Tx, participant_id: Uuid, submission_id: Uuid): Promise<void> {
  await sql`
    update signal_tally t set audience_id = s.audience_id
    from signal s, signal_revision r
    where t.participant_id = ${participant_id} and s.participant_id = ${participant_id}
      and r.participant_id = ${participant_id} and r.submission_id = ${submission_id}
      and s.signal_id = r.signal_id and t.signal_id = r.signal_id`.execute(tx)
}

import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

export interface ActRow {
  participant_id: Uuid
  act_id: Uuid
  jti: string
  od: Buffer
  jws: string
  salt: Buffer
  item: string
  countersignature: string
  received_at: Date
}

export interface FeedbackRow {
  participant_id: Uuid
  feedback_id: Uuid
  origin: Uuid
  signal_id: Uuid
  revision: number
  outcome: number
  authority: number
  own_hits: number
  recurrences: number
  supersedes: Uuid | null
  told: string
  at: Date
}

export interface DisputeRow {
  participant_id: Uuid
  dispute_id: Uuid
  origin: Uuid
  signal_id: Uuid
  revision: number
  ground: string
  note: string | null
  authority: number
  told: string
  opened_at: Date
  due_at: Date
  last_event: Uuid
}

export interface ReceivedRow {
  participant_id: Uuid
  dispute_id: Uuid
  opener: Uuid
  signal_id: Uuid
  revision: number
  ground: string
  note: string | null
  opened_at: Date
  due_at: Date
}

export interface AnswerRow {
  participant_id: Uuid
  dispute_id: Uuid
  opener: Uuid
  signal_id: Uuid
  revision: number
  result: string
  note: string | null
  told: string
  at: Date
  last_event: Uuid
}

// ---- what is said, beside its giver

export const actByJti = (tx: Tx, participant_id: Uuid, jti: string) =>
  tx
    .selectFrom('signed_act')
    .select(['act_id', 'od', 'countersignature'])
    .where('participant_id', '=', participant_id)
    .where('jti', '=', jti)
    .executeTakeFirst()

export async function insertAct(tx: Tx, row: ActRow): Promise<void> {
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

export async function insertFeedback(tx: Tx, row: FeedbackRow): Promise<void> {
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
export async function insertDispute(tx: Tx, row: DisputeRow): Promise<boolean> {
  const made = await tx
    .insertInto('dispute')
    .values(row)
    .onConflict((oc) => oc.columns(['participant_id', 'dispute_id']).doNothing())
    .returning('dispute_id')
    .executeTakeFirst()
  return made !== undefined
}

/** Those that a participant opened, after an id, with the answers that came. */
export const disputesOpened = (tx: Tx, participant_id: Uuid, { after, limit }: { after: Uuid; limit: number }) =>
  tx
    .selectFrom('dispute as d')
    .select(['d.dispute_id', 'd.origin', 'd.participant_id as opener', 'd.signal_id', 'd.revision', 'd.ground'])
    .select(['d.opened_at', 'd.due_at'])
    .select((eb) =>
      eb
        .selectFrom('dispute_result as r')
        .select('r.result')
        .where('r.participant_id', '=', participant_id)
        .whereRef('r.dispute_id', '=', 'd.dispute_id')
        .as('result'),
    )
    .where('d.participant_id', '=', participant_id)
    .where('d.dispute_id', '>', after)
    .orderBy('d.dispute_id')
    .limit(limit)
    .execute()

// ---- what is heard, beside the source

export const received = (tx: Tx, participant_id: Uuid, dispute_id: Uuid) =>
  tx
    .selectFrom('dispute_received')
    .select(['opener', 'signal_id', 'revision', 'ground'])
    .where('participant_id', '=', participant_id)
    .where('dispute_id', '=', dispute_id)
    .executeTakeFirst()

export const answerOf = (tx: Tx, participant_id: Uuid, dispute_id: Uuid) =>
  tx
    .selectFrom('dispute_answer')
    .select(['result', 'last_event'])
    .where('participant_id', '=', participant_id)
    .where('dispute_id', '=', dispute_id)
    .executeTakeFirst()

export async function insertAnswer(tx: Tx, row: AnswerRow): Promise<void> {
  await tx.insertInto('dispute_answer').values(row).execute()
}

export const disputesReceived = (tx: Tx, participant_id: Uuid, { after, limit }: { after: Uuid; limit: number }) =>
  tx
    .selectFrom('dispute_received as d')
    .select(['d.dispute_id', 'd.participant_id as origin', 'd.opener', 'd.signal_id', 'd.revision', 'd.ground'])
    .select(['d.opened_at', 'd.due_at'])
    .select((eb) =>
      eb
        .selectFrom('dispute_answer as r')
        .select('r.result')
        .where('r.participant_id', '=', participant_id)
        .whereRef('r.dispute_id', '=', 'd.dispute_id')
        .as('result'),
    )
    .where('d.participant_id', '=', participant_id)
    .where('d.dispute_id', '>', after)
    .orderBy('d.dispute_id')
    .limit(limit)
    .execute()

/** How many disputes of a signal its source has not answered. */
export async function openDisputes(tx: Tx, participant_id: Uuid, signal_id: Uuid): Promise<number> {
  const row = await tx
    .selectFrom('dispute_received as d')
    .select((eb) => eb.fn.countAll<bigint>().as('n'))
    .where('d.participant_id', '=', participant_id)
    .where('d.signal_id', '=', signal_id)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('dispute_answer as r')
            .select('r.result')
            .where('r.participant_id', '=', participant_id)
            .whereRef('r.dispute_id', '=', 'd.dispute_id'),
        ),
      ),
    )
    .executeTakeFirst()
  return Number(row?.n ?? 0)
}

export const tallyOf = (tx: Tx, participant_id: Uuid, signal_id: Uuid) =>
  tx
    .selectFrom('signal_tally')
    .select(['counts', 'open_disputes', 'recurrences'])
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', signal_id)
    .executeTakeFirst()

// ---- carried from the log

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

/** Who said what of a signal; read beside the source. */
export const opinionsOf = (db: Db | Tx, participant_id: Uuid, signal_id: Uuid) =>
  db
    .selectFrom('signal_opinion')
    .select(['giver', 'outcome', 'independent', 'recurrences', 'at'])
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', signal_id)
    .execute()

export interface OpinionRow {
  participant_id: Uuid
  signal_id: Uuid
  giver: Uuid
  outcome: number
  independent: boolean
  recurrences: number
  at: Date
  place: bigint
}

/** The later word counts; that a signal was only taken in does not undo a verdict. Whether anything changed. */
export async function upsertOpinion(tx: Tx, row: OpinionRow, verdictsTo: number): Promise<boolean> {
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

export async function insertReceived(tx: Tx, row: ReceivedRow): Promise<void> {
  await tx
    .insertInto('dispute_received')
    .values(row)
    .onConflict((oc) => oc.columns(['participant_id', 'dispute_id']).doNothing())
    .execute()
}

export async function insertResult(
  tx: Tx,
  row: { participant_id: Uuid; dispute_id: Uuid; result: string; note: string | null; at: Date },
): Promise<void> {
  await tx
    .insertInto('dispute_result')
    .values(row)
    .onConflict((oc) => oc.columns(['participant_id', 'dispute_id']).doNothing())
    .execute()
}

export async function upsertTally(
  tx: Tx,
  row: {
    participant_id: Uuid
    signal_id: Uuid
    audience_id: Uuid
    counts: string
    open_disputes: number
    recurrences: number
  },
): Promise<void> {
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

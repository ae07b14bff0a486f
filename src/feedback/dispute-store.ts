import type { Selectable } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { DisputeAnswerTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'

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

export async function insertAnswer(tx: Tx, row: Selectable<DisputeAnswerTable>): Promise<void> {
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

import type { Selectable } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { QuestionAnswerTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'

/** What a recipient says last of one's own signal, locked, so that of two answers the second finds the first. */
export const opinionOf = (tx: Tx, participant_id: Uuid, of: { signal_id: Uuid; giver: Uuid }) =>
  tx
    .selectFrom('signal_opinion')
    .select(['outcome', 'at'])
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', of.signal_id)
    .where('giver', '=', of.giver)
    .forUpdate()
    .executeTakeFirst()

export const lastAnswer = (tx: Tx, participant_id: Uuid, of: { signal_id: Uuid; asker: Uuid }) =>
  tx
    .selectFrom('question_answer')
    .select(['answer_id', 'told', 'at'])
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', of.signal_id)
    .where('asker', '=', of.asker)
    .orderBy('at', 'desc')
    .limit(1)
    .executeTakeFirst()

/** Of one signal, the newest first. */
export const answersOf = (tx: Tx, participant_id: Uuid, signal_id: Uuid, limit: number) =>
  tx
    .selectFrom('question_answer')
    .select(['asker', 'at', 'told'])
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', signal_id)
    .orderBy('at', 'desc')
    .limit(limit)
    .execute()

export async function insertQuestionAnswer(tx: Tx, row: Selectable<QuestionAnswerTable>): Promise<void> {
  await tx.insertInto('question_answer').values(row).execute()
}

/** Read as `aldis_projector`. */
export const questionAnswerAt = (db: Db, participant_id: Uuid, answer_id: Uuid) =>
  db
    .selectFrom('question_answer')
    .select(['asker as opener', 'signal_id'])
    .where('participant_id', '=', participant_id)
    .where('answer_id', '=', answer_id)
    .executeTakeFirst()

/** What people are told of cases; each list ends at `limit`, and none has anything of a signal but whose case it is. */
import { type Selectable, sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { CaseTakenTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'
import { CASE_STATE } from './transition.ts'

export async function insertTaken(tx: Tx, row: Selectable<CaseTakenTable>): Promise<void> {
  await tx.insertInto('case_taken').values(row).execute()
}

interface Since {
  since: Date
  limit: number
}

export const takenSince = (tx: Tx, participant_id: Uuid, { since, limit }: Since) =>
  tx
    .selectFrom('case_taken')
    .select(['event_id', 'case_id', 'taken_from', 'taken_by', 'at'])
    .where('participant_id', '=', participant_id)
    .where('at', '>=', since)
    .orderBy('at', 'desc')
    .limit(limit)
    .execute()

/** Open cases that were handed to somebody, the last handed over first. */
export const handedOver = (tx: Tx, participant_id: Uuid, limit: number) =>
  tx
    .selectFrom('review_case')
    .select(['case_id', 'assigned_to', 'handed_event', 'due_at', 'last_event'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`state = 1`)
    .where('assigned_to', 'is not', null)
    .orderBy(sql`handed_event desc nulls last`)
    .orderBy('case_id', 'desc')
    .limit(limit)
    .execute()

/** Proposals that nobody has answered. */
export const proposalsWaiting = (tx: Tx, participant_id: Uuid, limit: number) =>
  tx
    .selectFrom('review_case as c')
    .innerJoin('decision as d', (join) =>
      join.onRef('d.participant_id', '=', 'c.participant_id').onRef('d.case_id', '=', 'c.case_id'),
    )
    .select(['d.decision_id', 'd.case_id', 'd.decided_by', 'd.decided_at', 'c.held_until'])
    .where('c.participant_id', '=', participant_id)
    .where('d.participant_id', '=', participant_id)
    .where(sql<boolean>`c.state = ${sql.lit(CASE_STATE.awaiting_second)}`)
    .where('d.release_at', 'is', null)
    .where('d.ended_at', 'is', null)
    .orderBy('c.case_id', 'desc')
    .limit(limit)
    .execute()

/** Proposals that a second person approved or denied. */
export const proposalsAnswered = (tx: Tx, participant_id: Uuid, { since, limit }: Since) =>
  tx
    .selectFrom('decision')
    .select(['decision_id', 'case_id', 'decided_by', 'approved_by', 'release_at', 'refused_by', 'ended_at'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`needs_second`)
    .where('decided_at', '>=', since)
    .where((eb) => eb.or([eb('approved_by', 'is not', null), eb('refused_by', 'is not', null)]))
    .orderBy('decided_at', 'desc')
    .limit(limit)
    .execute()

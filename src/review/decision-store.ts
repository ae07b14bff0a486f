import { type Selectable, sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { DecisionTable } from '../db/tables.ts'
import { OUTCOME } from '../feedback/schema.ts'
import type { Uuid } from '../kernel/ids.ts'
import { COUNTED_MAX } from './queue-store.ts'

export type DecisionRow = Selectable<DecisionTable>

/** What was decided of a case, in order. */
export const decisionsOf = (tx: Tx, participant_id: Uuid, case_id: Uuid): Promise<DecisionRow[]> =>
  tx
    .selectFrom('decision')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('case_id', '=', case_id)
    .orderBy('seq')
    .execute()

export async function insertDecision(tx: Tx, row: DecisionRow): Promise<void> {
  await tx.insertInto('decision').values(row).execute()
}

export async function updateDecision(
  tx: Tx,
  { participant_id, case_id, seq }: { participant_id: Uuid; case_id: Uuid; seq: number },
  change: Partial<
    Pick<DecisionRow, 'approved_by' | 'release_at' | 'released_at' | 'ended_at' | 'refused_by' | 'refusal'>
  > & { last_event: Uuid },
): Promise<void> {
  await tx
    .updateTable('decision')
    .set(change)
    .where('participant_id', '=', participant_id)
    .where('case_id', '=', case_id)
    .where('seq', '=', seq)
    .execute()
}

/** The case of a decision that an event ended. */
export const caseEndedBy = (tx: Tx, participant_id: Uuid, event: Uuid) =>
  tx
    .selectFrom('decision as d')
    .innerJoin('review_case as c', (join) =>
      join.onRef('c.participant_id', '=', 'd.participant_id').onRef('c.case_id', '=', 'd.case_id'),
    )
    .select(['c.origin', 'c.signal_id'])
    .where('d.participant_id', '=', participant_id)
    .where('d.last_event', '=', event)
    .where('d.ended_at', 'is not', null)
    .executeTakeFirst()

/** Released decisions by which action was taken. */
const actions = (tx: Tx, participant_id: Uuid) =>
  tx
    .selectFrom('decision')
    .select(['case_id', 'seq'])
    .where('participant_id', '=', participant_id)
    .where('verdict', '=', OUTCOME.confirmed_action_taken)
    .where('released_at', 'is not', null)

/**
 * Those of them on another's signal that stand: not those that a later release takes the place of, nor those before one that finds
 * nothing wrong after all.
 */
const standing = (tx: Tx, participant_id: Uuid, taken = actions(tx, participant_id)) =>
  tx
    .selectFrom(taken.as('d'))
    .innerJoin('review_case as c', 'c.case_id', 'd.case_id')
    .where('c.participant_id', '=', participant_id)
    .where('c.origin', '<>', participant_id)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('decision as l')
            .select('l.seq')
            .where('l.participant_id', '=', participant_id)
            .whereRef('l.case_id', '=', 'd.case_id')
            .where('l.released_at', 'is not', null)
            .whereRef('l.seq', '>', 'd.seq')
            .where(({ or, eb, ref }) =>
              or([eb('l.supersedes', '=', ref('d.seq')), eb('l.verdict', '=', OUTCOME.not_violating)]),
            ),
        ),
      ),
    )

/** Whether action was taken on a signal, and that stands. */
export async function isActedOn(tx: Tx, participant_id: Uuid, of: { origin: Uuid; signal_id: Uuid }): Promise<boolean> {
  const row = await standing(tx, participant_id)
    .select('d.seq')
    .where('c.origin', '=', of.origin)
    .where('c.signal_id', '=', of.signal_id)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** How many signals it was taken on, by the newest of these decisions. */
export const actedOn = (tx: Tx, participant_id: Uuid) =>
  standing(
    tx,
    participant_id,
    actions(tx, participant_id)
      .orderBy('decided_at', 'desc')
      .limit(COUNTED_MAX + 1),
  )
    .select(sql<bigint>`count(distinct (c.origin, c.signal_id))`.as('n'))
    .executeTakeFirstOrThrow()

/** Decisions of some organisations whose grace is over. */
export const dueDecisions = (db: Db, { now, of, limit }: { now: Date; of: readonly Uuid[]; limit: number }) =>
  db
    .selectFrom('decision')
    .select(['participant_id', 'case_id', 'seq'])
    .where('release_at', '<=', now)
    .where(sql<boolean>`participant_id = any(${of}::uuid[])`)
    .where('released_at', 'is', null)
    .where('ended_at', 'is', null)
    // What is decided alike leaves as a whole, once all of it is decided.
    .where(
      sql<boolean>`not exists (select 1 from bulk_job j where j.participant_id = decision.participant_id
        and j.job_id = decision.job_id and j.state in (2, 4))`,
    )
    .orderBy('release_at')
    .limit(limit)
    .execute()

/** What somebody decided or approved and nothing has left of, the newest first. */
export const inGrace = (tx: Tx, participant_id: Uuid, { who, now }: { who: string; now: Date }) =>
  tx
    .selectFrom('decision')
    .select(['case_id', 'decision_id', 'verdict', 'release_at'])
    .where('participant_id', '=', participant_id)
    .where('release_at', '>', now)
    .where('released_at', 'is', null)
    .where('ended_at', 'is', null)
    .where((eb) => eb.or([eb('decided_by', '=', who), eb('approved_by', '=', who)]))
    .orderBy('release_at', 'desc')
    .limit(5)
    .execute()

/** What is proposed of each case and has no answer yet. */
export const proposedOf = (tx: Tx, participant_id: Uuid, cases: readonly Uuid[]): Promise<DecisionRow[]> =>
  tx
    .selectFrom('decision')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`case_id = any(${cases}::uuid[])`)
    .where('release_at', 'is', null)
    .where('ended_at', 'is', null)
    .execute()

/** The newest released decisions by verdict: those that stand, and those that a later one corrected. */
export const verdictCounts = (tx: Tx, participant_id: Uuid) =>
  tx
    .selectFrom((eb) =>
      eb
        .selectFrom('decision')
        .select(['verdict', 'supersedes', 'single_reviewed'])
        .where('participant_id', '=', participant_id)
        .where('released_at', 'is not', null)
        .orderBy('decided_at', 'desc')
        .limit(COUNTED_MAX + 1)
        .as('d'),
    )
    .select((eb) => ['d.verdict', eb.fn.countAll<bigint>().as('n')])
    .select((eb) => eb.fn.countAll<bigint>().filterWhere('d.supersedes', 'is not', null).as('corrections'))
    .select((eb) => eb.fn.countAll<bigint>().filterWhere('d.single_reviewed', '=', true).as('single'))
    .groupBy('d.verdict')
    .execute()

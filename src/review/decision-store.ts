import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

export interface DecisionRow {
  participant_id: Uuid
  case_id: Uuid
  seq: number
  decision_id: Uuid
  verdict: number
  reason: string
  note_team: string | null
  note_shared: string | null
  category_suggested: string | null
  accounts_actioned: number | null
  content_removed: number | null
  urls_blocked: number | null
  reports_filed: number | null
  investigations_opened: number | null
  authority: number
  decided_by: string
  decided_at: Date
  needs_second: boolean
  supersedes: number | null
  corrects: boolean
  approved_by: string | null
  release_at: Date | null
  released_at: Date | null
  ended_at: Date | null
  last_event: Uuid
}

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
  change: Partial<Pick<DecisionRow, 'approved_by' | 'release_at' | 'released_at' | 'ended_at'>> & { last_event: Uuid },
): Promise<void> {
  await tx
    .updateTable('decision')
    .set(change)
    .where('participant_id', '=', participant_id)
    .where('case_id', '=', case_id)
    .where('seq', '=', seq)
    .execute()
}

/** Decisions whose grace is over. */
export const dueDecisions = (db: Db, now: Date, limit: number) =>
  db
    .selectFrom('decision')
    .select(['participant_id', 'case_id', 'seq'])
    .where('release_at', '<=', now)
    .where('released_at', 'is', null)
    .where('ended_at', 'is', null)
    .orderBy('release_at')
    .limit(limit)
    .execute()

/** Released decisions by verdict: those that stand, and those that a later one corrected. */
export const verdictCounts = (tx: Tx, participant_id: Uuid) =>
  tx
    .selectFrom('decision as d')
    .select((eb) => ['d.verdict', eb.fn.countAll<bigint>().as('n')])
    .select((eb) => eb.fn.countAll<bigint>().filterWhere('d.supersedes', 'is not', null).as('corrections'))
    .where('d.participant_id', '=', participant_id)
    .where('d.released_at', 'is not', null)
    .groupBy('d.verdict')
    .execute()

import type { Tx } from '../db/as-participant.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { hoursOf, isAsked, moveCase, type Reviewer } from './case.ts'
import type { DecisionRow } from './decision-store.ts'
import { dueAt } from './priority.ts'
import * as store from './store.ts'
import { CASE_STATE } from './transition.ts'

type Recorder = Pick<ProvenanceService, 'record'>

interface Again {
  by: Pick<Reviewer, 'participant' | 'slug'>
  /** Locked. */
  row: store.CaseRow
  now: Date
}

/**
 * Part of a larger change that closed a case: what came since the decision was made opens it, for whoever decided did not know of
 * it. Answers where the case stands.
 */
export async function lookAgain(
  recorder: Recorder,
  tx: Tx<'participant'>,
  { by, row, now, decision }: Again & { decision: DecisionRow },
): Promise<{ state: number; version: number }> {
  if (row.state !== CASE_STATE.closed) return row
  const triggers = await store.triggersOf(tx, row.participant_id, row.case_id)
  const came = triggers.filter(({ at }) => at > decision.decided_at)
  const [first] = came
  if (first === undefined) return row
  const asked = came.some(({ kind }) => isAsked(kind))
  const due_at = dueAt(now, row, { asked, hours: await hoursOf(tx, row.participant_id) })
  const change = { opened_at: now, due_at, assigned_to: null }
  return moveCase(recorder, tx, row, { act: 'reopen', by, reason: first.kind, now, change })
}

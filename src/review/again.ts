import type { Tx } from '../db/as-participant.ts'
import { newId } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { type CaseFacts, hoursOf, isAsked, moveCase, newerOf, type Reviewer } from './case.ts'
import type { DecisionRow } from './decision-store.ts'
import { dueAt, rankOf } from './priority.ts'
import * as store from './store.ts'
import { CASE_STATE, stateOf } from './transition.ts'

type Recorder = Pick<ProvenanceService, 'record'>

interface Again {
  by: Pick<Reviewer, 'participant' | 'slug'>
  /** Locked. */
  row: store.CaseRow
  now: Date
}

/**
 * Part of a larger change: a case shows what its source says now. Whoever is about to decide reads it again, for it has another
 * version; one that is decided keeps its own, since undoing is of the decision. An older revision is passed over.
 */
export async function refresh(
  recorder: Recorder,
  tx: Tx<'participant'>,
  { by, row, now, facts }: Again & { facts: CaseFacts },
): Promise<void> {
  if (facts.revision <= row.revision) return
  const [event, state, change] = [newId(now), stateOf(row.state), newerOf(row, facts)]
  const weighed = { ...row, ...change }
  const due = dueAt(row.opened_at, weighed, { asked: false, hours: await hoursOf(tx, row.participant_id) })
  const due_at = new Date(Math.min(due.getTime(), row.due_at.getTime()))
  const version = row.state === CASE_STATE.decided ? row.version : row.version + 1
  await store.updateCase(tx, row, { ...change, version, rank: rankOf(weighed), due_at, last_event: event })
  await recorder.record(tx, {
    ...{ kind: 'review.moved', event_id: event, participant_id: row.participant_id, at: now, actor: by.slug },
    fields: { case: row.case_id, signal: row.signal_id, from: state, to: state, reason: 'revised' },
  })
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

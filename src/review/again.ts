import type { Tx } from '../db/as-participant.ts'
import { newId } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { type CaseFacts, countsFrom, hoursOf, isAsked, moveCase, newerOf, type Reviewer, sooner } from './case.ts'
import type { DecisionRow } from './decision-store.ts'
import { dueAt, isMoreUrgent, rankOf } from './priority.ts'
import * as store from './store.ts'
import { CASE_STATE, stateOf } from './transition.ts'

type Recorder = Pick<ProvenanceService, 'record'>

/** Reasons that are looked at, of those that came between a decision and its end. */
const CAME_MAX = 100

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
  const urgency = { asked: false, hours: await hoursOf(tx, row.participant_id) }
  const due_at = isMoreUrgent(weighed, row) ? sooner(row, dueAt(countsFrom(row, now), weighed, urgency)) : row.due_at
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
  const came = await store.triggersOf(tx, row, { after: decision.decided_at, limit: CAME_MAX })
  const [first] = came
  if (first === undefined) return row
  const asked = came.some(({ kind }) => isAsked(kind))
  const disputed = came.some(({ kind }) => kind === 'dispute')
  const due_at = dueAt(now, { ...row, disputed }, { asked, hours: await hoursOf(tx, row.participant_id) })
  const change = { opened_at: now, due_at, disputed, assigned_to: null }
  return moveCase(recorder, tx, row, { act: 'reopen', by, reason: first.kind, now, change })
}

import type { Tx } from '../db/as-participant.ts'
import { AUTHORITY, OUTCOME, type OutcomeCounts } from '../feedback/schema.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { CriticalSecond } from '../participants/schema.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { lookAgain } from './again.ts'
import { moveCase, type Reviewer } from './case.ts'
import * as decisionStore from './decision-store.ts'
import { countsOf, nameOf } from './outcome.ts'
import type { DecisionRequest, DecisionResult } from './schema.ts'
import { personsFor } from './second.ts'
import * as store from './store.ts'
import { CASE_STATE, type CaseAct, stateOf } from './transition.ts'

export interface DecidingOptions {
  provenance: Pick<ProvenanceService, 'record'>
  /** How long a decision may be undone before anything leaves. */
  graceMs: number
  /** What the programme asks of confirmations at critical, now. */
  criticalSecond(): CriticalSecond
}

/** A proposal that nobody answered goes back to the queue. */
const PROPOSAL_MS = 24 * 3_600_000

export type Verdict = Omit<DecisionRequest, 'operator' | 'version' | 'token'>

export interface Deciding {
  by: Reviewer
  /** Locked, and in a state that is decided from. */
  row: store.CaseRow
  /** What was decided of it before, in order. */
  before: readonly decisionStore.DecisionRow[]
  verdict: Verdict
  now: Date
  /** Of which it is a part. */
  job?: Uuid
}

/** Part of a larger change: a verdict with its entry in the log; a proposal where it takes a second person. */
export async function writeDecision(
  options: DecidingOptions,
  tx: Tx<'participant'>,
  { by, row, before, verdict: body, now, job }: Deciding,
): Promise<DecisionResult> {
  const { provenance, graceMs } = options
  const corrects = row.state === CASE_STATE.closed
  const asked = { severity: row.severity, verdict: body.verdict, escalate: body.escalate === true }
  const persons = personsFor(asked, options.criticalSecond())
  const second = persons === 'two'
  const event = newId(now)
  const moved = await moveCase(provenance, tx, row, {
    ...{ act: actOf(corrects, second), by, now, reason: body.verdict, event },
    change: { held_until: second ? new Date(now.getTime() + PROPOSAL_MS) : null, assigned_to: null },
  })
  const release_at = second ? null : new Date(now.getTime() + graceMs)
  const decided_at = await afterWhatCame(tx, row, now)
  const former = replacedBy({ corrects, verdict: body.verdict }, before)
  const decision: decisionStore.DecisionRow = {
    ...{ participant_id: by.participant, case_id: row.case_id, seq: before.length + 1, decision_id: body.decision },
    ...{ verdict: OUTCOME[body.verdict], reason: body.reason, ...wordsOf(body), ...columnsOf(body.counts ?? {}) },
    ...{ authority: AUTHORITY[by.authority], decided_by: by.who, decided_at, due_at: row.due_at },
    needs_second: second,
    ...{ supersedes: former?.seq ?? null, corrects, approved_by: null, release_at, released_at: null, ended_at: null },
    ...{ refused_by: null, refusal: null, job_id: job ?? null, single_reviewed: persons === 'marked' },
    ...{ revision: row.revision, last_event: event },
  }
  await recordDecided(options, tx, { by, row, decision, before, persons: 1, now })
  await decisionStore.insertDecision(tx, decision)
  return resultOf(row, decision, moved)
}

/** Whoever decides knows of every trigger of the case, by whatever clock each came: `lookAgain` opens it for those that are later. */
async function afterWhatCame(tx: Tx, { participant_id, case_id }: store.CaseRow, now: Date): Promise<Date> {
  const last = await store.lastTriggered(tx, { participant_id, case_id })
  return new Date(Math.max(last?.getTime() ?? 0, now.getTime()))
}

const actOf = (corrects: boolean, second: boolean): CaseAct => {
  if (corrects) return second ? 'propose_correction' : 'correct'
  return second ? 'propose' : 'decide'
}

const wordsOf = ({ note_team, note_shared, category_suggested }: Verdict) => ({
  note_team: note_team ?? null,
  note_shared: note_shared ?? null,
  category_suggested: category_suggested ?? null,
})

const columnsOf = (counts: OutcomeCounts) => ({
  accounts_actioned: counts.accounts_actioned ?? null,
  content_removed: counts.content_removed ?? null,
  urls_blocked: counts.urls_blocked ?? null,
  reports_filed: counts.reports_filed ?? null,
  investigations_opened: counts.investigations_opened ?? null,
})

interface Decided {
  by: Reviewer
  row: store.CaseRow
  decision: decisionStore.DecisionRow
  /** What was decided of the case before it, in order. */
  before: readonly decisionStore.DecisionRow[]
  /** How many persons stand for it by now. */
  persons: number
  now: Date
}

export const recordDecided = (
  { provenance }: Pick<DecidingOptions, 'provenance'>,
  tx: Tx<'participant'>,
  { by, row, decision, before, persons, now }: Decided,
) =>
  provenance.record(tx, {
    ...{ kind: 'review.decided', event_id: decision.last_event },
    ...{ participant_id: by.participant, at: now, actor: by.slug },
    fields: {
      ...{ case: row.case_id, signal: row.signal_id, decision: decision.decision_id, reviewers: persons },
      ...{ verdict: nameOf(decision.verdict), reason: decision.reason, counts: countsOf(decision) },
      ...{ authority: by.authority, supersedes: before.find(({ seq }) => seq === decision.supersedes)?.decision_id },
      ...{ job: decision.job_id ?? undefined, single_reviewed: decision.single_reviewed || undefined },
      proposed: (decision.needs_second && persons === 1) || undefined,
    },
  })

/**
 * The decision that another takes the place of: a correction, or one that finds nothing wrong after all, does so of the last that was
 * released. Any other on a case that came back adds to it, for what was done before was done.
 */
const replacedBy = (
  { corrects, verdict }: { corrects: boolean; verdict: Verdict['verdict'] },
  before: readonly decisionStore.DecisionRow[],
): decisionStore.DecisionRow | undefined =>
  corrects || verdict === 'not_violating' ? before.findLast(({ released_at }) => released_at !== null) : undefined

export const resultOf = (
  row: store.CaseRow,
  { decision_id: decision, release_at }: decisionStore.DecisionRow,
  { state, version }: { state: number; version: number },
): DecisionResult => ({
  ...{ case: row.case_id, decision, state: stateOf(state), version },
  ...(release_at !== null && { release_at: release_at.toISOString() }),
})

export interface Ending {
  by: Pick<Reviewer, 'participant' | 'slug'>
  row: store.CaseRow
  /** The last of the case. */
  decision: decisionStore.DecisionRow
  now: Date
}

/** Part of a larger change: within its grace a decision is as if it had not been. */
export async function undoDecision(
  { provenance }: Pick<DecidingOptions, 'provenance'>,
  tx: Tx<'participant'>,
  { by, row, decision, now }: Ending,
): Promise<{ state: number; version: number }> {
  const event = newId(now)
  const act = decision.corrects ? 'undo_correction' : 'undo'
  const moved = await moveCase(provenance, tx, row, { act, by, now, reason: 'undone', event })
  await recordUndone(provenance, tx, { by, row, decision, now, event })
  await decisionStore.updateDecision(tx, decision, { ended_at: now, last_event: event })
  return lookAgain(provenance, tx, { by, row: { ...row, ...moved }, decision, now })
}

/** Part of a larger change: a proposal that was not approved goes back to where it came from. */
export async function refuseProposal(
  { provenance }: Pick<DecidingOptions, 'provenance'>,
  tx: Tx<'participant'>,
  { reason, refused, ...of }: Ending & { reason: string; refused?: { refused_by?: string; refusal?: string } },
): Promise<{ state: number; version: number }> {
  const { by, row, decision, now } = of
  const act = decision.corrects ? 'refuse_correction' : 'refuse'
  const moved = await moveCase(provenance, tx, row, { act, by, now, reason, change: { held_until: null } })
  await endProposal({ provenance }, tx, of, refused)
  return lookAgain(provenance, tx, { by, row: { ...row, ...moved }, decision, now })
}

/** Part of a larger change: nobody stands for a proposal any more, which the log must say to whoever counts decisions. */
export async function endProposal(
  { provenance }: Pick<DecidingOptions, 'provenance'>,
  tx: Tx<'participant'>,
  { by, row, decision, now }: Ending,
  refused: { refused_by?: string; refusal?: string } = {},
): Promise<void> {
  const event = newId(now)
  await recordUndone(provenance, tx, { by, row, decision, now, event })
  await decisionStore.updateDecision(tx, decision, { ended_at: now, ...refused, last_event: event })
}

const recordUndone = (
  provenance: DecidingOptions['provenance'],
  tx: Tx<'participant'>,
  { by, row, decision, now, event }: Ending & { event: Uuid },
) =>
  provenance.record(tx, {
    ...{ kind: 'review.undone', event_id: event, participant_id: by.participant, at: now, actor: by.slug },
    fields: { case: row.case_id, decision: decision.decision_id, job: decision.job_id ?? undefined },
  })

import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { checkReason, checkWords } from '../feedback/judge.ts'
import { AUTHORITY, OUTCOME, type OutcomeCounts } from '../feedback/schema.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { atVersion, lockedCase, moveCase, type Reviewer } from './case.ts'
import * as decisionStore from './decision-store.ts'
import { checkGrip, end } from './leases.ts'
import { countsOf, nameOf } from './outcome.ts'
import type { DecisionRequest, DecisionResult, MoveResult, SecondRequest } from './schema.ts'
import { needsSecond } from './second.ts'
import type * as store from './store.ts'
import { CASE_STATE, type CaseAct, stateOf } from './transition.ts'

export interface DecisionsOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  /** How long a decision may be undone before anything leaves. */
  graceMs: number
}

export interface Decisions {
  /** A verdict on an open case whose lease the reviewer holds, or a correction of a closed one. Repeated it changes nothing. */
  decide(by: Reviewer, case_id: Uuid, request: Omit<DecisionRequest, 'operator'>): Promise<DecisionResult>
  /** By another person: the proposal stands as it was fixed. Whoever proposed may only take it back. */
  second(by: Reviewer, of: { case: Uuid; decision: Uuid }, answer: SecondRequest): Promise<DecisionResult>
  /** Within the grace; `grace-over` afterwards. */
  undo(by: Reviewer, of: { case: Uuid; decision: Uuid }): Promise<MoveResult>
}

/** A proposal that nobody answered goes back to the queue. */
const PROPOSAL_MS = 24 * 3_600_000

type Body = Omit<DecisionRequest, 'operator'>

export function createDecisions(options: DecisionsOptions): Decisions {
  const { db, provenance } = options
  const logged = async <T>(by: Reviewer, work: (tx: Tx<'participant'>) => Promise<T>): Promise<T> => {
    provenance.admit()
    const result = await asParticipant(db, by.participant, work)
    provenance.wake()
    return result
  }
  return {
    decide: async (by, case_id, body) => {
      const { verdict, reason, note_team, note_shared, category_suggested } = body
      checkReason(verdict, reason, note_shared ?? note_team)
      checkWords({ note_team, note_shared, category_suggested })
      return logged(by, (tx) => decideIn(options, tx, { by, case_id, body }))
    },
    second: async (by, of, answer) => {
      checkWords({ reason: answer.reason })
      return logged(by, (tx) => secondIn(options, tx, { by, of, answer }))
    },
    undo: (by, of) => logged(by, (tx) => undoIn(options, tx, { by, of })),
  }
}

async function decideIn(
  options: DecisionsOptions,
  tx: Tx<'participant'>,
  { by, case_id, body }: { by: Reviewer; case_id: Uuid; body: Body },
): Promise<DecisionResult> {
  const { clock, provenance, graceMs } = options
  const now = clock()
  const row = await lockedCase(tx, by.participant, case_id)
  const before = await decisionStore.decisionsOf(tx, by.participant, case_id)
  const same = before.find(({ decision_id }) => decision_id === body.decision)
  if (same !== undefined) return repeated(row, same, body)
  atVersion(row, body.version)
  const corrects = row.state === CASE_STATE.closed
  if (!corrects) await checkGrip(tx, row, { token: body.token, now })
  const second = needsSecond(row.severity, body.verdict) || body.escalate === true
  const event = newId(now)
  const act = actOf(corrects, second)
  const move = {
    ...{ act, by, now, reason: body.verdict, event },
    change: { held_until: second ? new Date(now.getTime() + PROPOSAL_MS) : null, assigned_to: null },
  }
  const { state, version } = await moveCase(provenance, tx, row, move)
  const release_at = second ? null : new Date(now.getTime() + graceMs)
  const former = before.findLast(({ released_at }) => released_at !== null)
  const decision: decisionStore.DecisionRow = {
    ...{ participant_id: by.participant, case_id, seq: before.length + 1, decision_id: body.decision },
    ...{ verdict: OUTCOME[body.verdict], reason: body.reason, ...wordsOf(body), ...columnsOf(body.counts ?? {}) },
    ...{ authority: AUTHORITY[by.authority], decided_by: by.who, decided_at: now, needs_second: second },
    ...{ supersedes: former?.seq ?? null, corrects, approved_by: null, release_at, released_at: null, ended_at: null },
    last_event: event,
  }
  await recordDecided(options, tx, { by, row, decision, persons: 1, now })
  await decisionStore.insertDecision(tx, decision)
  if (body.token !== undefined && !corrects) await end(tx, row, { by, token: body.token, now })
  return resultOf(row, decision, { state, version })
}

const actOf = (corrects: boolean, second: boolean): CaseAct => {
  if (corrects) return second ? 'propose_correction' : 'correct'
  return second ? 'propose' : 'decide'
}

function repeated(row: store.CaseRow, known: decisionStore.DecisionRow, body: Body): DecisionResult {
  if (known.verdict !== OUTCOME[body.verdict] || known.reason !== body.reason)
    throw new Refusal('state-conflict', { detail: 'this id was used for another decision' })
  return resultOf(row, known, row)
}

const wordsOf = ({ note_team, note_shared, category_suggested }: Body) => ({
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
  /** How many persons stand for it by now. */
  persons: number
  now: Date
}

const recordDecided = (
  { provenance }: DecisionsOptions,
  tx: Tx<'participant'>,
  { by, row, decision, persons, now }: Decided,
) =>
  provenance.record(tx, {
    ...{
      kind: 'review.decided',
      event_id: decision.last_event,
      participant_id: by.participant,
      at: now,
      actor: by.slug,
    },
    fields: {
      ...{ case: row.case_id, signal: row.signal_id, decision: decision.decision_id, reviewers: persons },
      ...{ verdict: nameOf(decision.verdict), reason: decision.reason, counts: countsOf(decision) },
      ...{ authority: by.authority, supersedes: decision.supersedes ?? undefined },
    },
  })

const resultOf = (
  row: store.CaseRow,
  { decision_id: decision, release_at }: decisionStore.DecisionRow,
  { state, version }: { state: number; version: number },
): DecisionResult => ({
  ...{ case: row.case_id, decision, state: stateOf(state), version },
  ...(release_at !== null && { release_at: release_at.toISOString() }),
})

interface Answering {
  by: Reviewer
  of: { case: Uuid; decision: Uuid }
}

/** The case and the decision that is the last of it, locked. */
async function lastDecision(
  tx: Tx<'participant'>,
  { by, of }: Answering,
): Promise<{ row: store.CaseRow; decision: decisionStore.DecisionRow }> {
  const row = await lockedCase(tx, by.participant, of.case)
  const all = await decisionStore.decisionsOf(tx, by.participant, of.case)
  const decision = all.at(-1)
  if (!all.some(({ decision_id }) => decision_id === of.decision)) throw new Refusal('not-found')
  if (decision?.decision_id !== of.decision)
    throw new Refusal('case-moved', { detail: 'a later decision stands', extra: { version: row.version } })
  return { row, decision }
}

async function secondIn(
  options: DecisionsOptions,
  tx: Tx<'participant'>,
  { by, of, answer }: Answering & { answer: SecondRequest },
): Promise<DecisionResult> {
  const { clock, provenance, graceMs } = options
  const now = clock()
  const { row, decision } = await lastDecision(tx, { by, of })
  const isOwn = decision.decided_by === by.who
  if (isOwn && answer.answer !== 'retract') throw new Refusal('self-approval')
  if (!isOwn && answer.answer === 'retract')
    throw new Refusal('person-unknown', { detail: 'who proposed takes it back; deny it instead' })
  if (answer.answer === 'approve') {
    const event = newId(now)
    const move = { act: 'approve', by, now, reason: 'approved', event, change: { held_until: null } } as const
    const moved = await moveCase(provenance, tx, row, move)
    const release_at = new Date(now.getTime() + graceMs)
    const approved = { ...decision, approved_by: by.who, release_at, last_event: event }
    await recordDecided(options, tx, { by, row, decision: approved, persons: 2, now })
    await decisionStore.updateDecision(tx, decision, { approved_by: by.who, release_at, last_event: event })
    return resultOf(row, approved, moved)
  }
  const act = decision.corrects ? 'refuse_correction' : 'refuse'
  const reason = answer.reason ?? (answer.answer === 'deny' ? 'denied' : 'retracted')
  const moved = await moveCase(provenance, tx, row, { act, by, now, reason, change: { held_until: null } })
  await decisionStore.updateDecision(tx, decision, { ended_at: now, last_event: moved.event })
  return resultOf(row, decision, moved)
}

async function undoIn(
  { clock, provenance }: DecisionsOptions,
  tx: Tx<'participant'>,
  { by, of }: Answering,
): Promise<MoveResult> {
  const now = clock()
  const { row, decision } = await lastDecision(tx, { by, of })
  if (decision.released_at !== null) throw new Refusal('grace-over')
  const event = newId(now)
  const act = decision.corrects ? 'undo_correction' : 'undo'
  const { state, version } = await moveCase(provenance, tx, row, { act, by, now, reason: 'undone', event })
  await provenance.record(tx, {
    ...{ kind: 'review.undone', event_id: event, participant_id: by.participant, at: now, actor: by.slug },
    fields: { case: of.case, decision: of.decision },
  })
  await decisionStore.updateDecision(tx, decision, { ended_at: now, last_event: event })
  return { case: of.case, state: stateOf(state), version }
}

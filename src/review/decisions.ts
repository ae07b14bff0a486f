import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { isTwin } from '../db/failure.ts'
import { checkReason, checkWords } from '../feedback/judge.ts'
import { AUTHORITY, OUTCOME } from '../feedback/schema.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { atVersion, lockedCase, moveCase, type Reviewer } from './case.ts'
import {
  type DecidingOptions,
  recordDecided,
  refuseProposal,
  resultOf,
  undoDecision,
  writeDecision,
} from './deciding.ts'
import * as decisionStore from './decision-store.ts'
import { checkGrip, end } from './leases.ts'
import type { DecisionRequest, DecisionResult, MoveResult, SecondRequest } from './schema.ts'
import { compare, type Named } from './second.ts'
import type * as store from './store.ts'
import { CASE_STATE, stateOf } from './transition.ts'

export interface DecisionsOptions extends DecidingOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  /** How the persons of the programme are called who decide cases in an organisation. */
  colleagues(organisation: string): Promise<ReadonlySet<string>>
}

export interface Decisions {
  /** A verdict on an open case whose lease the reviewer holds, or a correction of a closed one. Repeated it changes nothing. */
  decide(by: Reviewer, case_id: Uuid, request: Omit<DecisionRequest, 'operator'>): Promise<DecisionResult>
  /** By another person: the proposal stands as it was fixed. Whoever proposed may only take it back. */
  second(by: Reviewer, of: { case: Uuid; decision: Uuid }, answer: SecondRequest): Promise<DecisionResult>
  /** Within the grace; `grace-over` afterwards. */
  undo(by: Reviewer, of: { case: Uuid; decision: Uuid }): Promise<MoveResult>
}

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
      return logged(by, (tx) => decideIn(options, tx, { by, case_id, body })).catch(ofAnotherCase)
    },
    second: async (by, of, answer) => {
      checkWords({ reason: answer.reason })
      const colleagues = await options.colleagues(by.slug)
      return logged(by, (tx) => secondIn(options, tx, { by, of, answer, colleagues }))
    },
    undo: (by, of) => logged(by, (tx) => undoIn(options, tx, { by, of })),
  }
}

async function decideIn(
  options: DecisionsOptions,
  tx: Tx<'participant'>,
  { by, case_id, body }: { by: Reviewer; case_id: Uuid; body: Body },
): Promise<DecisionResult> {
  const now = options.clock()
  const row = await lockedCase(tx, by.participant, case_id)
  const before = await decisionStore.decisionsOf(tx, by.participant, case_id)
  const same = before.find(({ decision_id }) => decision_id === body.decision)
  if (same !== undefined) return repeated(row, same, body)
  atVersion(row, body.version)
  const corrects = row.state === CASE_STATE.closed
  if (!corrects) await checkGrip(tx, row, { token: body.token, now })
  const result = await writeDecision(options, tx, { by, row, before, verdict: body, now })
  if (body.token !== undefined && !corrects) await end(tx, row, { by, token: body.token, now })
  return result
}

const isTaken = (cause?: unknown): Refusal =>
  new Refusal('state-conflict', { detail: 'this id was used for another decision', cause })

/** An id names one decision in all cases of an organisation: of the case at hand it was looked for already. */
function ofAnotherCase(error: unknown): never {
  throw isTwin(error) ? isTaken(error) : error
}

function repeated(row: store.CaseRow, known: decisionStore.DecisionRow, body: Body): DecisionResult {
  if (known.verdict !== OUTCOME[body.verdict] || known.reason !== body.reason) throw isTaken()
  return resultOf(row, known, row)
}

interface Answering {
  by: Reviewer
  of: { case: Uuid; decision: Uuid }
}

/** The case and the decision that is the last of it, locked. */
async function lastDecision(
  tx: Tx<'participant'>,
  { by, of }: Answering,
): Promise<{ row: store.CaseRow; decision: decisionStore.DecisionRow; before: decisionStore.DecisionRow[] }> {
  const row = await lockedCase(tx, by.participant, of.case)
  const all = await decisionStore.decisionsOf(tx, by.participant, of.case)
  const decision = all.at(-1)
  if (!all.some(({ decision_id }) => decision_id === of.decision)) throw new Refusal('not-found')
  if (decision?.decision_id !== of.decision)
    throw new Refusal('case-moved', { detail: 'a later decision stands', extra: { version: row.version } })
  return { row, decision, before: all.slice(0, -1) }
}

async function secondIn(
  options: DecisionsOptions,
  tx: Tx<'participant'>,
  { by, of, answer, colleagues }: Answering & { answer: SecondRequest; colleagues: ReadonlySet<string> },
): Promise<DecisionResult> {
  const { clock, provenance, graceMs } = options
  const now = clock()
  const { row, decision, before } = await lastDecision(tx, { by, of })
  const { decided_by: who, authority } = decision
  checkPersons({ who, authority: authorityOf(authority) }, { by, answer: answer.answer, colleagues })
  if (answer.answer === 'approve') {
    const event = newId(now)
    const move = { act: 'approve', by, now, reason: 'approved', event, change: { held_until: null } } as const
    const moved = await moveCase(provenance, tx, row, move)
    const release_at = new Date(now.getTime() + graceMs)
    const approved = { ...decision, approved_by: by.who, release_at, last_event: event }
    await recordDecided(options, tx, { by, row, decision: approved, before, persons: 2, now })
    await decisionStore.updateDecision(tx, decision, { approved_by: by.who, release_at, last_event: event })
    return resultOf(row, approved, moved)
  }
  const reason = answer.reason ?? (answer.answer === 'deny' ? 'denied' : 'retracted')
  const refused = answer.answer === 'deny' ? { refused_by: by.who, refusal: reason } : {}
  const moved = await refuseProposal(options, tx, { by, row, decision, now, reason, refused })
  return resultOf(row, decision, moved)
}

const authorityOf = (authority: number): Named['authority'] =>
  authority === AUTHORITY.reviewed_here ? 'reviewed_here' : 'attested'

/** Two persons for an answer, the same one for taking it back; two names that nobody can tell apart are neither. */
export function checkPersons(
  proposer: Named,
  {
    by,
    answer,
    colleagues,
  }: { by: Named; answer: SecondRequest['answer']; colleagues: Pick<ReadonlySet<string>, 'has'> },
): void {
  const persons = compare(proposer, by, (who) => colleagues.has(who))
  if (persons === 'unknown' && answer !== 'deny')
    throw new Refusal('person-unknown', {
      detail: "one of the two is known by the platform's own tool alone: let the tool name a person of the programme",
    })
  if (persons === 'same' && answer !== 'retract') throw new Refusal('self-approval')
  if (persons === 'two' && answer === 'retract')
    throw new Refusal('person-unknown', { detail: 'who proposed takes it back; deny it instead' })
}

async function undoIn(options: DecisionsOptions, tx: Tx<'participant'>, { by, of }: Answering): Promise<MoveResult> {
  const now = options.clock()
  const { row, decision } = await lastDecision(tx, { by, of })
  if (decision.released_at !== null) throw new Refusal('grace-over')
  const { state, version } = await undoDecision(options, tx, { by, row, decision, now })
  return { case: of.case, state: stateOf(state), version }
}

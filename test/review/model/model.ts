import type { Uuid } from '../../../src/kernel/ids.ts'
import { LEASE_MS } from '../../../src/review/lease.ts'
import type { CaseState } from '../../../src/review/transition.ts'
import { GRACE_MS } from '../world.ts'

const DAY_MS = 24 * 3_600_000

export interface Decision {
  id: Uuid
  by: string
  verdict: string
  status: 'proposed' | 'grace' | 'released' | 'ended'
  corrects: boolean
  /** Whether a later release takes its place. */
  replaced: boolean
  /** Whether something came after it. */
  overtaken: boolean
  releaseAt: number
}

/** One case as the rules of the review say it must be; nothing of it is read from the database. */
export interface Model {
  critical: boolean
  state: CaseState
  version: number
  now: number
  lease: { holder: string; token: Uuid; until: number } | undefined
  /** What each knows of the case since it claimed it last. */
  grips: Map<string, { token: Uuid; version: number }>
  decisions: Decision[]
  heldUntil: number | undefined
  hits: number
  disputed: boolean
  ended: boolean
  /** A decision was undone after that, of which the loop has not read yet. */
  undone: boolean
  /** Entries of the log that tell of the case. */
  entries: number
}

export const begun = (critical: boolean, now: number, hits: number): Model => ({
  ...{ critical, state: 'open', version: 1, now, lease: undefined, grips: new Map(), decisions: [] },
  ...{ heldUntil: undefined, hits, disputed: false, ended: false, undone: false, entries: 1 },
})

export const last = (m: Model): Decision | undefined => m.decisions.at(-1)
export const released = (m: Model): Decision[] => m.decisions.filter(({ status }) => status === 'released')
const isConfirmation = (verdict: string): boolean => verdict.startsWith('confirmed_')
const takesTwo = (m: Model, verdict: string): boolean => m.critical && isConfirmation(verdict)

function move(m: Model, to: CaseState): void {
  m.state = to
  m.version += 1
  m.entries += 1
}

/** Answers the refusal's code, or `done` once the model has gone on. */
export function claim(m: Model, who: string, isLead: boolean): string {
  if (m.state !== 'open') return 'case-moved'
  const holder = m.lease !== undefined && m.lease.until > m.now ? m.lease.holder : undefined
  if (holder !== undefined && holder !== who && !isLead) return 'lease-held'
  if (holder !== undefined && holder !== who) m.entries += 1
  return 'done'
}

export function claimed(m: Model, who: string, token: Uuid): void {
  m.lease = { holder: who, token, until: m.now + LEASE_MS }
  m.grips.set(who, { token, version: m.version })
}

/** Why whoever worked on it last may not go on; undefined where nobody came between. */
function gripFault(m: Model, token: Uuid): string | undefined {
  if (m.lease?.token === token) return undefined
  return m.lease !== undefined && m.lease.until > m.now ? 'lease-held' : 'lease-lapsed'
}

export function decide(m: Model, who: string, { id, verdict }: { id: Uuid; verdict: string }): string {
  const grip = m.grips.get(who)
  if (grip === undefined) return 'unasked'
  const corrects = m.state === 'closed'
  // A correction names the version that stands, since it needs no lease.
  if (!corrects && grip.version !== m.version) return 'case-moved'
  const fault = corrects ? undefined : gripFault(m, grip.token)
  if (fault !== undefined) return fault
  if (!corrects && m.state !== 'open') return 'case-moved'
  const second = takesTwo(m, verdict)
  move(m, second ? 'awaiting_second' : 'decided')
  const releaseAt = second ? Number.POSITIVE_INFINITY : m.now + GRACE_MS
  m.decisions.push({
    id,
    by: who,
    verdict,
    status: second ? 'proposed' : 'grace',
    corrects,
    replaced: false,
    overtaken: false,
    releaseAt,
  })
  m.heldUntil = second ? m.now + DAY_MS : undefined
  if (!corrects && m.lease !== undefined) m.lease = { ...m.lease, holder: who, until: m.now }
  return 'done'
}

export function answer(m: Model, who: string, what: 'approve' | 'deny' | 'retract'): string {
  const decision = last(m)
  if (decision === undefined) return 'unasked'
  const isOwn = decision.by === who
  if (isOwn && what !== 'retract') return 'self-approval'
  if (!isOwn && what === 'retract') return 'person-unknown'
  if (m.state !== 'awaiting_second') return 'case-moved'
  m.heldUntil = undefined
  if (what === 'approve') {
    move(m, 'decided')
    decision.status = 'grace'
    decision.releaseAt = m.now + GRACE_MS
  } else refuseProposal(m, decision)
  return 'done'
}

function refuse(m: Model, decision: Decision): void {
  move(m, decision.corrects ? 'closed' : 'open')
  decision.status = 'ended'
  lookAgain(m, decision)
}

/** What came after a decision opens the case once it would be closed. */
function lookAgain(m: Model, { overtaken }: Decision): void {
  if (m.state === 'closed' && overtaken) move(m, 'open')
}

/** One entry for the case that moves, another for the decision that nobody stands for. */
function refuseProposal(m: Model, decision: Decision): void {
  refuse(m, decision)
  m.entries += 1
}

export function undo(m: Model): string {
  const decision = last(m)
  if (decision === undefined) return 'unasked'
  if (decision.status === 'released') return 'grace-over'
  if (m.state !== 'decided') return 'case-moved'
  refuse(m, decision)
  m.undone = m.ended
  return 'done'
}

/** What the loop that follows the log makes of it. */
export function follow(m: Model): void {
  if (m.undone) endUnlessDecided(m)
  m.undone = false
}

export function hold(m: Model, who: string): string {
  const grip = m.grips.get(who)
  if (grip === undefined) return 'unasked'
  const fault = gripFault(m, grip.token)
  if (fault !== undefined) return fault
  if (grip.version !== m.version || m.state !== 'open') return 'case-moved'
  move(m, 'held')
  m.heldUntil = m.now + DAY_MS
  if (m.lease !== undefined) m.lease = { ...m.lease, holder: who, until: m.now }
  return 'done'
}

export function resume(m: Model): string {
  if (m.state !== 'held') return 'case-moved'
  move(m, 'open')
  m.heldUntil = undefined
  return 'done'
}

/** What a round of the loop does: what is due leaves, what waited long enough comes back. */
export function round(m: Model): void {
  const back = m.heldUntil !== undefined && m.heldUntil <= m.now
  const decision = last(m)
  if (m.state === 'decided' && decision?.status === 'grace' && decision.releaseAt <= m.now) {
    const waits = decision.verdict === 'needs_information'
    move(m, waits ? 'held' : 'closed')
    replace(m, decision)
    decision.status = 'released'
    if (waits) m.heldUntil = m.now + DAY_MS
    lookAgain(m, decision)
  }
  if (!back) return
  m.heldUntil = undefined
  if (m.state === 'held') move(m, 'open')
  else if (m.state === 'awaiting_second' && decision !== undefined) refuseProposal(m, decision)
}

/** A correction takes the place of what was released last; what finds nothing wrong, of all. */
function replace(m: Model, { corrects, verdict }: Decision): void {
  for (const one of verdict === 'not_violating' ? released(m) : corrects ? released(m).slice(-1) : [])
    one.replaced = true
}

const acted = (m: Model): boolean =>
  released(m).some(({ verdict, replaced }) => verdict === 'confirmed_action_taken' && !replaced)

/** A reason is added, and opens what was closed. */
function reason(m: Model): void {
  const decision = last(m)
  if (m.state === 'closed') move(m, 'open')
  else m.entries += 1
  if (decision !== undefined && (m.state === 'decided' || m.state === 'awaiting_second')) decision.overtaken = true
}

/** Whether something confirms the signal that was released last, or leaves once its grace is over. */
const confirms = (m: Model): boolean =>
  [released(m).at(-1), m.decisions.find(({ status }) => status === 'grace')].some(
    (one) => one !== undefined && isConfirmation(one.verdict),
  )

const bandOf = (hits: number): number => [1, 2, 10].filter((from) => hits >= from).length

/** Whether somebody is to look at the case already, so that one more hit after an action adds nothing. */
const isToBeLookedAt = (m: Model): boolean =>
  m.state === 'decided' || m.state === 'awaiting_second' ? last(m)?.overtaken === true : m.state !== 'closed'

export function hit(m: Model, count: number): void {
  if (bandOf(count) > bandOf(m.hits) || (acted(m) && !isToBeLookedAt(m))) reason(m)
  m.hits = count
}

export function dispute(m: Model): void {
  m.disputed = true
  if (confirms(m)) reason(m)
}

export function withdraw(m: Model): void {
  m.ended = true
  if (confirms(m)) reason(m)
  else endUnlessDecided(m)
}

/** Where nobody stands for anything, nothing is left to decide. */
function endUnlessDecided(m: Model): void {
  if (released(m).length > 0 || m.state === 'decided') return
  const proposal = m.state === 'awaiting_second' ? last(m) : undefined
  move(m, 'void')
  m.heldUntil = undefined
  if (proposal === undefined) return
  proposal.status = 'ended'
  m.entries += 1
}

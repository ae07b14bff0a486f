import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { AUTHORITY, GROUNDS, OUTCOME, type Outcome } from '../feedback/schema.ts'
import type { Telling } from '../feedback/tell.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { lookAgain } from './again.ts'
import { BULK_STATE } from './bulk-schema.ts'
import * as bulkStore from './bulk-store.ts'
import { hoursOf, moveCase } from './case.ts'
import { refuseProposal, undoDecision } from './deciding.ts'
import * as decisionStore from './decision-store.ts'
import * as hitStore from './hit-store.ts'
import { resuming } from './leases.ts'
import { countsOf, nameOf } from './outcome.ts'
import { sample } from './samples.ts'
import { isCritical, isOpenEnded } from './second.ts'
import * as store from './store.ts'
import { CASE_STATE } from './transition.ts'

export interface ReleaseOptions {
  app: Db
  projector: Db
  clock: Clock
  provenance: Pick<ProvenanceService, 'record' | 'wake'>
  feedback: Telling
  slugOf(participant: Uuid): string
  /** Whoever takes part now. */
  active(): readonly Uuid[]
}

const AT_ONCE = 100
const HELD_MS = 24 * 3_600_000

/**
 * Lets decisions out whose grace is over, and cases back that waited long enough. The rows say what is due, each is one
 * transaction, and one that is done is not due any more: after a crash it is simply looked again. Of an organisation that is
 * suspended all of it waits, and of one that has left nothing is said any more.
 */
export function createRelease(options: ReleaseOptions): { round(): Promise<number> } {
  const { app, projector, clock, provenance } = options
  return {
    async round() {
      const due = { now: clock(), of: options.active(), limit: AT_ONCE }
      const [decisions, cases] = [
        await decisionStore.dueDecisions(projector, due),
        await store.dueCases(projector, due),
      ]
      for (const one of decisions) await asParticipant(app, one.participant_id, (tx) => release(options, tx, one))
      for (const one of cases) await asParticipant(app, one.participant_id, (tx) => comeBack(options, tx, one))
      if (decisions.length + cases.length > 0) provenance.wake()
      return decisions.length + cases.length
    },
  }
}

async function release(
  options: ReleaseOptions,
  tx: Tx<'participant'>,
  due: { participant_id: Uuid; case_id: Uuid; seq: number },
): Promise<void> {
  const { clock, provenance, slugOf } = options
  const now = clock()
  const row = await store.caseForUpdate(tx, due.participant_id, due.case_id)
  const decision = (await decisionStore.decisionsOf(tx, due.participant_id, due.case_id)).find(
    ({ seq }) => seq === due.seq,
  )
  // Undone, or released by another process, since it was found.
  if (row?.state !== CASE_STATE.decided || decision === undefined) return
  if (decision.released_at !== null || decision.ended_at !== null) return
  if (await isUnderWay(tx, decision)) return
  const by = { participant: due.participant_id, slug: slugOf(due.participant_id) }
  const verdict = nameOf(decision.verdict)
  if (isOneTooFew(row, decision)) {
    await undoDecision({ provenance }, tx, { by, row, decision, now })
    return
  }
  const waits = isOpenEnded(verdict)
  const { event, ...moved } = await moveCase(provenance, tx, row, {
    ...{ act: waits ? 'release_held' : 'release', by, reason: verdict, now },
    change: waits ? parked(verdict, now) : {},
  })
  // Of an own signal nobody else is told: its disputes have an answer of their own.
  if (row.origin !== row.participant_id) await tell(options, tx, { by, row, decision, verdict })
  if (!waits) await sample(tx, { row, decision, event, now })
  await decisionStore.updateDecision(tx, decision, { released_at: now, last_event: event })
  await noteAction(tx, { row, decision, event })
  await lookAgain(provenance, tx, { by, row: { ...row, ...moved }, decision, now })
}

const parked = (verdict: string, now: Date) => ({
  held_until: new Date(now.getTime() + HELD_MS),
  paused_at: verdict === 'needs_information' ? now : null,
})

/** One person confirmed what its source has made critical since: it is decided anew, by as many as that takes. */
const isOneTooFew = (
  row: store.CaseRow,
  { verdict, approved_by, single_reviewed }: decisionStore.DecisionRow,
): boolean => approved_by === null && !single_reviewed && isCritical(row.severity, nameOf(verdict))

/** Undoing begins between the look and the release. */
async function isUnderWay(
  tx: Tx<'participant'>,
  { participant_id, job_id }: decisionStore.DecisionRow,
): Promise<boolean> {
  const job = job_id === null ? undefined : await bulkStore.jobOf(tx, participant_id, job_id)
  return job !== undefined && (job.state === BULK_STATE.running || job.state === BULK_STATE.undoing)
}

async function tell(
  { feedback }: ReleaseOptions,
  tx: Tx<'participant'>,
  of: {
    by: { participant: Uuid; slug: string }
    row: store.CaseRow
    decision: decisionStore.DecisionRow
    verdict: string
  },
): Promise<void> {
  const { by, row, decision, verdict } = of
  const { reason, note_shared, category_suggested, single_reviewed } = decision
  const authority = decision.authority === AUTHORITY.reviewed_here ? 'reviewed_here' : 'attested'
  const about = { origin: row.origin, signal: row.signal_id, revision: decision.revision ?? row.revision }
  const note = note_shared ?? undefined
  await feedback.tell(tx, by, {
    ...{ ...about, outcome: verdict as Outcome, reason, note, authority },
    ...{ category_suggested: category_suggested ?? undefined, counts: countsOf(decision) },
    single_reviewed,
  })
  if (decision.verdict === OUTCOME.not_violating && GROUNDS[reason] !== undefined)
    await feedback.object(tx, by, { ...about, ground: reason, note, authority })
}

/** From now on further hits are hits after an action; or no longer, where no action stands. What has no hits yet asks with the first. */
async function noteAction(
  tx: Tx<'participant'>,
  { row, decision, event }: { row: store.CaseRow; decision: decisionStore.DecisionRow; event: Uuid },
): Promise<void> {
  if (decision.verdict === OUTCOME.confirmed_action_taken) {
    const hit = await hitStore.hitForUpdate(tx, row.participant_id, row)
    if (hit !== undefined) await hitStore.updateHit(tx, row, { acted_count: hit.count, last_event: event })
  } else if (decision.supersedes !== null && !(await decisionStore.isActedOn(tx, row.participant_id, row)))
    await hitStore.updateHit(tx, row, { acted_count: null, last_event: event })
}

async function comeBack(
  { clock, provenance, slugOf }: ReleaseOptions,
  tx: Tx<'participant'>,
  due: { participant_id: Uuid; case_id: Uuid },
): Promise<void> {
  const now = clock()
  const row = await store.caseForUpdate(tx, due.participant_id, due.case_id)
  if (row?.held_until === null || row === undefined || row.held_until > now) return
  const by = { participant: due.participant_id, slug: slugOf(due.participant_id) }
  if (row.state === CASE_STATE.held) {
    const hours = await hoursOf(tx, row.participant_id)
    await moveCase(provenance, tx, row, resuming(row, { by, now, reason: 'time_over', hours }))
    return
  }
  const all = await decisionStore.decisionsOf(tx, row.participant_id, row.case_id)
  const proposal = all.at(-1)
  if (row.state !== CASE_STATE.awaiting_second || proposal === undefined) return
  await refuseProposal({ provenance }, tx, { by, row, decision: proposal, now, reason: 'time_over' })
}

import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { ReviewVerdict } from '../feedback/schema.ts'
import type { FactsOf } from '../feeds/facts.ts'
import { toHex } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { authorityOf, countsOf, digestOf, endWithGrace, moveJob } from './bulk-move.ts'
import { leftBy } from './bulk-rule.ts'
import { BULK_RESULT, BULK_STATE, type BulkResult } from './bulk-schema.ts'
import * as bulkStore from './bulk-store.ts'
import type { Reviewer } from './case.ts'
import { type DecidingOptions, refuseProposal, undoDecision, writeDecision } from './deciding.ts'
import * as decisionStore from './decision-store.ts'
import { end } from './leases.ts'
import { nameOf } from './outcome.ts'
import { isCritical } from './second.ts'
import * as store from './store.ts'
import { CASE_STATE, stateOf } from './transition.ts'

export interface BulkWorkOptions extends DecidingOptions {
  app: Db
  projector: Db
  clock: Clock
  provenance: Pick<ProvenanceService, 'record' | 'wake'>
  facts: FactsOf
  slugOf(participant: Uuid): string
  /** Whoever takes part now: jobs of others wait. */
  active(): readonly Uuid[]
}

export interface BulkWork {
  /** Works off what jobs wait for, a piece of each; answers how many cases were looked at and jobs moved. */
  round(): Promise<number>
  /** One job to its end, at once; beside a round or another process each case is still looked at once. */
  workOff(of: { participant_id: Uuid; job_id: Uuid }): Promise<void>
}

const JOBS_AT_ONCE = 20
/** Cases of one job in a round: several jobs go on side by side. */
const CASES_AT_ONCE = 50

/**
 * Decides the cases of jobs one after the other, each in a transaction with its row: what is done is not done again, and after
 * a crash the rows say where to go on.
 */
export function createBulkWork(options: BulkWorkOptions): BulkWork {
  const { app, projector, clock, provenance } = options
  const inJob = <T>(of: { participant_id: Uuid }, work: (tx: Tx<'participant'>) => Promise<T>): Promise<T> =>
    asParticipant(app, of.participant_id, work)
  /** Up to so many cases, and the end of the job where nothing is left. */
  const piece = async (of: Named, most: number): Promise<number> => {
    if (!(await inJob(of, (tx) => holds(options, tx, of)))) return 1
    let n = 0
    while (n < most && (await inJob(of, (tx) => workOne(options, tx, of)))) n += 1
    const ended = await inJob(of, (tx) => finish(options, tx, of))
    return n + (ended ? 1 : 0)
  }
  return {
    async round() {
      let n = 0
      const live = { now: clock(), of: options.active(), limit: JOBS_AT_ONCE }
      for (const of of await bulkStore.liveJobs(projector, live)) {
        if (of.state === BULK_STATE.proposed) n += await inJob(of, (tx) => lapse(options, tx, of))
        else n += await piece(of, CASES_AT_ONCE)
      }
      if (n > 0) provenance.wake()
      return n
    },
    async workOff(of) {
      while ((await piece(of, CASES_AT_ONCE)) >= CASES_AT_ONCE);
      provenance.wake()
    },
  }
}

type Named = { participant_id: Uuid; job_id: Uuid }
/** Whether the list and the decision are those that were asked for and approved; a job of others is not carried out. */
async function holds(options: BulkWorkOptions, tx: Tx<'participant'>, of: Named): Promise<boolean> {
  const job = await bulkStore.jobOf(tx, of.participant_id, of.job_id)
  if (job?.state !== BULK_STATE.running) return job?.state === BULK_STATE.undoing
  const items = await bulkStore.itemsOf(tx, of.participant_id, of.job_id)
  if (items.length === job.n && digestOf(job, items).equals(job.digest)) return true
  const [locked, now] = [await bulkStore.jobForUpdate(tx, of.participant_id, of.job_id), options.clock()]
  if (locked === undefined) return false
  const change = { refusal: 'list_changed', ended_at: now, release_at: now }
  await moveJob(options, tx, { job: locked, act: 'refuse', now, change })
  return false
}

/** One case of a job; whether there was one. */
async function workOne(options: BulkWorkOptions, tx: Tx<'participant'>, of: Named): Promise<boolean> {
  const job = await bulkStore.jobOf(tx, of.participant_id, of.job_id)
  if (job?.state === BULK_STATE.running) {
    const item = await bulkStore.nextItem(tx, of.participant_id, of.job_id)
    if (item === undefined) return false
    const result = await decideItem(options, tx, { job, item })
    await bulkStore.updateItem(tx, item, { result: BULK_RESULT[result], done_at: options.clock() })
    return true
  }
  if (job?.state !== BULK_STATE.undoing) return false
  const item = await bulkStore.nextToUndo(tx, of.participant_id, of.job_id)
  if (item === undefined) return false
  await bulkStore.updateItem(tx, item, { undone: await undoItem(options, tx, { job, item }) })
  return true
}

interface Working {
  job: bulkStore.JobRow
  item: bulkStore.ItemRow
}

/** As its proposer would, one by one: every rule of a single decision holds for each. */
async function decideItem(
  options: BulkWorkOptions,
  tx: Tx<'participant'>,
  { job, item }: Working,
): Promise<BulkResult> {
  const { slugOf, clock } = options
  const { participant_id: participant, proposed_by: who } = job
  const now = clock()
  const row = await store.caseForUpdate(tx, participant, item.case_id)
  const lease = await store.leaseOf(tx, participant, item.case_id)
  const standing = row === undefined ? undefined : await standingOf(options, tx, { row, lease, now })
  const left = leftBy(standing, { who, version: item.version, now })
  if (row === undefined || left !== undefined) return left ?? 'not_there'
  const by: Reviewer = { participant, slug: slugOf(participant), who, authority: authorityOf(job), lead: false }
  const before = await decisionStore.decisionsOf(tx, participant, row.case_id)
  const { state } = await writeDecision(options, tx, {
    ...{ by, row, before, now, job: job.job_id },
    verdict: {
      ...{ decision: item.decision_id, verdict: nameOf(job.verdict) as ReviewVerdict, reason: job.reason },
      ...(job.note_team !== null && { note_team: job.note_team }),
      ...(job.note_shared !== null && { note_shared: job.note_shared }),
      escalate: isCritical(row.severity, nameOf(job.verdict)),
    },
  })
  if (lease !== undefined) await end(tx, row, { by, token: lease.token, now })
  return state === 'awaiting_second' ? 'proposed' : 'decided'
}

/** A case as the rule wants to know it. */
async function standingOf(
  { facts }: Pick<BulkWorkOptions, 'facts'>,
  tx: Tx<'participant'>,
  { row, lease, now }: { row: store.CaseRow; lease: Awaited<ReturnType<typeof store.leaseOf>>; now: Date },
) {
  const { participant_id, origin, signal_id: signal, signal_key, assigned_to, version } = row
  const isOpen = row.state === CASE_STATE.open
  const seen = isOpen ? await facts(tx, participant_id, [{ origin, signal, key: toHex(signal_key) }], now) : []
  const live = seen.some((one) => one.origin === origin && one.signal === signal)
  return { state: stateOf(row.state), version, own: origin === participant_id, lease, assigned_to, live }
}

/** As if it had not been, unless something of it has left or came after it; answers which. */
async function undoItem(
  { provenance, slugOf, clock }: BulkWorkOptions,
  tx: Tx<'participant'>,
  { job, item }: Working,
): Promise<boolean> {
  const now = clock()
  const row = await store.caseForUpdate(tx, job.participant_id, item.case_id)
  const decision = (await decisionStore.decisionsOf(tx, job.participant_id, item.case_id)).at(-1)
  if (row === undefined || decision?.decision_id !== item.decision_id) return false
  if (decision.released_at !== null || decision.ended_at !== null) return false
  const by = { participant: job.participant_id, slug: slugOf(job.participant_id) }
  if (decision.release_at === null)
    await refuseProposal({ provenance }, tx, { by, row, decision, now, reason: 'undone' })
  else await undoDecision({ provenance }, tx, { by, row, decision, now })
  return true
}

/** The end of a job of which nothing is left: from now on all of it has one grace. Whether this was it. */
async function finish(options: BulkWorkOptions, tx: Tx<'participant'>, of: Named): Promise<boolean> {
  const now = options.clock()
  const job = await bulkStore.jobForUpdate(tx, of.participant_id, of.job_id)
  if (job?.state !== BULK_STATE.running && job?.state !== BULK_STATE.undoing) return false
  const { results, left, undone, toUndo } = await countsOf(tx, job)
  if (job.state === BULK_STATE.undoing)
    return toUndo === 0 && (await moveJob(options, tx, { job, act: 'finish_undo', now, told: { results: { undone } } }))
  if (left > 0) return false
  await endWithGrace(options, tx, { job, act: 'finish', now, results })
  return true
}

/** A proposal that no lead answered in time. */
async function lapse(options: BulkWorkOptions, tx: Tx<'participant'>, of: Named): Promise<number> {
  const now = options.clock()
  const job = await bulkStore.jobForUpdate(tx, of.participant_id, of.job_id)
  if (job?.state !== BULK_STATE.proposed || job.expires_at === null || job.expires_at > now) return 0
  await moveJob(options, tx, { job, act: 'refuse', now, change: { refusal: 'time_over', ended_at: now } })
  return 1
}

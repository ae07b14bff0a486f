import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { checkReason, checkWords } from '../feedback/judge.ts'
import { AUTHORITY, OUTCOME } from '../feedback/schema.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { authorityOf, countsOf, digestOf, endWithGrace, moveJob, recordJob } from './bulk-move.ts'
import { bulkStateOf, needsLead } from './bulk-rule.ts'
import {
  BULK_ALONE,
  BULK_HOURS,
  BULK_JOBS_MAX,
  BULK_STATE,
  type BulkAnswer,
  type BulkItems,
  type BulkJob,
  type BulkJobList,
  type BulkRequest,
} from './bulk-schema.ts'
import * as bulkStore from './bulk-store.ts'
import { infosOf, itemOf, listOf, ownJob, toldOf } from './bulk-told.ts'
import type { BulkWork } from './bulk-work.ts'
import type { Reviewer } from './case.ts'
import { checkPersons, type DecisionsOptions } from './decisions.ts'

export interface BulkOptions extends Pick<DecisionsOptions, 'graceMs' | 'colleagues'> {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  slugOf(participant: Uuid): string
  /** Works small jobs off at once; the loop does the others. */
  work: Pick<BulkWork, 'workOff'>
}

/** Cases that are decided alike. Up to 25 are decided before the answer; more wait for a lead, and are worked off in the background. */
export interface Bulk {
  /** Repeated under the same id it changes nothing. */
  beginBulk(by: Reviewer, request: Omit<BulkRequest, 'operator'>): Promise<BulkJob>
  bulkJob(participant: Uuid, job: Uuid): Promise<BulkJob>
  /** The newest first. */
  bulkJobs(participant: Uuid, query: { after?: Uuid }): Promise<BulkJobList>
  /** Those that wait for a lead. */
  bulkProposals(participant: Uuid): Promise<BulkJob[]>
  bulkItems(participant: Uuid, job: Uuid): Promise<BulkItems>
  /** A lead approves exactly what stands there, or denies it; who proposed may only take it back. */
  answerBulk(by: Reviewer, job: Uuid, answer: Omit<BulkAnswer, 'operator' | 'lead'>): Promise<BulkJob>
  /** What was not decided yet is left as it is. */
  cancelBulk(by: Reviewer, job: Uuid): Promise<BulkJob>
  /** All of it, as long as nothing has left; `grace-over` afterwards. */
  undoBulk(by: Reviewer, job: Uuid): Promise<BulkJob>
}

const HOUR_MS = 3_600_000

export function createBulk(options: BulkOptions): Bulk {
  const { db, provenance, work } = options
  /** A change of a job; a small one is then worked off at once. */
  const changed = async (
    by: Reviewer,
    change: (tx: Tx<'participant'>) => Promise<bulkStore.JobRow>,
  ): Promise<BulkJob> => {
    provenance.admit()
    const job = await asParticipant(db, by.participant, change)
    if (job.n <= BULK_ALONE) await work.workOff(job)
    provenance.wake()
    return asParticipant(db, by.participant, (tx) => toldOf(tx, by.participant, job.job_id))
  }
  return {
    beginBulk: async (by, request) => {
      const { verdict, reason, note_team, note_shared } = request
      checkReason(verdict, reason, note_shared ?? note_team)
      checkWords({ note_team, note_shared })
      return changed(by, (tx) => begin(options, tx, { by, request }))
    },
    bulkJob: (participant, job) => asParticipant(db, participant, (tx) => toldOf(tx, participant, job)),
    bulkJobs: (participant, query) => asParticipant(db, participant, (tx) => listOf(tx, participant, query)),
    bulkProposals: (participant) =>
      asParticipant(db, participant, async (tx) =>
        infosOf(tx, await bulkStore.proposedJobs(tx, participant, BULK_JOBS_MAX)),
      ),
    bulkItems: (participant, job) =>
      asParticipant(db, participant, async (tx) => {
        await ownJob(tx, participant, job)
        return { job, items: (await bulkStore.itemsOf(tx, participant, job)).map(itemOf) }
      }),
    answerBulk: async (by, job, answer) => {
      checkWords({ reason: answer.reason })
      const colleagues = await options.colleagues(by.slug)
      return changed(by, (tx) => answerIn(options, tx, { by, job, answer, colleagues }))
    },
    cancelBulk: (by, job) => changed(by, (tx) => cancelIn(options, tx, { by, job })),
    undoBulk: (by, job) => changed(by, (tx) => undoIn(options, tx, { by, job })),
  }
}

async function begin(
  options: BulkOptions,
  tx: Tx<'participant'>,
  { by, request }: { by: Reviewer; request: Omit<BulkRequest, 'operator'> },
): Promise<bulkStore.JobRow> {
  const { clock } = options
  const now = clock()
  const { job: job_id, verdict, reason, note_team = null, note_shared = null, cases } = request
  if (new Set(cases.map((one) => one.case)).size < cases.length)
    throw new Refusal('validation-failed', { detail: 'each case once' })
  const [n, event] = [cases.length, newId(now)]
  const waits = needsLead(n)
  const items = cases.map(
    (one, i): bulkStore.ItemRow => ({
      ...{ participant_id: by.participant, job_id, place: i + 1, case_id: one.case, version: one.version },
      ...{ decision_id: newId(now), result: null, done_at: null, undone: null },
    }),
  )
  const job: bulkStore.JobRow = {
    ...{ participant_id: by.participant, job_id, verdict: OUTCOME[verdict], reason, note_team, note_shared, n },
    ...{ digest: Buffer.alloc(0), state: waits ? BULK_STATE.proposed : BULK_STATE.running },
    ...{ authority: AUTHORITY[by.authority], proposed_by: by.who, proposed_at: now, needs_second: waits },
    ...{ approved_by: null, approved_digest: null, refusal: null, ended_at: null, release_at: null },
    expires_at: waits ? new Date(now.getTime() + BULK_HOURS * HOUR_MS) : null,
    last_event: event,
  }
  const fixed = { ...job, digest: digestOf(job, items) }
  if (!(await bulkStore.insertJob(tx, fixed))) return repeated(tx, fixed, request)
  await recordJob(options, tx, { job: fixed, event, step: waits ? 'propose' : 'begin', now })
  await bulkStore.insertItems(tx, items)
  return fixed
}

const DECISION = ['verdict', 'reason', 'note_team', 'note_shared'] as const

/** The same id stands for the same list and decision, or for nothing that can be asked for again. */
async function repeated(
  tx: Tx<'participant'>,
  asked: bulkStore.JobRow,
  { cases }: Pick<BulkRequest, 'cases'>,
): Promise<bulkStore.JobRow> {
  const { participant_id, job_id } = asked
  const known = await ownJob(tx, participant_id, job_id)
  const items = await bulkStore.itemsOf(tx, participant_id, job_id)
  const isSame = ({ case_id, version }: bulkStore.ItemRow, i: number): boolean =>
    case_id === cases[i]?.case && version === cases[i]?.version
  const same = items.length === cases.length && items.every(isSame)
  if (!same || DECISION.some((name) => known[name] !== asked[name]))
    throw new Refusal('state-conflict', { detail: 'this id was used for another list or decision' })
  return known
}

async function lockedJob(tx: Tx, participant: Uuid, job: Uuid): Promise<bulkStore.JobRow> {
  const row = await bulkStore.jobForUpdate(tx, participant, job)
  if (row === undefined) throw new Refusal('not-found')
  return row
}

interface Answering {
  by: Reviewer
  job: Uuid
}

async function answerIn(
  options: BulkOptions,
  tx: Tx<'participant'>,
  of: Answering & { answer: Omit<BulkAnswer, 'operator' | 'lead'>; colleagues: ReadonlySet<string> },
): Promise<bulkStore.JobRow> {
  const { by, answer, colleagues } = of
  const now = options.clock()
  const job = await lockedJob(tx, by.participant, of.job)
  if (job.state !== BULK_STATE.proposed || (job.expires_at !== null && job.expires_at <= now)) throw movedOn(job)
  const proposer = { who: job.proposed_by, authority: authorityOf(job) }
  checkPersons(proposer, { by, answer: answer.answer, colleagues })
  if (answer.answer !== 'retract' && !by.lead)
    throw new Refusal('person-unknown', { detail: 'a lead approves or denies what many cases are decided by' })
  const told = { authority: by.authority }
  if (answer.answer !== 'approve') {
    const refusal = answer.reason ?? (answer.answer === 'deny' ? 'denied' : 'retracted')
    await moveJob(options, tx, { job, act: 'refuse', now, change: { refusal, ended_at: now }, told })
    return job
  }
  await checkSeen(tx, job, answer)
  const change = { approved_by: by.who, approved_digest: job.digest, expires_at: null }
  await moveJob(options, tx, { job, act: 'approve', now, change, told })
  return job
}

/** Approved is what was looked at and what stands there, nothing else. */
async function checkSeen(
  tx: Tx<'participant'>,
  job: bulkStore.JobRow,
  { n, digest }: Pick<BulkAnswer, 'n' | 'digest'>,
): Promise<void> {
  if (n !== job.n)
    throw new Refusal('validation-failed', {
      errors: [{ pointer: '/n', code: 'validation-failed', detail: 'how many cases it decides' }],
    })
  const items = await bulkStore.itemsOf(tx, job.participant_id, job.job_id)
  if (digest !== toBase64Url(job.digest) || !digestOf(job, items).equals(job.digest))
    throw new Refusal('approval-refused', { detail: 'the list or the decision is another than the one looked at' })
}

const movedOn = (job: bulkStore.JobRow): Refusal =>
  new Refusal('state-conflict', { detail: `the job is ${bulkStateOf(job.state)}` })

async function cancelIn(
  options: BulkOptions,
  tx: Tx<'participant'>,
  { by, job: id }: Answering,
): Promise<bulkStore.JobRow> {
  const now = options.clock()
  const job = await lockedJob(tx, by.participant, id)
  if (job.state !== BULK_STATE.running) throw movedOn(job)
  await bulkStore.cancelItems(tx, job, now)
  const { results } = await countsOf(tx, job)
  await endWithGrace(options, tx, { job, act: 'cancel', now, results })
  return job
}

async function undoIn(
  options: BulkOptions,
  tx: Tx<'participant'>,
  { by, job: id }: Answering,
): Promise<bulkStore.JobRow> {
  const now = options.clock()
  const job = await lockedJob(tx, by.participant, id)
  if (job.state === BULK_STATE.undoing || job.state === BULK_STATE.undone) return job
  if (job.release_at !== null && job.release_at <= now) throw new Refusal('grace-over')
  if (job.state === BULK_STATE.running) await bulkStore.cancelItems(tx, job, now)
  const moved = await moveJob(options, tx, { job, act: 'undo', now, change: { ended_at: now } })
  if (!moved) throw movedOn(job)
  return job
}

import type { Tx } from '../db/as-participant.ts'
import { AUTHORITY } from '../feedback/schema.ts'
import { toBase64Url, utf8 } from '../kernel/bytes.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { type BulkAct, bulkAfter, bulkResultOf, bulkStateOf, fixedText } from './bulk-rule.ts'
import { BULK_RESULT, BULK_STATE } from './bulk-schema.ts'
import * as bulkStore from './bulk-store.ts'
import type { Reviewer } from './case.ts'
import { nameOf } from './outcome.ts'

export interface JobRecording {
  provenance: Pick<ProvenanceService, 'record'>
  slugOf(participant: Uuid): string
}

/** Digest of the exact list and decision. */
export const digestOf = (job: bulkStore.JobRow, items: readonly bulkStore.ItemRow[]): Buffer => {
  const { job_id, verdict, reason, note_team, note_shared } = job
  const fixed = items.map((one) => ({ case: one.case_id, version: one.version, decision: one.decision_id }))
  const text = fixedText({ job: job_id, verdict: nameOf(verdict), reason, note_team, note_shared, items: fixed })
  return Buffer.from(sha256(utf8(text)))
}

/** Moves a locked job, with its entry in the log; undefined where the act is none of its state. */
export async function moveJob(
  { provenance, slugOf }: JobRecording,
  tx: Tx<'participant'>,
  { job, act, now, ...of }: Moving,
): Promise<boolean> {
  const to = bulkAfter(bulkStateOf(job.state), act)
  if (to === undefined) return false
  const event = newId(now)
  await recordJob({ provenance, slugOf }, tx, { job: { ...job, ...of.change }, event, step: act, now, ...of.told })
  await bulkStore.updateJob(tx, job, { ...of.change, state: BULK_STATE[to], last_event: event })
  return true
}

interface Moving {
  job: bulkStore.JobRow
  act: BulkAct
  now: Date
  change?: Partial<Pick<bulkStore.JobRow, 'approved_by' | 'approved_digest' | 'expires_at' | 'refusal'>> &
    Partial<Pick<bulkStore.JobRow, 'ended_at' | 'release_at'>>
  told?: { results?: Readonly<Record<string, number>>; authority?: Reviewer['authority'] }
}

/** The entry of a job's step: what is decided alike, how many stand for it, and what became of it. */
export const recordJob = (
  { provenance, slugOf }: JobRecording,
  tx: Tx<'participant'>,
  of: {
    job: bulkStore.JobRow
    event: Uuid
    step: string
    now: Date
    results?: Readonly<Record<string, number>>
    authority?: Reviewer['authority']
  },
) => {
  const { job, event, step, now, results, authority = authorityOf(job) } = of
  return provenance.record(tx, {
    ...{ kind: 'review.bulk', event_id: event, participant_id: job.participant_id, at: now },
    actor: slugOf(job.participant_id),
    fields: {
      ...{ job: job.job_id, step, n: job.n, digest: toBase64Url(job.digest), verdict: nameOf(job.verdict) },
      ...{ reason: job.reason, authority, reviewers: job.approved_by === null ? 1 : 2, results },
    },
  })
}

export const authorityOf = ({ authority }: Pick<bulkStore.JobRow, 'authority'>): Reviewer['authority'] =>
  authority === AUTHORITY.reviewed_here ? 'reviewed_here' : 'attested'

/** All that was decided leaves together, once the grace that begins now is over. */
export async function endWithGrace(
  options: JobRecording & { graceMs: number },
  tx: Tx<'participant'>,
  of: { job: bulkStore.JobRow; act: 'finish' | 'cancel'; now: Date; results: Readonly<Record<string, number>> },
): Promise<void> {
  const { job, act, now, results } = of
  const release_at = new Date(now.getTime() + options.graceMs)
  await moveJob(options, tx, { job, act, now, change: { ended_at: now, release_at }, told: { results } })
  await bulkStore.setGrace(tx, job, release_at)
}

/** What became of the cases of a job, by name; how many nobody looked at yet, and how many are still to be undone. */
export async function countsOf(
  tx: Tx<'participant'>,
  job: bulkStore.JobRow,
): Promise<{ results: Record<string, number>; left: number; undone: number; toUndo: number }> {
  const counts = await bulkStore.itemCounts(tx, job.participant_id, [job.job_id])
  return summed(counts)
}

type Counts = Awaited<ReturnType<typeof bulkStore.itemCounts>>

export function summed(counts: Counts) {
  const total = (rows: Counts, of: (row: Counts[number]) => bigint): number =>
    rows.reduce((sum, row) => sum + Number(of(row)), 0)
  const changed = counts.filter(({ result }) => result === BULK_RESULT.decided || result === BULK_RESULT.proposed)
  return {
    results: Object.fromEntries(
      counts.flatMap(({ result, n }) => (result === null ? [] : [[bulkResultOf(result), Number(n)]])),
    ) as Record<string, number>,
    left: total(
      counts.filter(({ result }) => result === null),
      ({ n }) => n,
    ),
    undone: total(changed, ({ undone }) => undone),
    toUndo: total(changed, ({ to_undo }) => to_undo),
  }
}

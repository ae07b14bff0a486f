import type { Tx } from '../db/as-participant.ts'
import type { ReviewVerdict } from '../feedback/schema.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { authorityOf, summed } from './bulk-move.ts'
import { bulkResultOf, bulkStateOf } from './bulk-rule.ts'
import { BULK_JOBS_MAX, type BulkItems, type BulkJob, type BulkJobList } from './bulk-schema.ts'
import * as bulkStore from './bulk-store.ts'
import { nameOf } from './outcome.ts'

/** The organisation's own job; another's is not there. */
export async function ownJob(tx: Tx, participant: Uuid, job: Uuid): Promise<bulkStore.JobRow> {
  const row = await bulkStore.jobOf(tx, participant, job)
  if (row === undefined) throw new Refusal('not-found')
  return row
}

/** A job as it is told; `not-found` where it is not there. */
export async function toldOf(tx: Tx, participant: Uuid, job: Uuid): Promise<BulkJob> {
  const [told] = await infosOf(tx, [await ownJob(tx, participant, job)])
  if (told === undefined) throw new Refusal('not-found')
  return told
}

/** A page of jobs, the newest first. */
export async function listOf(tx: Tx, participant: Uuid, { after }: { after?: Uuid }): Promise<BulkJobList> {
  const place = after === undefined ? undefined : await bulkStore.jobOf(tx, participant, after)
  if (after !== undefined && place === undefined) throw new Refusal('invalid-cursor')
  const rows = await bulkStore.jobsOf(tx, participant, { after: place, limit: BULK_JOBS_MAX })
  const last = rows.at(-1)
  return {
    jobs: await infosOf(tx, rows),
    next: last === undefined || rows.length < BULK_JOBS_MAX ? null : last.job_id,
  }
}

export async function infosOf(tx: Tx, rows: readonly bulkStore.JobRow[]): Promise<BulkJob[]> {
  const [first] = rows
  if (first === undefined) return []
  const ids = rows.map(({ job_id }) => job_id)
  const counts = Map.groupBy(await bulkStore.itemCounts(tx, first.participant_id, ids), ({ job_id }) => job_id)
  return rows.map((row) => infoOf(row, summed(counts.get(row.job_id) ?? [])))
}

function infoOf(row: bulkStore.JobRow, { results, left, undone }: ReturnType<typeof summed>): BulkJob {
  const { note_team, note_shared, approved_by, expires_at, refusal, ended_at, release_at } = row
  return {
    ...{ job: row.job_id, state: bulkStateOf(row.state), verdict: nameOf(row.verdict) as ReviewVerdict },
    ...{ reason: row.reason, n: row.n, digest: toBase64Url(row.digest), authority: authorityOf(row) },
    ...{ proposed_by: row.proposed_by, proposed_at: row.proposed_at.toISOString(), needs_lead: row.needs_second },
    ...{ looked_at: row.n - left, results, undone, event: row.last_event },
    ...(note_team !== null && { note_team }),
    ...(note_shared !== null && { note_shared }),
    ...(approved_by !== null && { approved_by }),
    ...(expires_at !== null && { expires_at: expires_at.toISOString() }),
    ...(refusal !== null && { refusal }),
    ...(ended_at !== null && { ended_at: ended_at.toISOString() }),
    ...(release_at !== null && { release_at: release_at.toISOString() }),
  }
}

export const itemOf = (row: bulkStore.ItemRow): BulkItems['items'][number] => ({
  ...{ case: row.case_id, decision: row.decision_id, version: row.version },
  ...(row.result !== null && { result: bulkResultOf(row.result) }),
  ...(row.done_at !== null && { at: row.done_at.toISOString() }),
  ...(row.undone !== null && { undone: row.undone }),
})

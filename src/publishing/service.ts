import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { fromHex, toHex } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { AuditLog } from '../provenance/auditor.ts'
import { bytesOf, reportOf } from '../reports/document.ts'
import { parseReport } from '../reports/parse.ts'
import { periodFault, REACHES_BACK, reachesBack } from '../reports/period.ts'
import type { Report } from '../reports/schema.ts'
import { createTally, type Period, type Tally } from '../reports/tally.ts'
import type { KeptFacts } from './facts.ts'
import { FACTS_WAIT_MS, type ReportList } from './schema.ts'
import * as store from './store.ts'

/** A report as it is listed. */
export interface ListedReport {
  /** Lower-case hex. */
  digest: string
  period: Period
  size: bigint
  madeBy: Uuid
  madeAt: Date
  published: { at: Date; event: Uuid } | undefined
}

/** What is being computed, or was last. */
export interface Drafting {
  period: Period
  size: bigint
  done: bigint
  state: 'running' | 'done' | 'failed'
  /** Of what came of it, or in one sentence why nothing did. */
  digest?: string
  why?: string
}

/** Who asks: in whose name the look at the log is recorded, and the person. */
export interface Drafter {
  participant: Uuid
  slug: string
  person: Uuid
}

export interface Publishing {
  /** Begins to compute a report at the newest checkpoint; the look at all those entries is recorded first. */
  begin(by: Drafter, asked: { period: Period; k: number }): Promise<void>
  /** The next entries of the report that is computed; answers whether there was anything to do. */
  round(): Promise<boolean>
  drafting(): Drafting | undefined
  /** Drafts and published ones, the newest first. */
  list(): Promise<ListedReport[]>
  /** `not-found` where none of this digest is kept. */
  find(digest: string): Promise<{ listed: ListedReport; report: Report; body: string }>
  /** What everybody who takes part may have. */
  published(): Promise<ReportList>
  publishedText(digest: string): Promise<string>
}

export interface PublishingOptions {
  /** Logs in as `aldis_admin`. */
  admin: Db
  clock: Clock
  auditing: AuditLog
  checkpoint(): Promise<{ size: bigint; note: string } | undefined>
  /** What is kept of the next entries from one on; undefined until they were carried. */
  facts(from: bigint): Promise<KeptFacts | undefined>
}

interface Job extends Drafting {
  by: Drafter
  k: number
  note: string
  tally: Tally
  /** When it last came further. */
  movedAt: number
  /** The facts from `done` on, where they are on their way already. */
  ahead?: Promise<KeptFacts | undefined> | undefined
}

/** Reports that are listed. */
const LISTED_MAX = 200

export function createPublishing(options: PublishingOptions): Publishing {
  const { admin, clock } = options
  let job: Job | undefined
  let beginning = false
  return {
    async begin(by, { period, k }) {
      const fault = periodFault(period, clock().getTime())
      if (fault !== undefined) throw new Refusal('validation-failed', { detail: fault })
      if (beginning || job?.state === 'running')
        throw new Refusal('state-conflict', { detail: 'a report is being computed' })
      // Whoever comes while the look is recorded finds it begun.
      beginning = true
      try {
        job = await begun(options, by, { period, k })
      } finally {
        beginning = false
      }
    },
    async round() {
      if (job?.state !== 'running') return false
      try {
        const { done } = job
        job = await further(options, job)
        return job.done > done || job.state !== 'running'
      } catch (error) {
        job = { ...job, state: 'failed', why: 'the node failed; its log says why' }
        throw error
      }
    },
    drafting: () => job && toldOf(job),
    list: async () => (await store.reports(admin, LISTED_MAX)).map(listedOf),
    async find(digest) {
      const row = await rowOf(admin, digest)
      return { listed: listedOf(row), report: parseReport(row.body), body: row.body }
    },
    published: async () => ({ reports: (await store.publishedReports(admin)).map(publishedOf) }),
    async publishedText(digest) {
      const { published_at, body } = await rowOf(admin, digest)
      if (published_at === null) throw new Refusal('not-found')
      return body
    },
  }
}

/** Marks what two organisations published, in the transaction that records it. */
export const markPublished = (
  tx: Tx,
  { digest, at, event }: { digest: string; at: Date; event: Uuid },
): Promise<void> => store.markPublished(tx, Buffer.from(digest, 'hex'), { at, event })

async function begun(
  options: PublishingOptions,
  by: Drafter,
  { period, k }: { period: Period; k: number },
): Promise<Job> {
  const head = await options.checkpoint()
  if (head === undefined) throw new Refusal('log-behind', { retryAfter: 1, detail: 'the log has no checkpoint yet' })
  const { size, note } = head
  await options.auditing({ ...by, auditor: true }, `entries 0 to ${size - 1n}`, size, 'report')
  const movedAt = options.clock().getTime()
  return { by, period, k, size, note, done: 0n, state: 'running', tally: createTally(period), movedAt }
}

/** The next facts. Those of entries beyond the checkpoint, which are kept with the last of the others, are none of its. */
async function further(options: PublishingOptions, job: Job): Promise<Job> {
  const { period, size, done, tally } = job
  const now = options.clock().getTime()
  const found = await (job.ahead ?? options.facts(done))
  if (found === undefined) return now - job.movedAt < FACTS_WAIT_MS ? { ...job, ahead: undefined } : failed(job, BEHIND)
  if (found.sealed > 0) return failed(job, SEALED)
  const end = done + BigInt(found.n)
  // The database reads the next ones while these are counted; whoever takes them hears of a failure.
  const ahead = end < size ? options.facts(end) : undefined
  ahead?.catch(() => {})
  for (const { index, fact } of found.facts) {
    if (index >= size) break
    if (reachesBack({ index, ...fact }, period)) return failed(job, REACHES_BACK)
    tally.takeFact(fact)
  }
  const further = { ...job, movedAt: now, ahead }
  return end < size ? { ...further, done: end } : kept(options, { ...further, done: size })
}

const failed = (job: Job, why: string): Job => ({ ...job, state: 'failed', why, ahead: undefined })

const BEHIND = 'entries were not carried in time to where reports are made of; begin again once the node has caught up'
const SEALED = 'the key of a month is not here, and nothing of its entries can be read'

async function kept({ admin, clock }: PublishingOptions, job: Job): Promise<Job> {
  const { period, note, k, size, tally, by } = job
  const body = bytesOf(reportOf({ period, checkpoint: note, k, figures: tally.figures() }))
  const digest = sha256(body)
  await store.insertReport(admin, {
    ...{ digest: Buffer.from(digest), period_from: new Date(period.from), period_to: new Date(period.to) },
    ...{ log_size: size, body, made_by: by.person, made_at: clock() },
  })
  return { ...job, state: 'done', digest: toHex(digest) }
}

const toldOf = ({ period, size, done, state, digest, why }: Job): Drafting => ({
  ...{ period, size, done, state },
  ...(digest !== undefined && { digest }),
  ...(why !== undefined && { why }),
})

async function rowOf(admin: Db, digest: string) {
  const bytes = fromHex(digest)
  const row = bytes?.length === 32 ? await store.reportOf(admin, Buffer.from(bytes)) : undefined
  if (row === undefined) throw new Refusal('not-found')
  return row
}

const listedOf = (row: store.ReportRow): ListedReport => ({
  digest: toHex(row.digest),
  period: { from: row.period_from.getTime(), to: row.period_to.getTime() },
  ...{ size: row.log_size, madeBy: row.made_by, madeAt: row.made_at },
  published:
    row.published_at === null || row.published_event === null
      ? undefined
      : { at: row.published_at, event: row.published_event },
})

const instant = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`

function publishedOf({ digest, period_from, period_to, log_size, published_at, published_event }: store.ReportRow) {
  if (published_at === null || published_event === null) throw new Error('a report that is not published')
  return {
    ...{ digest: toHex(digest), from: instant(period_from), to: instant(period_to), log_size: String(log_size) },
    ...{ published_at: published_at.toISOString(), event: published_event },
  }
}

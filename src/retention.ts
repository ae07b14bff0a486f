import { createKeyForgetting } from './http/idempotency-keys.ts'
import { Refusal } from './kernel/errors.ts'
import type { Uuid } from './kernel/ids.ts'
import { oneOf } from './kernel/one-of.ts'
import { REFUSALS_KEPT_DAYS } from './participants/handshake-audit.ts'
import type { Parts } from './parts.ts'
import { createRecordEraser } from './provenance/erase.ts'
import { createReadExpiry } from './provenance/expire-reads.ts'
import { createLegalHolds, keepsReads } from './registers/holds.ts'
import { createUploadForgetting, UPLOAD_KEPT_DAYS } from './signals/forget-uploads.ts'
import { dueByType } from './signals/source-hold.ts'
import { createRequestForgetting } from './usage/forget-requests.ts'
import { REQUESTS_KEPT_DAYS } from './usage/schema.ts'

type Kept = Pick<Parts, 'clock' | 'keys' | 'logId' | 'provenance' | 'authority' | 'handshakes' | 'sightings'> & {
  pools: Pick<Parts['pools'], 'admin'>
}

/** How the last purge went, or goes. */
export interface PurgeRun {
  startedAt: Date
  finishedAt: Date | undefined
  /** Rows and batches that are gone, and entries that name them. */
  removed: number
  /** Organisations that were looked at, of how many. */
  done: number
  of: number
  failed: boolean
}

/** What the next purge would take, and what a hold keeps from it. */
export interface PurgePreview {
  /** Reads that are over, by the organisation that made them. */
  reads: { participant: string; n: number; kept: boolean }[]
  /** Signals that expire within a day, by type and source; their values go by an erasure alone. */
  signals: { source: string; type: string; n: number }[]
  /** Refused connections, uploads that rested and requests that were listed, beyond their time. */
  refusals: { n: number; days: number }
  uploads: { participant: string; n: number; days: number }[]
  requests: { participant: string; n: number; days: number }[]
}

export interface Retention {
  /** A portion of each; answers how much went, and 0 once nothing is due. */
  round(): Promise<number>
  /** A portion of what one organisation read, now; `hold-placed` while a hold keeps it. */
  purge(participant: Uuid): Promise<number>
  run(): PurgeRun | undefined
  preview(): Promise<PurgePreview>
  /** The text of the policy that is in force, with its version. */
  policy(): { version: number; body: string }
}

const DAY_MS = 86_400_000

/** What is kept for its time and no longer, and longer where two persons decided so. */
export function createRetention(kept: Kept): Retention {
  const { pools, clock, keys, logId, provenance, authority, handshakes, sightings } = kept
  const policy = () => {
    const found = authority.policy('retention')
    if (found === undefined) throw new Error('the programme has no retention policy')
    return found
  }
  const reads = createReadExpiry({
    ...{ admin: pools.admin, clock, recorder: provenance, records: createRecordEraser({ keys, logId }) },
    policy: () => policy().body,
    isKept: keepsReads,
  })
  const forgetUploads = createUploadForgetting({ admin: pools.admin, clock })
  const forgetRequests = createRequestForgetting({ admin: pools.admin, clock })
  const forgetKeys = createKeyForgetting({ admin: pools.admin, clock })
  const holds = createLegalHolds(pools.admin)
  let run: PurgeRun | undefined
  /** While its rounds find something: together they are one purge. */
  let goesOn: PurgeRun | undefined

  const readsOf = async (participant: Uuid, slug: string): Promise<{ named: number; gone: number }> => ({
    named: await reads.name(participant, slug),
    gone: await reads.remove(participant),
  })

  return {
    async round() {
      const participants = authority.participants()
      const { startedAt, removed } = goesOn ?? { startedAt: clock(), removed: 0 }
      goesOn = undefined
      run = { startedAt, finishedAt: undefined, removed, done: 0, of: participants.length, failed: false }
      try {
        await purgeAll(participants, run)
        if (run.removed > removed) goesOn = run
        return run.removed - removed
      } catch (error) {
        run.failed = true
        throw error
      } finally {
        run.finishedAt = clock()
      }
    },
    async purge(participant) {
      const { named, gone } = await readsOf(participant, authority.slugOf(participant))
      if (named > 0) provenance.wake()
      // Asked afterwards: of a hold that came meanwhile nothing was removed either.
      if (named + gone === 0 && (await holds.keptReads()).has(participant)) throw new Refusal('hold-placed')
      return named + gone
    },
    run: () => run,
    policy,
    preview: async () =>
      previewOf(kept, { reads, uploads: forgetUploads, requests: forgetRequests }, await holds.keptReads()),
  }

  async function purgeAll(
    participants: readonly { participant_id: Uuid; slug: string }[],
    now: PurgeRun,
  ): Promise<void> {
    now.removed += await handshakes.forget(clock())
    now.removed += await sightings.forget(clock())
    let named = 0
    const failed: unknown[] = []
    for (const { participant_id, slug } of participants) {
      // What is wrong with one participant's rows keeps nothing of another's beyond its time.
      try {
        const of = await readsOf(participant_id, slug)
        named += of.named
        const rested =
          (await forgetUploads.forget(participant_id)) +
          (await forgetRequests.forget(participant_id)) +
          (await forgetKeys(participant_id))
        now.removed += of.named + of.gone + rested
      } catch (error) {
        failed.push(error)
      }
      now.done += 1
    }
    if (named > 0) provenance.wake()
    if (failed.length > 0) throw oneOf(failed, 'what is over was not all removed')
  }
}

interface Counting {
  reads: Pick<ReturnType<typeof createReadExpiry>, 'due'>
  uploads: Pick<ReturnType<typeof createUploadForgetting>, 'due'>
  requests: Pick<ReturnType<typeof createRequestForgetting>, 'due'>
}

async function previewOf(
  { pools, clock, authority, handshakes }: Kept,
  { reads, uploads, requests }: Counting,
  keptReads: ReadonlySet<Uuid>,
): Promise<PurgePreview> {
  const tomorrow = new Date(clock().getTime() + DAY_MS)
  const preview: PurgePreview = {
    ...{ reads: [], signals: [], uploads: [], requests: [] },
    refusals: { n: await handshakes.due(clock()), days: REFUSALS_KEPT_DAYS },
  }
  for (const { participant_id, slug } of authority.participants()) {
    const n = await reads.due(participant_id)
    if (n > 0) preview.reads.push({ participant: slug, n, kept: keptReads.has(participant_id) })
    const rested = await uploads.due(participant_id)
    if (rested > 0) preview.uploads.push({ participant: slug, n: rested, days: UPLOAD_KEPT_DAYS })
    const listed = await requests.due(participant_id)
    if (listed > 0) preview.requests.push({ participant: slug, n: listed, days: REQUESTS_KEPT_DAYS })
    for (const one of await dueByType(pools.admin, participant_id, tomorrow))
      preview.signals.push({ source: slug, ...one })
  }
  return preview
}

import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { type ErrorCode, Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { UPLOAD_STATE, type UploadJob, type UploadState } from './schema.ts'
import type { SignalService, Submitter } from './service.ts'
import * as store from './upload-job-store.ts'
import { JOB_BYTES, JOBS_LIVE, RESULT_DAYS } from './upload-limits.ts'
import { createSize, partsOf, piecesOf } from './upload-parts.ts'
import { createUploadWork } from './upload-work.ts'

/** Of a list. */
const JOBS_TOLD = 100
const DAY_MS = 86_400_000
const JOBS_AT_ONCE = 4
/** Longer than any request: whoever began so long ago fell with a process. */
const RECEIVING_MS = 3_600_000
const FORGOTTEN_AT_ONCE = 100

export interface UploadJobsOptions {
  db: Db
  /** Reads which jobs there are, of everybody. */
  projector: Db
  clock: Clock
  signals: Pick<SignalService, 'submit'>
  /** Who submits, as it is now; undefined where the credential may not any more. */
  submitter(participant: Uuid, credential: Uuid): Omit<Submitter, 'scopes'> | undefined
  /** There is something to work off. */
  wake(): void
}

/** Uploads that go on after their sender has gone: all of one is durable first, and worked off then. */
export interface UploadJobs {
  /** Takes a whole upload; answers once all of it is durable. The same upload again answers what has become of it. */
  receive(by: Submitter, upload_id: Uuid, chunks: AsyncIterable<Uint8Array>): Promise<UploadJob>
  of(participant: Uuid, upload_id: Uuid): Promise<UploadJob | undefined>
  list(participant: Uuid): Promise<UploadJob[]>
  /** How many are not worked off. */
  live(participant: Uuid): Promise<number>
  /** The answer that a stream would have had, piece by piece. `not-found`, or `state-conflict` before its end. */
  results(participant: Uuid, upload_id: Uuid): Promise<AsyncGenerator<Buffer>>
  /** Works off the oldest of what waits, a few at once, and forgets what is old; answers how many were worked off. */
  round(): Promise<number>
}

export function createUploadJobs(options: UploadJobsOptions): UploadJobs {
  const { db, projector, clock } = options
  const work = createUploadWork(options)
  const within = <T>(of: { participant_id: Uuid }, fn: (tx: Tx) => Promise<T>): Promise<T> =>
    asParticipant(db, of.participant_id, fn)
  return {
    receive: (by, upload_id, chunks) => receive(options, by, { upload_id, chunks }),
    of: (participant_id, upload_id) =>
      within({ participant_id }, async (tx) => told(await store.jobOf(tx, { participant_id, upload_id }))),
    list: (participant_id) =>
      within({ participant_id }, async (tx) =>
        (await store.jobsOf(tx, participant_id, JOBS_TOLD)).flatMap((row) => told(row) ?? []),
      ),
    live: (participant_id) => within({ participant_id }, (tx) => store.liveJobs(tx, participant_id)),
    async results(participant_id, upload_id) {
      const of = { participant_id, upload_id }
      const row = await within(of, (tx) => store.jobOf(tx, of))
      if (row === undefined) throw new Refusal('not-found')
      if (row.state === UPLOAD_STATE.failed)
        throw new Refusal('state-conflict', { detail: 'the upload failed: it has no results' })
      if (row.state !== UPLOAD_STATE.done)
        throw new Refusal('state-conflict', { detail: 'the upload is not worked off yet', retryAfter: 5 })
      return partsOf(db, of, store.PART_KIND.results)
    },
    async round() {
      const due = await store.dueJobs(projector, JOBS_AT_ONCE)
      // One that fails keeps no other of its round from its end.
      const outcomes = await Promise.allSettled(due.map(work))
      const now = clock()
      const ended = await store.endedBefore(projector, resultsEnd(now), FORGOTTEN_AT_ONCE)
      const begun = await store.begunBefore(projector, receivingEnd(now), FORGOTTEN_AT_ONCE)
      for (const of of [...ended, ...begun]) await within(of, (tx) => forgetIfOver(tx, of, now))
      const failed = outcomes.find((one) => one.status === 'rejected')
      if (failed !== undefined) throw failed.reason
      return due.length
    },
  }
}

const resultsEnd = (now: Date): Date => new Date(now.getTime() - RESULT_DAYS * DAY_MS)
const receivingEnd = (now: Date): Date => new Date(now.getTime() - RECEIVING_MS)

/** As it stands now: its sender may have come again since it was listed, and was told that all of it is durable. */
async function forgetIfOver(tx: Tx, of: store.Named, now: Date): Promise<void> {
  const row = await store.jobForUpdate(tx, of)
  if (row === undefined) return
  const { state, received_at, ended_at } = row
  const isOver =
    state === UPLOAD_STATE.receiving ? received_at < receivingEnd(now) : ended_at !== null && ended_at < resultsEnd(now)
  if (isOver) await forget(tx, of)
}

async function forget(tx: Tx, of: store.Named): Promise<void> {
  await store.deleteParts(tx, of, store.PART_KIND.sent)
  await store.deleteParts(tx, of, store.PART_KIND.results)
  await store.deleteJob(tx, of)
}

interface Receiving {
  upload_id: Uuid
  chunks: AsyncIterable<Uint8Array>
}

async function receive(
  options: UploadJobsOptions,
  by: Submitter,
  { upload_id, chunks }: Receiving,
): Promise<UploadJob> {
  const { db, clock, wake } = options
  const of = { participant_id: by.participant, upload_id }
  const attempt = newId(clock())
  const within = <T>(fn: (tx: Tx) => Promise<T>): Promise<T> => asParticipant(db, by.participant, fn)
  const known = await within((tx) => begin(tx, { by, of, attempt, now: clock() }))
  if (known !== undefined) return known
  const size = createSize()
  let part = 0
  try {
    for await (const content of piecesOf(chunks)) {
      size.add(content)
      if (size.bytes() > JOB_BYTES) throw new Refusal('too-large', { extra: { limit: JOB_BYTES } })
      const one = { kind: store.PART_KIND.sent, part, content }
      await within(async (tx) => {
        await expectOurs(tx, of, attempt)
        await store.insertPart(tx, of, one)
      })
      part += 1
    }
    const sized = { bytes: BigInt(size.bytes()), lines: BigInt(size.lines()) }
    const job = await within(async (tx) => {
      const row = await expectOurs(tx, of, attempt)
      const change = { state: UPLOAD_STATE.waiting, ...sized, received_at: clock() }
      await store.updateJob(tx, of, change)
      return toldOf({ ...row, ...change })
    })
    wake()
    return job
  } catch (error) {
    // Whoever took over, or comes again, finds nothing of it; once all of it is durable, whoever came again was told so.
    await within(async (tx) => {
      const row = await store.jobForUpdate(tx, of)
      if (row?.attempt === attempt && row.state === UPLOAD_STATE.receiving) await forget(tx, of)
    })
    throw error
  }
}

interface Beginning {
  by: Submitter
  of: store.Named
  attempt: Uuid
  now: Date
}

/** What has become of an upload that is here already; undefined where it is to be received, from its start. */
async function begin(tx: Tx, { by, of, attempt, now }: Beginning): Promise<UploadJob | undefined> {
  const known = await store.jobForUpdate(tx, of)
  if (known !== undefined && known.state !== UPLOAD_STATE.receiving) return toldOf(known)
  const own = { attempt, credential_id: by.credential, scopes: JSON.stringify(by.scopes), received_at: now }
  if (known !== undefined) {
    await store.deleteParts(tx, of, store.PART_KIND.sent)
    await store.updateJob(tx, of, own)
    return undefined
  }
  if ((await store.liveJobs(tx, of.participant_id)) >= JOBS_LIVE)
    throw new Refusal('rate-limited', {
      ...{ detail: `${JOBS_LIVE} uploads wait already`, retryAfter: 30, extra: { limit: JOBS_LIVE } },
    })
  const none = { accepted: 0n, refused: 0n, bytes: 0n, lines: 0n, tries: 0, fault: null, ended_at: null }
  await store.insertJob(tx, { ...of, ...own, ...none, state: UPLOAD_STATE.receiving })
  return undefined
}

async function expectOurs(tx: Tx, of: store.Named, attempt: Uuid): Promise<store.JobRow> {
  const row = await store.jobForUpdate(tx, of)
  if (row?.attempt !== attempt)
    throw new Refusal('state-conflict', { detail: 'this upload is being sent by another connection' })
  return row
}

const STATE_NAME = new Map<number, UploadState>(
  Object.entries(UPLOAD_STATE).map(([name, id]) => [id, name as UploadState]),
)

const told = (row: store.JobRow | undefined): UploadJob | undefined => (row === undefined ? undefined : toldOf(row))

function toldOf({ upload_id, state, received_at, ended_at, fault, ...row }: store.JobRow): UploadJob {
  const until = ended_at === null ? undefined : new Date(ended_at.getTime() + RESULT_DAYS * DAY_MS)
  return {
    ...{ upload: upload_id, state: STATE_NAME.get(state) ?? 'failed', received_at: received_at.toISOString() },
    ...{ bytes: String(row.bytes), lines: String(row.lines) },
    ...{ accepted: String(row.accepted), refused: String(row.refused) },
    ...(fault === null ? {} : { code: fault as ErrorCode }),
    ...(ended_at === null ? {} : { ended_at: ended_at.toISOString() }),
    ...(until === undefined || state !== UPLOAD_STATE.done ? {} : { results_until: until.toISOString() }),
  }
}

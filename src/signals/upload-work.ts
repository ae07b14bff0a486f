import { asParticipant, type Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { UPLOAD_STATE } from './schema.ts'
import { takeUpload } from './upload.ts'
import * as store from './upload-job-store.ts'
import type { UploadJobsOptions } from './upload-jobs.ts'
import { partsOf } from './upload-parts.ts'
import { createCount, createResults } from './upload-results.ts'

/** Times that a job may fail by itself before it is given up; a node that is busy, or takes no writes, is waited for instead. */
export const TRIES_MAX = 5

/**
 * Works off one upload from its start, as a stream would be: what was durable before answers as it did then, by its `jti`. What an
 * attempt wrote that was cut off is taken away by the next one, so that nothing is told twice.
 */
export function createUploadWork(options: UploadJobsOptions): (of: store.Named) => Promise<void> {
  const { db, clock, submitter } = options
  return async (of) => {
    const attempt = newId(clock())
    const job = await asParticipant(db, of.participant_id, (tx) => begin(tx, of, attempt))
    if (job === undefined) return
    const mine = mineOf(options, of, attempt)
    const present = submitter(of.participant_id, job.credential_id)
    if (present === undefined) await mine.end({ state: UPLOAD_STATE.failed, fault: 'credential-not-enrolled' })
    else await workOff(options, { of, job, mine, by: { ...present, scopes: JSON.parse(job.scopes) as string[] } })
  }
}

/** Whoever worked on it before is cut off, and what it wrote goes. */
async function begin(tx: Tx, of: store.Named, attempt: Uuid): Promise<store.JobRow | undefined> {
  const job = await store.jobForUpdate(tx, of)
  if (job?.state !== UPLOAD_STATE.waiting && job?.state !== UPLOAD_STATE.running) return undefined
  await store.deleteParts(tx, of, store.PART_KIND.results)
  await store.updateJob(tx, of, {
    ...{ state: UPLOAD_STATE.running, attempt, accepted: 0n, refused: 0n },
  })
  return job
}

/** What an attempt writes, as long as it is the one that works. */
function mineOf({ db, clock }: UploadJobsOptions, of: store.Named, attempt: Uuid) {
  const write = (work: (tx: Tx) => Promise<void>): Promise<void> =>
    asParticipant(db, of.participant_id, async (tx) => {
      if ((await store.jobForUpdate(tx, of))?.attempt !== attempt)
        throw new Refusal('state-conflict', { detail: 'another one works on this upload' })
      await work(tx)
    })
  return {
    failed: (tries: number) => write((tx) => store.updateJob(tx, of, { tries })),
    results: (content: Buffer | undefined, part: number, change: Partial<store.JobRow>) =>
      write(async (tx) => {
        if (content !== undefined) await store.insertPart(tx, of, { kind: store.PART_KIND.results, part, content })
        await store.updateJob(tx, of, change)
      }),
    end: (change: Partial<store.JobRow>) =>
      write(async (tx) => {
        await store.deleteParts(tx, of, store.PART_KIND.sent)
        await store.updateJob(tx, of, { ...change, ended_at: clock() })
      }),
  }
}

interface Working {
  of: store.Named
  job: store.JobRow
  mine: ReturnType<typeof mineOf>
  by: Parameters<UploadJobsOptions['signals']['submit']>[0]
}

async function workOff({ db, signals }: UploadJobsOptions, { of, job, mine, by }: Working): Promise<void> {
  const counted = createCount()
  const write = (content: Buffer | undefined, part: number) => mine.results(content, part, counted.sofar())
  const results = createResults(write, () => performance.now())
  const lines = takeUpload({
    ...{ upload_id: of.upload_id, line: 1n, chunks: partsOf(db, of, store.PART_KIND.sent) },
    ...{ bytes: Number.POSITIVE_INFINITY, lines: Number.POSITIVE_INFINITY },
    submit: (submission, position) => signals.submit(by, submission, position),
  })
  try {
    for await (const text of lines) {
      const fault = counted.add(text)
      if (fault !== undefined) throw new Refusal(fault)
      await results.add(text)
    }
    await results.end()
  } catch (error) {
    const { status, code } = error instanceof Refusal ? error : new Refusal('internal')
    const tries = status === 503 ? job.tries : job.tries + 1
    if (tries >= TRIES_MAX) return mine.end({ state: UPLOAD_STATE.failed, fault: code, tries, ...counted.sofar() })
    if (tries > job.tries) await mine.failed(tries)
    // The node cannot go on now: the next round begins again.
    throw error
  }
  await mine.end({ state: UPLOAD_STATE.done, ...counted.sofar() })
}

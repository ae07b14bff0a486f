import { availableParallelism } from 'node:os'
import { createThreads } from '../kernel/threads.ts'
import { VerifierEnded } from './errors.ts'
import { type Outcome, runOf, type SegmentJob, type SegmentWork } from './segment-work.ts'
import type { VerifiedBy } from './verify.ts'

/** A segment takes half a second; the largest that there can be some twenty. */
const JOB_MS = 120_000
/** Events whose verification takes longer than a thread takes to begin. */
const LEAST = 10_000
/** What this thread is left with, to write and to index, takes two thirds of what two verify meanwhile. */
const THREADS = 2
const PROGRAM = new URL(`./segment-worker${import.meta.url.slice(-3)}`, import.meta.url)

export interface SegmentThreads extends SegmentWork {
  /** Events for which threads are worth it; fewer are verified without. */
  least: number
  close(): Promise<void>
}

export interface SegmentThreadsOptions {
  threads?: number
  least?: number
  program?: URL
}

/** Beside this thread, begun with the first segment. On one core nothing is worth it. */
export function createSegmentThreads(by: VerifiedBy, options: SegmentThreadsOptions = {}): SegmentThreads {
  const { threads = THREADS, least = availableParallelism() > 1 ? LEAST : Number.POSITIVE_INFINITY } = options
  const failed = (cause?: unknown): Error => new VerifierEnded({ cause })
  const { run, close } = createThreads<SegmentJob, Outcome>({
    ...{ program: options.program ?? PROGRAM, data: by, threads, jobMs: JOB_MS, failed },
  })
  return { ahead: threads + 1, least, verify: async (segment) => runOf(await run(segment)), close }
}

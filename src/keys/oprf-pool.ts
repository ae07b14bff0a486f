import { availableParallelism } from 'node:os'
import { Refusal } from '../kernel/errors.ts'
import { createThreads } from '../kernel/threads.ts'
import { type Evaluated, elementsIn } from '../matching/oprf.ts'

/** What a thread is told: elements stand one after the other, 32 bytes each. */
export type Job = { job: 'check'; elements: Uint8Array } | { job: 'evaluate'; elements: Uint8Array; key: Uint8Array }

export type Outcome =
  | { outcome: 'checked'; invalid: number }
  | { outcome: 'evaluated'; elements: Uint8Array; proof: Uint8Array }

/** Batches that may wait for a thread. */
export const OPRF_QUEUE = 64
/** Within which a thread answers: a batch of 256 takes a tenth of a second. */
export const OPRF_JOB_MS = 10_000

export interface OprfPool {
  /** Holds a place among those that wait while `work` runs; `busy` where all are taken. */
  enter<T>(work: () => Promise<T>): Promise<T>
  /** The place of the first that is no element, or the identity; undefined if each is one. */
  firstInvalid(elements: Uint8Array): Promise<number | undefined>
  /** `evaluation-failed` if the thread ended or gave no answer in time. */
  evaluate(key: Uint8Array, elements: Uint8Array): Promise<Evaluated>
  close(): Promise<void>
}

const PROGRAM = new URL(`./oprf-worker${import.meta.url.slice(-3)}`, import.meta.url)
const failed = (cause?: unknown): Refusal => new Refusal('evaluation-failed', { retryAfter: 1, cause })

/** Threads that evaluate, one for each core. */
export function createOprfPool({ threads = availableParallelism(), jobMs = OPRF_JOB_MS } = {}): OprfPool {
  const { run, close } = createThreads<Job, Outcome>({ program: PROGRAM, threads, jobMs, failed })
  let entered = 0
  return {
    close,
    async enter(work) {
      if (entered >= threads + OPRF_QUEUE) throw new Refusal('busy', { retryAfter: 1 })
      entered += 1
      try {
        return await work()
      } finally {
        entered -= 1
      }
    },
    async firstInvalid(elements) {
      const outcome = await run({ job: 'check', elements })
      if (outcome.outcome !== 'checked') throw failed()
      return outcome.invalid < 0 ? undefined : outcome.invalid
    },
    async evaluate(key, elements) {
      const outcome = await run({ job: 'evaluate', key, elements })
      if (outcome.outcome !== 'evaluated') throw failed()
      return { elements: elementsIn(outcome.elements), proof: outcome.proof }
    },
  }
}

import { availableParallelism } from 'node:os'
import { createThreads } from '../kernel/threads.ts'
import type { Blinded } from '../matching/oprf.ts'
import { VerificationFailed } from './errors.ts'
import { type Answered, type Job, type Outcome, workOn } from './oprf-work.ts'

export type { Job } from './oprf-work.ts'

/** A batch of 256 takes a second. */
const JOB_MS = 60_000
const PROGRAM = new URL(`./oprf-worker${import.meta.url.slice(-3)}`, import.meta.url)

/** Blinds and finalizes, here or in threads. */
export interface OprfWork {
  blind(inputs: readonly Uint8Array[]): Promise<Blinded[]>
  /** Tokens, 32 bytes each; `VerificationFailed` if a proof does not hold under the key. */
  finalize(answered: Answered): Promise<Uint8Array[]>
  close(): Promise<void>
}

/** On every core, for many identifiers. */
export function createOprfThreads(threads = availableParallelism()): OprfWork {
  const failed = (cause?: unknown): Error => new Error('a thread that makes tokens has ended', { cause })
  const { run, close } = createThreads<Job, Outcome>({ program: PROGRAM, threads, jobMs: JOB_MS, failed })
  return { ...workBy(run), close }
}

/** In this thread, for few. */
export const oprfHere: OprfWork = { ...workBy(async (job) => workOn(job)), close: async () => {} }

function workBy(run: (job: Job) => Promise<Outcome>): Omit<OprfWork, 'close'> {
  return {
    async blind(inputs) {
      const outcome = await run({ job: 'blind', inputs })
      if (outcome.outcome !== 'blinded') throw new TypeError('nothing was blinded')
      return outcome.blinded
    },
    async finalize(answered) {
      const outcome = await run({ job: 'finalize', ...answered })
      if (outcome.outcome === 'tokens') return outcome.tokens
      if (outcome.outcome === 'blinded') throw new TypeError('nothing was finalized')
      throw new VerificationFailed(
        'OPRF',
        outcome.part === 0
          ? 'the parts of the key do not add up to the pinned one'
          : `the proof of part ${outcome.part} does not hold under the pinned key`,
      )
    },
  }
}

import { createThreads } from '../kernel/threads.ts'
import type { RoundJob, RoundOutcome } from './round.ts'

/** The first synchronisation of some million signals takes minutes. */
const ROUND_MS = 3_600_000
const PROGRAM = new URL(`./round-worker${import.meta.url.slice(-3)}`, import.meta.url)

/** Rounds of synchronisation, in a thread of their own: to verify and to merge keeps no look-up waiting. */
export interface Rounds {
  run(now: Date): Promise<RoundOutcome>
  /** Events of the round that runs, so far. */
  events(): number
  close(): Promise<void>
}

export function createRounds(home: string): Rounds {
  const failed = (cause?: unknown): Error => new Error('the thread that synchronises has ended', { cause })
  const { run, close } = createThreads<RoundJob, RoundOutcome>({
    program: PROGRAM,
    threads: 1,
    jobMs: ROUND_MS,
    failed,
  })
  const events = new Int32Array(new SharedArrayBuffer(4))
  return {
    run: (now) => {
      Atomics.store(events, 0, 0)
      return run({ home, now: now.getTime(), events }).catch(
        (): RoundOutcome => ({ outcome: 'failed', why: 'fault', code: 'thread-ended' }),
      )
    },
    events: () => Atomics.load(events, 0),
    close,
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '../kernel/errors.ts'

/** Before each further try, milliseconds: as long as the projector takes to write down how far it has come. */
const RESTS_MS: readonly number[] = [5, 50]

/** What was found, and the place in the log that an answer of it looked up to. */
export interface Found {
  as_of: bigint
  /** The rows that the answer is made of. */
  placed: readonly { log_idx: bigint }[]
}

/**
 * Rows as of a place that is beyond each of them: auditors hold the answer against the log as it was then. Rows are there a
 * moment before the projector says so; then all is read again, and `busy` if it still does not.
 */
export async function readAsOf<T extends Found>(read: (tries: number) => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    const found = await read(tries)
    if (found.placed.every(({ log_idx }) => log_idx < found.as_of)) return found
    const rest = RESTS_MS[tries]
    if (rest === undefined) throw new Refusal('busy', { retryAfter: 1 })
    await delay(rest)
  }
}

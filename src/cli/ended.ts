import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** Within which a second signal is the first one again: a terminal and npm each send one. */
const ECHO_MS = 1_000

/** A command that was told to end, and has put away what it had begun. */
export class EndedBySignal extends Error {
  override readonly name = 'EndedBySignal'
  /** As a shell has it for a program that the signal ended. */
  readonly exitCode: number

  constructor(signal: (typeof SIGNALS)[number]) {
    super(`ended by ${signal}`)
    this.exitCode = 128 + constants.signals[signal]
  }
}

/**
 * Work that a signal makes fail and does not break off: a database that it started would be left running. Throws
 * `EndedBySignal`, whatever it failed with. A later signal ends the process at once, as if nobody heard.
 */
export async function untilSignal<T>(work: (ended: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController()
  const end = (): void => {
    for (const signal of SIGNALS) process.off(signal, hear)
  }
  const hear = (signal: (typeof SIGNALS)[number]): void => {
    if (ending.signal.aborted) return
    ending.abort(new EndedBySignal(signal))
    setTimeout(end, ECHO_MS).unref()
  }
  for (const signal of SIGNALS) process.on(signal, hear)
  try {
    return await work(ending.signal)
  } catch (error) {
    ending.signal.throwIfAborted()
    throw error
  } finally {
    end()
  }
}

import type { FastifyInstance } from 'fastify'
import { Refusal } from '../kernel/errors.ts'

export interface Pressure {
  /** Milliseconds that the event loop may be late before bulk is shed; everything else at twice as many. */
  loopDelayMs: number
  /** Requests that may wait for a connection to the database; bulk at half as many. */
  queue: number
  /** Requests that wait for one now. */
  waiting(): number
}

const SAMPLE_MS = 200
const RETRY_AFTER = 1

/** Refuses with `busy` at once what the node cannot serve in time; what may come again without loss goes first. */
export async function shedLoad(
  app: Pick<FastifyInstance, 'addHook'>,
  { loopDelayMs, queue, waiting }: Pressure,
): Promise<void> {
  const lateness = watchLateness()
  app.addHook('onClose', async () => lateness.stop())
  app.addHook('onRequest', async ({ routeOptions }) => {
    const bulk = routeOptions.config.bulk === true
    const late = lateness.ms() > (bulk ? loopDelayMs : 2 * loopDelayMs)
    if (late || waiting() > (bulk ? queue / 2 : queue)) throw new Refusal('busy', { retryAfter: RETRY_AFTER })
  })
}

/**
 * How late the event loop is, by a timer of its own. Node's histogram of the delay begins anew at each reset and then measures
 * nothing while every turn is longer than a sample: just when it matters.
 */
function watchLateness(): { ms(): number; stop(): void } {
  let due = performance.now() + SAMPLE_MS
  let last = 0
  const timer = setInterval(() => {
    const now = performance.now()
    last = now - due
    due = now + SAMPLE_MS
  }, SAMPLE_MS).unref()
  return {
    // A request may come before the timer that is due.
    ms: () => Math.max(last, performance.now() - due),
    stop: () => clearInterval(timer),
  }
}

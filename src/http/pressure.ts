import underPressure from '@fastify/under-pressure'
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
export async function shedLoad(app: FastifyInstance, { loopDelayMs, queue, waiting }: Pressure): Promise<void> {
  await app.register(underPressure, {
    maxEventLoopDelay: loopDelayMs,
    sampleInterval: SAMPLE_MS,
    pressureHandler: async ({ routeOptions }, _reply, _type, delay) => {
      // Infinite where nothing was measured since the last look, which says nothing.
      if (!Number.isFinite(delay)) return
      if (routeOptions.config.bulk === true || Number(delay) > 2 * loopDelayMs) throw busy()
    },
  })
  app.addHook('onRequest', async ({ routeOptions }) => {
    if (waiting() > (routeOptions.config.bulk === true ? queue / 2 : queue)) throw busy()
  })
}

const busy = (): Refusal => new Refusal('busy', { retryAfter: RETRY_AFTER })

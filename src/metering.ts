import { LIMITS } from './http/limits.ts'
import { createLoop, type Loop } from './jobs/loop.ts'
import type { Log } from './kernel/log.ts'
import type { Parts } from './parts.ts'
import { REQUESTS_BATCH, REQUESTS_WAITING_MAX } from './usage/schema.ts'
import { createRequestLog, type RequestLog } from './usage/service.ts'

export interface Metering {
  requestLog: RequestLog
  loop: Loop
}

/** Whoever looks for a request has just been refused. */
const IDLE_MS = 1_000
/** Rounds that write down all that may wait. */
const ROUNDS_AT_END = REQUESTS_WAITING_MAX / REQUESTS_BATCH

/** What organisations ask, written down beside the answers. */
export function createMetering({ pools, clock }: Pick<Parts, 'pools' | 'clock'>, log: Log): Metering {
  const requestLog = createRequestLog({ db: pools.app, clock, timeoutMs: LIMITS.sql_requests_ms })
  const onError = (error: unknown): void => log.error({ name: 'request-log', error }, 'a loop failed')
  const loop = createLoop({
    idleMs: IDLE_MS,
    restMs: IDLE_MS,
    onError,
    round: async () => {
      const n = await requestLog.round()
      return n >= REQUESTS_BATCH ? 'full' : n > 0
    },
  })
  const writeAll = async (): Promise<void> => {
    for (let i = 0; i < ROUNDS_AT_END; i++) if ((await requestLog.round()) === 0) return
  }
  return {
    requestLog,
    loop: {
      ...loop,
      // What was answered last is written down too; if that fails it is lost, and nothing else.
      stop: () => loop.stop().then(writeAll).catch(onError),
    },
  }
}

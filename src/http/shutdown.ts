import closeWithGrace from 'close-with-grace'
import type { Log } from '../kernel/log.ts'

/** What of a Fastify instance is needed to end it. */
export interface Listener {
  /** Takes nothing new, and waits for what runs. */
  close(): PromiseLike<unknown>
  server: { closeAllConnections(): void }
}

type Closing = () => unknown

/** The node's parts by the order in which they end; those of one kind end together. */
export interface ShutdownParts {
  /** Makes readiness fail, so that nothing new is sent here. */
  drain: Closing
  listeners: readonly Listener[]
  /** Integrator, signer, projector, journal: they write down what the last answers promised. */
  loops: readonly Closing[]
  pools: readonly Closing[]
  /** The operations listener, then the embedded database: what the others need to the last. */
  last: readonly Closing[]
}

export interface ShutdownOptions {
  parts: ShutdownParts
  log: Log
  /** After which the process ends, whatever still runs. */
  seconds: number
  /** Milliseconds between failing readiness and closing, after SIGTERM: those who send requests have to notice. */
  noticeMs?: number
}

export interface Shutdown {
  /** As SIGINT would; ends the process. */
  close(): void
  /** Forgets about signals. */
  uninstall(): void
}

const NOTICE_MS = 5_000
/** The part of the time that running requests get; the rest is for writing down what they did. */
const FOR_REQUESTS = 0.55

/**
 * Ends the node on SIGTERM, SIGINT and what nobody caught: exit 0 after a signal, 1 after an error, a second signal, or
 * when the time is over.
 */
export function installShutdown({ parts, log, seconds, noticeMs = NOTICE_MS }: ShutdownOptions): Shutdown {
  const delay = seconds * 1_000
  return closeWithGrace(
    {
      delay,
      logger: false,
      // A reader of standard output that went away is no reason to stop.
      skip: ['SIGHUP', 'SIGUSR2', 'beforeExit'],
      onTimeout: () => log.error({ seconds, reason: 'timeout' }, 'stopped hard'),
      onSecondSignal: (signal) => log.error({ reason: signal }, 'stopped hard'),
      onSecondError: (error) => log.error({ error, reason: 'error' }, 'stopped hard'),
    },
    async ({ err, signal }) => {
      if (err === undefined) log.info({ reason: signal ?? 'asked' }, 'stopping')
      else log.error({ error: err }, 'stopping after an error that nobody caught')
      const notice = signal === 'SIGTERM' ? Math.min(noticeMs, delay / 8) : 0
      const clean = await stop(parts, { log, noticeMs: notice, requestsMs: delay * FOR_REQUESTS })
      log.info({ ok: clean }, 'stopped')
      if (!clean) throw new Error('a part did not close')
    },
  )
}

const EARLY = ['SIGTERM', 'SIGINT'] as const

/**
 * Hears SIGTERM and SIGINT until `installShutdown` does: what has been started by then, the embedded database first, would be left
 * running. A second one ends the process at once, as if nobody heard.
 */
export function hearEarly(): { heard(): boolean; end(): void } {
  let heard = false
  const end = (): void => {
    for (const signal of EARLY) process.off(signal, hear)
  }
  const hear = (): void => {
    heard = true
    end()
  }
  for (const signal of EARLY) process.on(signal, hear)
  return { heard: () => heard, end }
}

export interface StopOptions {
  log: Log
  noticeMs: number
  /** Milliseconds for the requests that run; then their connections are cut. */
  requestsMs: number
}

/** Ends the parts in order. One that fails holds up none of the others; whether all ended well. */
export async function stop(parts: ShutdownParts, { log, noticeMs, requestsMs }: StopOptions): Promise<boolean> {
  let clean = true
  const together = async (stage: string, closings: readonly Closing[]): Promise<void> => {
    const outcomes = await Promise.allSettled(closings.map(async (close) => close()))
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue
      clean = false
      log.error({ name: stage, error: outcome.reason }, 'a part did not close')
    }
  }
  await together('drain', [parts.drain])
  if (noticeMs > 0) await new Promise((resolve) => setTimeout(resolve, noticeMs))
  await together(
    'listeners',
    parts.listeners.map((listener) => () => closeListener(listener, requestsMs)),
  )
  await together('loops', parts.loops)
  await together('pools', parts.pools)
  for (const close of parts.last) await together('last', [close])
  return clean
}

async function closeListener(listener: Listener, ms: number): Promise<void> {
  const timer = setTimeout(() => listener.server.closeAllConnections(), ms)
  try {
    await listener.close()
  } finally {
    clearTimeout(timer)
  }
}

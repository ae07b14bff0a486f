import { join } from 'node:path'
import type { Home } from '../client/home.ts'
import type { Clock } from '../kernel/clock.ts'
import { createEpochs } from './epochs.ts'
import { createForeign } from './foreign/foreign.ts'
import { createForwarder } from './forward.ts'
import { expectFresh } from './freshness.ts'
import type { Place } from './guard.ts'
import { ageSeconds, createKeeper, type Happening } from './keeper.ts'
import { BRIDGE_LIMITS } from './limits.ts'
import { createLookups } from './lookup.ts'
import { createBridgeMetrics } from './metrics.ts'
import { createMirrors } from './mirror.ts'
import { openLink, refusalAtNode } from './node-link.ts'
import { openOutbox } from './outbox.ts'
import { createRounds } from './rounds.ts'
import { bridgeRoutes } from './routes.ts'
import { sayEnded, sayRunning } from './running.ts'
import { openSecret } from './secret.ts'
import { startServer } from './server.ts'
import { onlyWriter } from './writer.ts'
import { createWriting } from './writing.ts'

export interface BridgeOptions {
  home: Home
  place: Place
  clock: Clock
  /** Between synchronisations. */
  intervalMs: number
  /** Age of the mirror beyond which nothing is answered from it. */
  maxAgeMs: number
  /** Whether sources are told that what ended is removed here. */
  acknowledges: boolean
  tell(happening: Happening): void
}

export interface Bridge {
  origin: string
  /** Synchronises and sends at once. */
  wake(): void
  /** What was synchronised is told to clients of other protocols. */
  settled(): Promise<void>
  close(): Promise<void>
}

/**
 * Runs beside a participant's systems, in its folder: keeps the mirror, answers from it on loopback, and forwards what is written.
 * Throws `home-in-use` where another process writes the folder, `StartRefused` where a file of it is missing or open to others.
 */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { home, place, clock, intervalMs, maxAgeMs, acknowledges } = options
  const { programme } = home.membership()
  const letGo = await onlyWriter(home.dir)
  const random = Math.random
  const link = openLink(home)
  const mirrors = createMirrors(home.dir, { programme, clock })
  const rounds = createRounds(home.dir)
  const tell = (happening: Happening): void => {
    count(metrics, happening)
    if (happening.what === 'synced') {
      forwarder.retry()
      foreign.refresh()
    }
    options.tell(happening)
  }
  const keeper = createKeeper({ link, mirrors, rounds, clock, intervalMs, acknowledges, random, tell })
  const { known } = keeper
  const epochs = createEpochs(link, { known, clock })
  const outbox = openOutbox(join(home.dir, 'bridge', 'outbox'), BRIDGE_LIMITS)
  const forwarder = createForwarder({ outbox, link, clock, random, tell })
  const writing = createWriting(link, { epochs, known, clock })
  const metrics = createBridgeMetrics(() => ({
    ...{ age: ageSeconds(keeper, clock()), signals: mirrors.size(), events: rounds.events(), outbox: outbox.counts() },
  }))
  const fresh = (): void => expectFresh(keeper.syncedAt(), { now: clock(), maxAgeMs })
  const secret = openSecret(home.dir)
  const foreign = createForeign({
    ...{ link, writing, known, clock, acknowledges, maxAgeMs, wake: () => keeper.wake() },
    cursorKey: Buffer.from(secret.digest('taxii-cursor', new Uint8Array()), 'hex'),
    onWithheld: (why) => metrics.withheld(why),
    onFault: (error) => tell({ what: 'fault', route: 'foreign', code: codeOf(error) }),
  })
  const routes = bridgeRoutes({
    ...{ lookups: createLookups({ link, mirrors, epochs, known, clock }), mirrors, epochs, outbox, writing, metrics },
    ...{ secret, now: clock, expectFresh: fresh, outboxWaitsFor: forwarder.waitsFor, wake: forwarder.wake },
    mirror: () => ({ synced_at: known()?.synced_at, signals: mirrors.size() }),
    unready: () => unready({ fresh, failure: keeper.failure(), open: mirrors.ready() }),
  })
  const server = await startServer({
    ...{ routes: [...routes, ...foreign.routes], place, hasSecret: secret.isIn, onAnswered: metrics.request },
    onFault: (route, error) => tell({ what: 'fault', route, code: codeOf(error) }),
  })
  await sayRunning(home.dir, server.origin)
  keeper.start()
  forwarder.start()
  return {
    origin: server.origin,
    wake() {
      keeper.wake()
      forwarder.retry()
    },
    settled: () => foreign.settled(),
    async close() {
      sayEnded(home.dir)
      await server.close()
      // First, so that nobody waits for a node that is silent.
      const ending = [keeper.stop(), forwarder.stop()]
      link.close()
      await Promise.all(ending)
      await foreign.close()
      await mirrors.close()
      await writing.close()
      await letGo()
    },
  }
}

interface Standing {
  fresh(): void
  failure: { why: string; code: string } | undefined
  open: boolean
}

/** A node that is away is none of our faults: what is here is served until it is too old. */
function unready({ fresh, failure, open }: Standing): { code: string; detail: string } | undefined {
  if (failure !== undefined && failure.why !== 'away')
    return { code: failure.code, detail: `the last synchronisation failed: ${failure.why}` }
  try {
    fresh()
  } catch (error) {
    const { code, detail = '' } = refusalAtNode(error)
    return { code, detail }
  }
  return open ? undefined : { code: 'mirror-stale', detail: 'there is no match file yet' }
}

function count(metrics: ReturnType<typeof createBridgeMetrics>, happening: Happening): void {
  if (happening.what === 'synced') metrics.synced('synced')
  if (happening.what === 'sync-failed') metrics.synced(happening.why)
  if (happening.what === 'sent') metrics.sent('delivered')
  if (happening.what === 'refused') metrics.sent('refused')
  if (happening.what === 'not-sent') metrics.sent('again')
}

/** Its class, or its code: a message may repeat what was asked. */
const codeOf = (error: unknown): string =>
  (error as { code?: string } | undefined)?.code ?? (error instanceof Error ? error.name : 'unknown')

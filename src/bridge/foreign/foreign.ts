import { createHmac } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { FeedList } from '../../feeds/schema.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { expectFresh, isFresh } from '../freshness.ts'
import { type Known, syncedAtOf } from '../known.ts'
import type { NodeLink } from '../node-link.ts'
import type { Route } from '../server.ts'
import type { Writing } from '../writing.ts'
import { openForeignClients } from './clients.ts'
import { fill } from './fill.ts'
import { openPosted } from './posted.ts'
import { shelfReads } from './reads.ts'
import { openShelf } from './shelf.ts'
import { stopNciiRoutes } from './stopncii-routes.ts'
import { taxiiBridgeRoutes } from './taxii-routes.ts'
import { createTaxiiWrites } from './taxii-writes.ts'
import { threatRoutes } from './threat-routes.ts'
import { createForeignWriting } from './writing.ts'

export interface ForeignOptions {
  link: NodeLink
  writing: Writing
  known(): Known | undefined
  clock: Clock
  /** Age of what was taken in of the mirror beyond which nothing is answered from it. */
  maxAgeMs: number
  /** Fetches what is new. */
  wake(): void
  acknowledges: boolean
  /** MACs what clients bring back. */
  cursorKey: Uint8Array
  onWithheld(why: string): void
  onFault(error: unknown): void
}

/** What other protocols are answered with, out of the mirror. Without a client of them nothing is made. */
export interface Foreign {
  routes: Route[]
  /** The mirror has more than before. */
  refresh(): void
  /** What the mirror has is taken in. */
  settled(): Promise<void>
  close(): Promise<void>
}

const DAY_SECONDS = 86_400
/** So long clients may stay away and hear of each end; what was erased is told no longer than it must be. */
const TOMBSTONE_DAYS = 90
const ERASED_DAYS = 7

export function createForeign(options: ForeignOptions): Foreign {
  const { link, known, clock, cursorKey, onWithheld, onFault } = options
  const { home } = link
  const { participant: own, programme } = home.membership()
  const clients = openForeignClients(home.dir)
  mkdirSync(join(home.dir, 'bridge'), { recursive: true, mode: 0o700 })
  const shelf = openShelf(join(home.dir, 'bridge', 'foreign.db'))
  const posted = openPosted(join(home.dir, 'bridge', 'taxii.db'))
  const reads = shelfReads(shelf.db)
  const feeds = (): FeedList['feeds'] =>
    (known()?.feeds ?? []).filter(({ kind, mode }) => kind === 'audience' && mode === 'full')
  const inboxes = (): FeedList['feeds'] => (known()?.feeds ?? []).filter(({ kind }) => kind === 'inbox')
  const kindOf = (feed: string) => known()?.feeds.find((one) => one.feed === feed && one.mode === 'full')?.kind
  let running: Promise<void> | undefined
  let again = false
  /** The synchronisation that was taken in last, all of it. */
  let taken: Date | undefined

  const round = async (): Promise<void> => {
    const at = syncedAtOf(known())
    await fill({ shelf, home: home.dir, programme, kindOf, onWithheld })
    taken = at
    const now = Math.floor(clock().getTime() / 1_000)
    for (const { feed } of feeds()) {
      if (options.acknowledges) {
        await acknowledge(feed, reachedBy(feed, 'te'), 'client_reached')
        await acknowledge(feed, reachedBy(feed, 'nc'), 'client_cannot_remove')
      }
      const reached = reachedBy(feed, 'te', 'nc')
      const before = now - TOMBSTONE_DAYS * DAY_SECONDS
      shelf.together(() => reads.purge(feed, { before, erasedBefore: now - ERASED_DAYS * DAY_SECONDS, reached }))
    }
  }
  const reachedBy = (feed: string, ...protocols: ('te' | 'nc')[]): number =>
    reads.reached(
      feed,
      clients.names().flatMap((name) => protocols.map((protocol) => `${protocol}:${name}`)),
    ) ?? 0
  /** What ended and was told to every client of a protocol: its source hears so, and whether they can act on it. */
  const acknowledge = async (feed: Uuid, reached: number, stage: 'client_reached' | 'client_cannot_remove') => {
    const end = reads.lastEnd(feed, reached)
    if (end === undefined || end <= reads.told(feed, stage)) return
    await link.client().acknowledge(feed, String(end), stage)
    reads.tell(feed, stage, end)
  }
  const refresh = (): void => {
    if (!clients.any()) return
    again = running !== undefined
    running ??= round()
      .catch(onFault)
      .finally(() => {
        running = undefined
        if (again) refresh()
      })
  }
  const writing = createForeignWriting({ link, writing: options.writing, known, now: clock })
  /**
   * The first time, and after long without a client, all of the mirror is taken in, for which whoever asks waits: half of it would look like
   * all. A mirror that is fresh and cannot be taken in is of no use: what it has of ends is not told.
   */
  const ready = async (): Promise<void> => {
    const age = { now: clock(), maxAgeMs: options.maxAgeMs }
    expectFresh(syncedAtOf(known()), age)
    if (isFresh(taken, age)) return
    refresh()
    await running
    if (taken === undefined)
      throw new Refusal('mirror-stale', { detail: 'the mirror could not be taken in', retryAfter: 5 })
    expectFresh(taken, age)
  }
  const suiteOf = (kid: string): string | undefined => known()?.hash_profiles.find((one) => one.kid === kid)?.suite
  const mayShare = (audience: string | null): boolean =>
    known()?.audiences.some((one) => one.audience === audience && one.may_share) === true
  const writes = createTaxiiWrites({
    ...{ posted, reads, writing, own, feeds, suiteOf, now: clock, wake: options.wake },
    digestKey: createHmac('sha256', cursorKey).update('aldis-taxii/1\0posted').digest(),
  })
  const common = { clients, reads, own, feeds, now: clock, wake: options.wake, writing, ready }
  return {
    routes: [
      threatRoutes(common),
      stopNciiRoutes({ ...common, onWithheld }),
      taxiiBridgeRoutes({ ...common, inboxes, programme, suiteOf, writes, mayShare, cursorKey, onWithheld }),
    ],
    refresh,
    async settled() {
      while (running !== undefined) await running
    },
    async close() {
      again = false
      await running
      shelf.close()
      posted.close()
    },
  }
}

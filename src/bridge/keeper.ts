import type { Clock } from '../kernel/clock.ts'
import { acknowledge } from './acknowledge.ts'
import { ageOf, pauseAfter } from './freshness.ts'
import { type Known, readKnown, syncedAtOf, writeKnown } from './known.ts'
import type { Mirrors } from './mirror.ts'
import { type NodeLink, refusalAtNode } from './node-link.ts'
import type { RoundFault, RoundOutcome } from './round.ts'
import type { Rounds } from './rounds.ts'

/** What the bridge tells whoever watches it; codes, counts and times, never a value. */
export type Happening =
  | { what: 'syncing'; events: number }
  | { what: 'synced'; events: number; signals: number; paused: number }
  | { what: 'sync-failed'; why: RoundFault; code: string; failures: number }
  | { what: 'sync-stopped'; why: RoundFault; code: string }
  | { what: 'mirror-unread'; code: string }
  | { what: 'not-acknowledged'; code: string }
  | { what: 'sent'; kind: string; id: string }
  | { what: 'refused'; kind: string; id: string; code: string }
  | { what: 'not-sent'; code: string; failures: number }
  | { what: 'fault'; route: string; code: string }

export interface KeeperOptions {
  link: NodeLink
  mirrors: Mirrors
  rounds: Rounds
  clock: Clock
  intervalMs: number
  /** Whether sources are told that what ended is removed here. */
  acknowledges: boolean
  random(): number
  tell(happening: Happening): void
}

/** Keeps the mirror fresh. */
export interface Keeper {
  /** Opens what is there, and begins to synchronise. */
  start(): void
  stop(): Promise<void>
  /** The next round begins at once. */
  wake(): void
  known(): Known | undefined
  syncedAt(): Date | undefined
  /** Why the last round failed; undefined if it did not. */
  failure(): { why: RoundFault; code: string } | undefined
}

/** Between what is told of a synchronisation that takes long. */
const PROGRESS_MS = 5_000

const ALL = { full: true, sealed: true } as const

export function createKeeper(options: KeeperOptions): Keeper {
  const { link, mirrors, rounds, clock, intervalMs, random, tell } = options
  const { dir } = link.home
  let known = readKnown(dir)
  let failure: { why: RoundFault; code: string } | undefined
  let failures = 0
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = true

  /** Files that may hold more than what is open. The next round finds nothing new in what a failed one has written. */
  let due: Readonly<Record<'full' | 'sealed', boolean>> = ALL

  /** Whether all that is due could be opened; what was open before stays so. */
  const reopen = (feeds: Known['feeds'] | undefined): boolean => {
    try {
      mirrors.reopen({ full: due.full || !mirrors.ready(), sealed: due.sealed ? feeds : undefined })
      due = { full: false, sealed: due.sealed && feeds === undefined }
      return true
    } catch (error) {
      tell({ what: 'mirror-unread', code: refusalAtNode(error).code })
      return false
    }
  }

  const took = async (outcome: Extract<RoundOutcome, { outcome: 'synced' }>): Promise<void> => {
    const { changed, events, signals, paused, ends } = outcome
    due = { full: due.full || changed.full, sealed: due.sealed || changed.sealed }
    if (!reopen(outcome.known.feeds)) {
      failed({ why: 'fault', code: 'mirror-unread' })
      return
    }
    // Only what is matched by now is called fresh.
    writeKnown(dir, outcome.known)
    known = outcome.known
    failure = undefined
    failures = 0
    tell({ what: 'synced', events, signals, paused })
    if (!options.acknowledges) return
    await acknowledge(link.client(), dir, ends).catch((error: unknown) =>
      tell({ what: 'not-acknowledged', code: refusalAtNode(error).code }),
    )
  }

  const failed = (how: { why: RoundFault; code: string }): void => {
    due = ALL
    failure = how
    failures += 1
    tell({ what: 'sync-failed', ...how, failures })
  }

  const once = async (): Promise<void> => {
    const watching = setInterval(() => tell({ what: 'syncing', events: rounds.events() }), PROGRESS_MS)
    const outcome = await rounds.run(clock()).finally(() => clearInterval(watching))
    if (stopped) return
    if (outcome.outcome === 'synced') await took(outcome)
    else failed({ why: outcome.why, code: outcome.code })
    // Two logs that contradict each other do not become one by waiting: a person reads the evidence.
    if (failure?.why === 'contradicted') tell({ what: 'sync-stopped', ...failure })
    else plan(pauseAfter(failures, { intervalMs, random }))
  }

  const plan = (ms: number): void => {
    clearTimeout(timer)
    if (!stopped) timer = setTimeout(run, ms)
  }

  function run(): void {
    running ??= once().finally(() => {
      running = undefined
    })
  }

  return {
    start() {
      stopped = false
      reopen(known?.feeds)
      run()
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      await rounds.close()
      await running
    },
    wake() {
      if (running === undefined && !stopped && failure?.why !== 'contradicted') plan(0)
    },
    known: () => known,
    syncedAt: () => syncedAtOf(known),
    failure: () => failure,
  }
}

/** Seconds since the last complete synchronisation. */
export const ageSeconds = (keeper: Keeper, now: Date): number | undefined => {
  const age = ageOf(keeper.syncedAt(), now)
  return age === undefined ? undefined : age / 1_000
}

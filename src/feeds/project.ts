import { atKeys, atLog, type Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'
import { placeOf } from '../provenance/origin.ts'
import * as keyStore from './key-store.ts'
import { PREFIX, type SharedKey } from './known-keys.ts'
import { relationRows } from './network.ts'
import * as networkStore from './network-store.ts'
import * as store from './placing-store.ts'
import { newestOf, type Placed } from './plan.ts'
import { type PlacingOptions, place } from './project-place.ts'
import { type Read, type ReadingOptions, readEntries } from './project-read.ts'
import * as sealedStore from './sealed-store.ts'

export interface ProjectorOptions extends ReadingOptions, PlacingOptions {
  directory: ReadingOptions['directory']
  /** Told what a round carried over, after its commit. */
  onCarried(carried: Carried): void
}

/** What reached feeds and look-ups with the log entries from the place `from` to below `to`. */
export interface Carried {
  feeds: readonly Uuid[]
  keys: readonly SharedKey[]
  from: bigint
  to: bigint
}

export interface Projector {
  /**
   * Carries the log's next entries into feeds and look-ups; answers how many it took, and 0 only once everything that was
   * taken is done. Safe to repeat after any failure or crash.
   */
  round(): Promise<number>
  /** Whether the last round took as much as one takes. */
  full(): boolean
}

/** Causes precede effects across shards because all that one participant knows of another came through the log. */
export function createProjector(options: ProjectorOptions): Projector {
  const { db, logId } = options
  let ahead: { from: bigint; read: Promise<Read> } | undefined
  let wasFull = false

  /** What stands from there on: read ahead if it was, unless nothing stood there yet. */
  const readFrom = async (from: bigint): Promise<Read> => {
    const early = ahead?.from === from ? ahead.read : undefined
    ahead = undefined
    const read = await early
    return read === undefined || read.taken === 0 ? readEntries(options, from) : read
  }

  /** Entries never change: the next ones are read and planned while the database writes these. */
  const readAhead = (from: bigint): void => {
    const read = readEntries(options, from)
    // Whoever takes it hears of its failure.
    read.catch(() => {})
    ahead = { from, read }
  }

  /** The end of the last round, while it lasts: its keys are written beside the feeds of the next. */
  let ending: { to: bigint; done: Promise<void> } | undefined

  const endRound = async (placed: readonly Placed[], { feeds, from, to }: Omit<Carried, 'keys'>): Promise<void> => {
    const [newest, hidden] = parted(newestOf(placed), ({ feed_id }) => options.directory.isSealed(feed_id))
    if (newest.length > 0) await atKeys(db, (tx) => share(tx, newest))
    // A first revision was nowhere else before.
    const moved = hidden.filter(({ revision }) => revision > 1)
    if (moved.length > 0) await atKeys(db, (tx) => sealedStore.hideShared(tx, moved))
    await atLog(db, logId, (tx) => store.moveNextIndex(tx, logId, to))
    const [first, next] = [placeOf(logId, from), placeOf(logId, to)]
    options.onCarried({ feeds, keys: newest.map(sharedKey), from: first, to: next })
  }

  /** Throws if the last round failed at its end: this one then begins where that one did. */
  const lastEnded = async (): Promise<void> => {
    const { done } = ending ?? {}
    ending = undefined
    await done
  }

  return {
    async round() {
      const from = ending?.to ?? (await store.nextIndex(db, logId))
      const { planned, proofs, taken, full } = await readFrom(from)
      wasFull = full
      if (taken === 0) {
        await lastEnded()
        return 0
      }
      const to = from + BigInt(taken)
      readAhead(to)
      const byFeed = Map.groupBy(planned, ({ feed_id }) => feed_id)
      const placed: Placed[] = []
      for (const [feed_id, own] of byFeed) placed.push(...(await place(options, { feed_id, planned: own, proofs })))
      // In the order of the log: a place is moved on only after all before it is done.
      await lastEnded()
      const done = endRound(placed, { feeds: [...byFeed.keys()], from, to })
      // The next round hears of its failure.
      done.catch(() => {})
      ending = { to, done }
      return taken
    },
    full: () => wasFull,
  }
}

async function share(tx: Tx, newest: readonly Placed[]): Promise<void> {
  await keyStore.upsertShared(tx, newest)
  await networkStore.upsertRelations(tx, newest.flatMap(relationRows))
}

const sharedKey = ({ signal_key, origin, audience_id }: Placed): SharedKey => ({
  prefix: signal_key.toString('hex', 0, PREFIX / 2),
  origin,
  audience_id,
})

function parted<T>(all: readonly T[], apart: (one: T) => boolean): [T[], T[]] {
  const { rest = [], found = [] } = Object.groupBy(all, (one) => (apart(one) ? 'found' : 'rest'))
  return [rest, found]
}

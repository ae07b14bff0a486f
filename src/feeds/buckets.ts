import { atFeed } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type Buckets, bucketsOf } from '../matching/bucket.ts'
import { ENTRY_BYTES } from '../matching/sealed.ts'
import type { FeedDirectory } from './directory.ts'
import { BUCKET_WIDTH_MAX, BUCKETED_MAX } from './schema.ts'
import * as sealed from './sealed-store.ts'

export interface BucketsOptions {
  db: Db
  clock: Clock
  directory: Pick<FeedDirectory, 'refresh' | 'sealedFeeds'>
  random(bytes: number): Uint8Array
  /** Entries that are read into memory; an audience with more is for mirrors. */
  most?: number
  /** Entries of one bucket; an audience that needs a longer one is for mirrors. */
  widest?: number
  /** Milliseconds at least from one snapshot of a feed to the next: readers of the former one shall come to their end. */
  restMs?: number
}

/** Bytes of the buckets that one statement writes. */
const WRITTEN_AT_ONCE = 2_097_152

/**
 * Divides the live entries of each sealed feed that has grown into buckets: written first, and then the snapshot that makes
 * them known, so that a reader finds all of one or none.
 */
export function createBuckets(options: BucketsOptions): { round(): Promise<number> } {
  const { db, clock, directory, random, most = BUCKETED_MAX, widest = BUCKET_WIDTH_MAX, restMs = 0 } = options
  const make = async (
    feed_id: Uuid,
    { snapshot, erasures }: { snapshot: bigint; erasures: bigint },
  ): Promise<boolean> => {
    const small = (await sealed.countSealed(db, feed_id)) <= most
    const divided = small
      ? bucketsOf(await atFeed(db, feed_id, (tx) => sealed.sealedEntries(tx, feed_id)), random)
      : undefined
    const buckets = divided !== undefined && divided.width <= widest ? divided : undefined
    for (const some of portions(buckets))
      await atFeed(db, feed_id, (tx) => sealed.insertBuckets(tx, { feed_id, snapshot }, some))
    const { bits = null, width = 0 } = buckets ?? {}
    return atFeed(db, feed_id, async (tx) => {
      // What was erased since may be among the entries: the next round makes it without.
      const current = (await sealed.lockForSnapshot(tx, feed_id)).erasures === erasures
      if (current) await sealed.insertSnapshot(tx, { feed_id, snapshot, bits, width, made_at: clock() })
      else await sealed.deleteBuckets(tx, feed_id, snapshot)
      await sealed.deleteOldSnapshots(tx, feed_id)
      return current
    })
  }

  return {
    /** At most one snapshot of each feed; answers how many were made. */
    async round() {
      await directory.refresh()
      let made = 0
      for (const feed_id of directory.sealedFeeds()) {
        const due = await dueIn(db, feed_id, new Date(clock().getTime() - restMs))
        if (due !== undefined && (await make(feed_id, due))) made += 1
      }
      return made
    },
  }
}

/** Read before the entries: what comes between makes another snapshot. Undefined while the newest has everything, or was made after `rested`. */
const dueIn = (db: Db, feed_id: Uuid, rested: Date): Promise<{ snapshot: bigint; erasures: bigint } | undefined> =>
  atFeed(db, feed_id, async (tx) => {
    const { next_seq, erasures } = await sealed.headForSnapshot(tx, feed_id)
    const newest = await sealed.newestSnapshot(tx, feed_id)
    // One of nothing has no readers to be waited for.
    const rests = newest !== undefined && newest.snapshot > 0n && newest.made_at > rested
    const stands = rests || (newest !== undefined && newest.snapshot >= next_seq - 1n)
    return stands ? undefined : { snapshot: next_seq - 1n, erasures }
  })

function* portions(buckets: Buckets | undefined): Generator<{ prefix: number; body: Uint8Array }[]> {
  if (buckets === undefined) return
  const { bits, width, bucket } = buckets
  const atOnce = Math.max(1, Math.floor(WRITTEN_AT_ONCE / (width * ENTRY_BYTES + 1)))
  for (let from = 0; from < 2 ** bits; from += atOnce) {
    const prefixes = Array.from({ length: Math.min(atOnce, 2 ** bits - from) }, (_, i) => from + i)
    yield prefixes.map((prefix) => ({ prefix, body: bucket(prefix) }))
  }
}

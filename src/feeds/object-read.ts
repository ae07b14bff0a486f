import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { bySource, type Reader } from './answer.ts'
import { readAsOf } from './as-of.ts'
import { type FeedDirectory, type ReadableFeed, refusePaused } from './directory.ts'
import type { ObjectEntry, ObjectRange } from './object-store.ts'
import * as objectStore from './object-store.ts'
import { stampOf } from './stamp.ts'
import * as store from './store.ts'

export type { ObjectEntry } from './object-store.ts'

/** A full feed of signals whose audience the reader is in: as look-ups do, objects tell how signals are now. */
export type ObjectFeed = Pick<ReadableFeed, 'feed_id' | 'label'>

export interface AskedObjects<R> extends Pick<ObjectRange, 'limit' | 'keys'> {
  /** A sequence, or an instant in microseconds since 1970; what comes later is given. */
  after: { seq: bigint } | { addedUs: bigint }
  /** What an entry is there; undefined where it is not asked for. */
  pick(entry: ObjectEntry): R | undefined
}

export interface ObjectPage<R> {
  picked: readonly R[]
  /** Whether something stands behind `to`. */
  more: boolean
  /** The last sequence that was looked at. */
  to: bigint
}

/** What is made of a page: the bytes that leave, and the entries of which they tell something. */
export interface Made<T> {
  answer: T
  body: Uint8Array
  given: readonly ObjectEntry[]
}

/** Signals as objects of other protocols: of each its newest event, in the order in which they came. */
export interface ObjectReads {
  objectFeeds(by: Reader): ObjectFeed[]
  /** `make` writes the answer; the read is on record before this returns. `not-found` for a feed that may not be read. */
  objects<R, T>(by: Reader, feed: Uuid, asked: AskedObjects<R>, make: (page: ObjectPage<R>) => Made<T>): Promise<T>
}

export interface ObjectReadsOptions {
  db: Db
  provenance: ProvenanceService
  directory: FeedDirectory
  /** Told of each page with something on it. */
  onPage(events: number): void
  /** Of each statement. */
  timeoutMs: number
}

export function createObjectReads(options: ObjectReadsOptions): ObjectReads {
  const { db, directory, provenance, timeoutMs } = options
  const feedsOf = ({ participant }: Reader): ReadableFeed[] =>
    directory
      .feedsOf(participant)
      .filter(
        ({ feed_id, kind, until_seq }) => kind === 'audience' && until_seq === null && !directory.isSealed(feed_id),
      )
  return {
    objectFeeds: feedsOf,
    objects: async (by, feed, asked, make) => {
      const place = feedsOf(by).find(({ feed_id }) => feed_id === feed)
      if (place === undefined) throw new Refusal('not-found')
      refusePaused(directory, feed)
      provenance.admit()
      return asParticipant(db, by.participant, (tx) => give(options, tx, { by, place, asked, make }), { timeoutMs })
    },
  }
}

interface Giving<R, T> {
  by: Reader
  place: ReadableFeed
  asked: AskedObjects<R>
  make(page: ObjectPage<R>): Made<T>
}

async function give<R, T>(options: ObjectReadsOptions, tx: Tx, { by, place, asked, make }: Giving<R, T>): Promise<T> {
  const { provenance, directory, onPage } = options
  const { as_of, made } = await readAsOf(async () => {
    const before = await provenance.projected(tx)
    const made = make(await pageOf(tx, place, asked))
    return { as_of: before, placed: made.given, made }
  })
  const { given, body, answer } = made
  if (given.length === 0) return answer
  // Asked for after them: who has just left is given nothing more.
  if ((await store.untilOf(tx, place.feed_id, by.participant)) !== null) throw new Refusal('not-found')
  const read = provenance.prepareRead({
    ...{ route: by.route, as_of: { log: String(as_of) }, n: given.length, body: toBase64Url(sha256(body)) },
    sources: bySource(given, directory.slugOf),
  })
  await provenance.insertReads(tx, by.participant, [read])
  onPage(given.length)
  return answer
}

/** Few of many may be asked for: so many statements, and whoever asks goes on from there. */
const STATEMENTS_MAX = 10
const AT_ONCE = 100

async function pageOf<R>(tx: Tx, place: ReadableFeed, asked: AskedObjects<R>): Promise<ObjectPage<R>> {
  const { feed_id } = place
  const { limit, keys, pick } = asked
  const pickNewest = (row: ObjectEntry): R | undefined => (row.superseded ? undefined : pick(row))
  const picked: R[] = []
  let to = await startOf(tx, place, asked.after)
  const size = Math.max(limit + 1, AT_ONCE)
  for (let n = 0; n < STATEMENTS_MAX; n++) {
    const rows = await objectStore.objectsAfter(tx, feed_id, { after: to, limit: size, keys })
    for (const row of rows) {
      if (picked.length === limit) return { picked, more: true, to }
      to = row.seq
      const one = pickNewest(row)
      if (one !== undefined) picked.push(one)
    }
    if (rows.length < size) return { picked, more: false, to }
  }
  return { picked, more: true, to }
}

async function startOf(
  tx: Tx,
  { feed_id, from_seq }: ReadableFeed,
  asked: AskedObjects<unknown>['after'],
): Promise<bigint> {
  const after = 'seq' in asked ? asked.seq : (await firstAfter(tx, feed_id, asked.addedUs)) - 1n
  return after < from_seq - 1n ? from_seq - 1n : after
}

/** The first sequence that came after an instant, by halves: both rise together. */
async function firstAfter(tx: Tx, feed_id: Uuid, us: bigint): Promise<bigint> {
  let low = 0n
  let high: bigint = (await store.headOf(tx, feed_id))?.next_seq ?? 1n
  while (low < high) {
    const middle = (low + high) / 2n
    const row = await objectStore.stampFrom(tx, feed_id, middle)
    if (row === undefined || stampOf(row) > us) high = middle
    else low = row.seq + 1n
  }
  return low
}

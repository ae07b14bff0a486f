import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { SignalItem } from '../signals/schema.ts'
import * as ackStore from './ack-store.ts'
import type { FeedDirectory } from './directory.ts'
import { erasedBody } from './entry.ts'
import * as eraseStore from './erase-store.ts'
import { forgetKeys } from './key-store.ts'
import { forgetRelations } from './network-store.ts'
import { ACK_STAGE, SEGMENT_SIZE } from './schema.ts'
import { segmentOf } from './segment.ts'
import type { SegmentFiles } from './segment-files.ts'
import * as segmentStore from './segment-store.ts'
import * as store from './store.ts'

/** What of a source is looked for in the feed of an audience: revisions at places of the log. */
export interface Sought {
  signal_id: Uuid
  revision: number
  audience: Uuid
  places: readonly bigint[]
}

/** An event that holds an item which is to go. */
interface Holding {
  seq: bigint
  body: string
}

/** How far a holder has answered a tombstone: it cannot be told before the tombstone is in a feed of the holder. */
export type Answer = 'acknowledged' | 'cannot_remove' | 'missing' | 'unreachable'

/** What an erasure does to feeds and look-ups. */
export interface FeedEraser {
  /** The events that hold items, by feed; their sequences rise. */
  find(tx: Tx, source: Uuid, sought: readonly Sought[]): Promise<Map<Uuid, Holding[]>>
  /** Leaves a stub in each place, in entries and segments, and forgets the keys. */
  erase(
    tx: Tx,
    of: {
      source: Uuid
      found: ReadonlyMap<Uuid, readonly Holding[]>
      signals: readonly { signal_id: Uuid; signal_key: Buffer }[]
    },
  ): Promise<void>
  /** Sequences of the tombstones of an erasure, by feed; of a feed that it has not reached yet undefined. */
  tombstones(tx: Tx, audiences: readonly Uuid[], place: bigint): Promise<Map<Uuid, bigint | undefined>>
  /** `reads`: the feeds that the holder may read beyond the tombstone. */
  answerOf(
    tx: Tx,
    holder: Uuid,
    of: { tombstones: ReadonlyMap<Uuid, bigint | undefined>; reads(feed: Uuid, seq: bigint | undefined): boolean },
  ): Promise<Answer>
}

export const createFeedEraser = (directory: Pick<FeedDirectory, 'isSealed'>): FeedEraser => ({
  async find(tx, source, sought) {
    const feeds = new Map(
      (await eraseStore.feedsOf(tx, [...new Set(sought.map(({ audience }) => audience))])).map((row) => [
        row.audience_id,
        row.feed_id,
      ]),
    )
    const found = new Map<Uuid, Holding[]>()
    for (const [audience, own] of Map.groupBy(sought, (one) => one.audience)) {
      const feed = feeds.get(audience)
      if (feed === undefined) throw new Error('an audience without feed')
      const events = await holdingsIn(tx, feed, { source, own })
      if (events.length > 0) found.set(feed, events)
    }
    return found
  },

  async erase(tx, { source, found, signals }) {
    // In one order, so that two erasures do not wait for each other.
    for (const [feed, events] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { sealed_seq } = await eraseStore.lockForErasure(tx, feed)
      for (const { seq, body } of events) await eraseStore.rewriteEntry(tx, feed, { seq, body: erasedBody(body) })
      const segments = new Set(events.flatMap(({ seq }) => (seq <= sealed_seq ? [firstOf(seq)] : [])))
      const sealed = directory.isSealed(feed)
      for (const first_seq of segments) await rewriteSegment(tx, feed, { first_seq, sealed })
    }
    const sealed = [...found.keys()].filter((feed) => directory.isSealed(feed))
    const ids = signals.map(({ signal_id }) => signal_id)
    for (const feed of sealed) await eraseStore.forgetSealed(tx, feed, { origin: source, signals: ids })
    await forgetKeys(tx, { origin: source, signals })
    const ends = endsIn([...found.values()].flat())
    const relations = signals.map(({ signal_id }) => signal_id)
    if (ends.length > 0) await forgetRelations(tx, { ends, origin: source, relations })
  },

  async tombstones(tx, audiences, place) {
    const found = new Map<Uuid, bigint | undefined>()
    for (const { feed_id } of await eraseStore.feedsOf(tx, audiences)) {
      const before = await store.firstAt(tx, feed_id, place + 1n)
      found.set(feed_id, await eraseStore.lastAt(tx, feed_id, { before, place }))
    }
    return found
  },

  async answerOf(tx, holder, { tombstones, reads }) {
    const asked = [...tombstones].filter(([feed, seq]) => reads(feed, seq))
    if (asked.length === 0) return 'unreachable'
    const acks = await ackStore.acksIn(
      tx,
      holder,
      asked.map(([feed]) => feed),
    )
    const stagesAt = asked.map(([feed, seq]) =>
      acks.flatMap((ack) => (ack.feed_id === feed && seq !== undefined && ack.seq >= seq ? [ack.stage] : [])),
    )
    if (stagesAt.every((stages) => stages.some((stage) => stage !== ACK_STAGE.client_cannot_remove)))
      return 'acknowledged'
    return stagesAt.every((stages) => stages.length > 0) ? 'cannot_remove' : 'missing'
  },
})

/** The signals that relations name. */
const endsIn = (events: readonly Holding[]): Uuid[] => [
  ...new Set(
    events.flatMap(({ body }) => {
      const { item = '{}' } = JSON.parse(body) as { item?: string }
      const { type, value } = JSON.parse(item) as Partial<SignalItem>
      return type === 'relation' && value !== undefined ? [value.from, value.to] : []
    }),
  ),
]

/** Removes the files of segments that were rewritten, in whichever process; answers how many. `db`: as `aldis_projector`. */
export const sweepSegments = (db: Db, files: SegmentFiles): Promise<number> =>
  files.sweep((digests) => segmentStore.liveDigests(db, digests))

const firstOf = (seq: bigint): bigint => ((seq - 1n) / BigInt(SEGMENT_SIZE)) * BigInt(SEGMENT_SIZE) + 1n

async function holdingsIn(
  tx: Tx,
  feed: Uuid,
  { source, own }: { source: Uuid; own: readonly Sought[] },
): Promise<Holding[]> {
  const signals = [...new Set(own.map(({ signal_id }) => signal_id))]
  const events = new Map<bigint, string>()
  for (const place of new Set(own.flatMap(({ places }) => places))) {
    const [from, to] = [await store.firstAt(tx, feed, place), await store.firstAt(tx, feed, place + 1n)]
    for (const { seq, body } of await eraseStore.eventsBetween(tx, feed, { origin: source, signals, from, to }))
      if ((JSON.parse(body) as { reason?: string }).reason === undefined) events.set(seq, body)
  }
  return [...events].map(([seq, body]) => ({ seq, body })).sort((a, b) => Number(a.seq - b.seq))
}

/** What was given out of it is named by signal and revision alone: its sets stay. */
async function rewriteSegment(
  tx: Tx,
  feed_id: Uuid,
  { first_seq, sealed }: { first_seq: bigint; sealed: boolean },
): Promise<void> {
  const [old] = await segmentStore.segmentsIn(tx, feed_id, { from: first_seq, until: first_seq + 1n })
  if (old === undefined) throw new Error(`feed ${feed_id} has no segment from ${first_seq} on`)
  const { generation, n, set_salt, sets } = old
  const made = await segmentOf(tx, feed_id, { after: first_seq - 1n, n, sealed })
  if (made === undefined) throw new Error(`feed ${feed_id} has no ${n} entries from ${first_seq} on`)
  const row = { feed_id, first_seq, generation: generation + 1, n, set_salt, sets, ...made }
  await segmentStore.replaceSegment(tx, row)
}

import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { decodeCursor, encodeCursor } from '../kernel/cursor.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import type { SharedItems } from '../provenance/shared-items.ts'
import * as ackStore from './ack-store.ts'
import { bySource, type Disclosed, pageBody, type Reader } from './answer.ts'
import { type ReadableFeed, refusePaused } from './directory.ts'
import { ENDS, EVENT_KIND } from './entry.ts'
import { createEventReads, type EventReads } from './event-read.ts'
import type { Growth } from './growth.ts'
import type { KnownKeys } from './known-keys.ts'
import { createLookUp, type OnLookUps } from './lookup.ts'
import { type AskedNetwork, createNetworks, createRelatedCounts } from './network-read.ts'
import { createObjectReads, type ObjectReads } from './object-read.ts'
import { createPatternReads, type PatternReads, type PatternReadsOptions } from './pattern-read.ts'
import { createReveals, type RevealOptions, type Reveals } from './reveal.ts'
import { ACK_STAGE, type Acknowledgement, type EventsQuery, type FeedList, type Lookup, PAGE_MAX } from './schema.ts'
import { CLEAR_KINDS } from './seal.ts'
import { createSealedLookUp, type SealedLookUp } from './sealed-lookup.ts'
import type { SegmentFiles } from './segment-files.ts'
import { createSegmentReads, type SegmentReads } from './segment-read.ts'
import { createSharedItems } from './shared.ts'
import { signedDelta } from './signed-delta.ts'
import * as store from './store.ts'

export type { Disclosed, Reader } from './answer.ts'

export interface FeedService extends EventReads, PatternReads, ObjectReads, Reveals, SegmentReads {
  feeds(by: Reader): Promise<FeedList>
  /** A page of events in dense order; waits up to `wait` seconds for the first new one. */
  events(by: Reader, feed: Uuid, query: EventsQuery, signal?: AbortSignal): Promise<DisclosedPage>
  /** Live signals behind up to 1,000 keys; what may not be seen is not there. */
  lookUp(by: Reader, lookup: Lookup): Promise<Disclosed>
  /** What is related to a signal, by what the participant may see. */
  network(by: Reader, asked: AskedNetwork): Promise<Disclosed>
  /** How many live relations of each signal a participant may see: a number, and nothing of what they say. */
  related(participant: Uuid, signals: readonly Uuid[]): Promise<ReadonlyMap<Uuid, number>>
  /** The participant has dealt with every end up to a sequence. */
  acknowledge(by: Reader, feed: Uuid, ack: Acknowledgement): Promise<{ feed: Uuid; upto: string }>
  /** Sealed audiences by bucket, and their signals once they are opened. */
  readonly sealed: SealedLookUp
  /** What feeds hold of a source, for its proofs of who obtained it. */
  readonly shared: SharedItems
  /** Whether something of a submission stands in a feed where the participant may read it. */
  received(participant: Uuid, submission_id: Uuid): Promise<boolean>
}

export interface DisclosedPage extends Disclosed {
  /** Stands after what was given out. */
  cursor: string
}

export interface FeedServiceOptions {
  db: Db
  ledger: Db
  clock: Clock
  provenance: ProvenanceService
  directory: PatternReadsOptions['directory'] & RevealOptions['directory']
  values: RevealOptions['values']
  growth: Growth
  known: KnownKeys
  segments: SegmentFiles
  /** Signs what is given out of sealed feeds: the node's receipt key. */
  deltaKey: { kid: string; sign(data: Uint8Array): Promise<Uint8Array> }
  /** MACs cursors, so that one made for another feed or by another node is refused. */
  cursorKey: Uint8Array
  /** Told of each page with something on it, and of look-ups that were answered. */
  onPage(events: number): void
  onLookUps: OnLookUps
  /** Of each statement of a look-up, milliseconds. */
  timeoutMs: number
}

const END_KINDS = [...ENDS].map((type) => EVENT_KIND[type])

export function createFeedService(options: FeedServiceOptions): FeedService {
  const { db, directory } = options
  return {
    feeds: (by) => listFeeds(options, by),
    events: (by, feed, query, signal) => readEvents(options, by, { feed, query, signal }),
    ...createSegmentReads(options, (by, feed) => readable(options, by, feed)),
    lookUp: createLookUp(options),
    network: createNetworks(options),
    related: createRelatedCounts(options),
    ...createEventReads(options),
    ...createPatternReads(options),
    ...createObjectReads(options),
    ...createReveals(options),
    sealed: createSealedLookUp(options),
    shared: createSharedItems(db),
    received: (participant, submission_id) =>
      asParticipant(db, participant, async (tx) => {
        for (const { feed_id, from_seq, until_seq } of directory.feedsOf(participant)) {
          if (await store.holdsSubmission(tx, feed_id, { submission_id, from_seq, until_seq })) return true
        }
        return false
      }),
    acknowledge: (by, feed, ack) => acknowledge(options, by, { feed, ack }),
  }
}

function readable({ directory }: FeedServiceOptions, { participant }: Reader, feed: Uuid): ReadableFeed {
  const found = directory.feedsOf(participant).find(({ feed_id }) => feed_id === feed)
  if (found === undefined) throw new Refusal('not-found')
  return found
}

type Head = NonNullable<Awaited<ReturnType<typeof store.headOf>>>

const listFeeds = ({ db, directory, cursorKey }: FeedServiceOptions, { participant }: Reader): Promise<FeedList> =>
  asParticipant(db, participant, async (tx) => {
    const feeds = directory.feedsOf(participant)
    const ids = feeds.map(({ feed_id }) => feed_id)
    const headOf = new Map((await store.headsOf(tx, ids)).map((head) => [head.feed_id, head]))
    const modeOf = ({ feed_id }: ReadableFeed) => (directory.isSealed(feed_id) ? 'sealed' : 'full')
    return {
      feeds: feeds.flatMap((feed) => describe({ ...feed, mode: modeOf(feed) }, headOf.get(feed.feed_id), cursorKey)),
    }
  })

function describe(
  feed: ReadableFeed & { mode: 'full' | 'sealed' },
  head: Head | undefined,
  key: Uint8Array,
): FeedList['feeds'] {
  if (head === undefined) return []
  const from = later(feed.from_seq, head.retained_from)
  const last = lastOf(feed, head)
  return [
    {
      feed: feed.feed_id,
      kind: feed.kind,
      mode: feed.mode,
      audience: feed.audience_id,
      label: feed.label,
      from_seq: String(from),
      last_seq: String(last),
      sealed_seq: String(earlier(head.sealed_seq, last)),
      start: encodeCursor(key, { feed: feed.feed_id, seq: from - 1n }),
    },
  ]
}

/** The last sequence that the reader may see, now. */
const lastOf = ({ until_seq }: Pick<ReadableFeed, 'until_seq'>, { next_seq }: Head): bigint =>
  until_seq ?? next_seq - 1n

function later(a: bigint, b: bigint): bigint {
  if (a > b) return a
  return b
}

function earlier(a: bigint, b: bigint): bigint {
  if (a < b) return a
  return b
}

async function readEvents(
  options: FeedServiceOptions,
  by: Reader,
  { feed, query, signal }: { feed: Uuid; query: EventsQuery; signal: AbortSignal | undefined },
): Promise<DisclosedPage> {
  const { clock, growth, cursorKey } = options
  const limit = query.limit ?? PAGE_MAX
  if (limit > PAGE_MAX)
    throw new Refusal('page-limit', { detail: 'ask for at most 1,000 events a page', extra: { limit: PAGE_MAX } })
  const { from_seq } = readable(options, by, feed)
  const after = query.cursor === undefined ? from_seq - 1n : cursorAt(cursorKey, feed, query.cursor)
  const deadline = clock().getTime() + (query.wait ?? 0) * 1000
  for (;;) {
    const grown = growth.next(feed)
    try {
      // Who waited may have left meanwhile.
      const place = readable(options, by, feed)
      const answer = await pageOf(options, by, { place, after, limit, empty: clock().getTime() >= deadline })
      if (answer !== undefined) return answer
      await growth.wait(grown, deadline - clock().getTime(), signal)
    } finally {
      grown.cancel()
    }
  }
}

function cursorAt(key: Uint8Array, feed: Uuid, text: string): bigint {
  const cursor = decodeCursor(key, text)
  if (cursor.feed !== feed) throw new Refusal('invalid-cursor', { detail: 'this cursor belongs to another feed' })
  return cursor.seq
}

/** One page, journaled before it is given out; undefined where there is nothing yet and the caller may wait. */
function pageOf(
  options: FeedServiceOptions,
  by: Reader,
  at: { place: ReadableFeed; after: bigint; limit: number; empty: boolean },
): Promise<DisclosedPage | undefined> {
  const { place, limit } = at
  const feed = place.feed_id
  return asParticipant(options.db, by.participant, async (tx) => {
    // Also of a reader that was waiting when it was paused.
    refusePaused(options.directory, feed)
    const head = await store.headOf(tx, feed)
    if (head === undefined) throw new Refusal('not-found')
    const after = later(at.after, place.from_seq - 1n)
    // Behind what a restored database has: what comes there next is not what the reader had.
    const beyond = at.after >= head.next_seq && at.after >= place.from_seq
    if (beyond || after < head.retained_from - 1n) throw new Refusal('cursor-expired')
    const { rows, until_seq } = await rowsFor(tx, by, { place, after, limit })
    if (rows.length === 0 && !at.empty) return undefined
    options.provenance.admit()
    const seq = rows.at(-1)?.seq ?? after
    const cursor = encodeCursor(options.cursorKey, { feed, seq })
    const proofs = await proofsOf(tx, feed, shownOf(options, feed, rows))
    const body = pageBody({ rows, proofs, cursor, more: seq < lastOf({ until_seq }, head) })
    // An empty page gives nothing out, and a waiting reader would fill the journal with it.
    if (rows.length === 0) return { body, cursor, read: '' }
    const page = { by, feed, digest: toBase64Url(sha256(Buffer.from(body))), rows, after, seq }
    const signature = await signedDelta(options, { ...page, from: after + 1n, to: seq })
    return { body, cursor, read: await journalPage(options, tx, page), signature }
  })
}

type Row = Awaited<ReturnType<typeof store.entriesAfter>>[number]

/** Of a reader that has just left, nothing that came behind that: its stay is asked for after the entries. */
async function rowsFor(
  tx: Tx,
  { participant }: Reader,
  { place, after, limit }: { place: ReadableFeed; after: bigint; limit: number },
): Promise<{ rows: Row[]; until_seq: bigint | null }> {
  const found = await store.entriesAfter(tx, place.feed_id, { after, until: place.until_seq, limit })
  if (found.length === 0) return { rows: found, until_seq: place.until_seq }
  const until_seq = await store.untilOf(tx, place.feed_id, participant)
  return { rows: found.filter(({ seq }) => until_seq === null || seq <= until_seq), until_seq }
}

async function journalPage(
  { directory, provenance, onPage }: FeedServiceOptions,
  tx: Tx,
  page: { by: Reader; feed: Uuid; digest: string; rows: readonly Row[]; after: bigint; seq: bigint },
): Promise<string> {
  const { by, feed, digest, rows, after, seq } = page
  const read = provenance.prepareRead({
    route: by.route,
    as_of: { feed, from: String(after + 1n), to: String(seq) },
    n: rows.length,
    body: digest,
    // What is sealed is disclosed when it is opened; here it only counts.
    sources: directory.isSealed(feed) ? [] : bySource(rows, directory.slugOf),
  })
  const [name = ''] = await provenance.insertReads(tx, by.participant, [read])
  onPage(rows.length)
  return name
}

/** What the events of a page are proven by; of a sealed feed only the ends show what it is. */
const shownOf = ({ directory }: FeedServiceOptions, feed: Uuid, rows: readonly Row[]): readonly Row[] =>
  directory.isSealed(feed) ? rows.filter(({ kind }) => CLEAR_KINDS.has(kind)) : rows

async function proofsOf(tx: Tx, feed: Uuid, rows: readonly { submission_id: Uuid }[]): Promise<string[]> {
  const ids = [...new Set(rows.map((row) => row.submission_id))]
  return ids.length === 0 ? [] : (await store.submissionBodies(tx, feed, ids)).map(({ body }) => body)
}

function acknowledge(
  options: FeedServiceOptions,
  by: Reader,
  { feed, ack }: { feed: Uuid; ack: Acknowledgement },
): Promise<{ feed: Uuid; upto: string }> {
  const { db, clock, directory, provenance } = options
  return asParticipant(db, by.participant, async (tx) => {
    const place = readable(options, by, feed)
    const upto = BigInt(ack.upto)
    const head = await store.headOf(tx, feed)
    if (head === undefined || upto > lastOf(place, head)) {
      throw new Refusal('validation-failed', { errors: [{ pointer: '/upto', code: 'validation-failed' }] })
    }
    const stage = ACK_STAGE[ack.stage]
    const event_id = newId(clock())
    const own = { participant_id: by.participant, feed_id: feed, stage, last_event: event_id }
    if (upto > 0n) await ackStore.beginAck(tx, own)
    const before = (await ackStore.ackOf(tx, by.participant, feed, stage))?.seq ?? 0n
    if (upto <= before) return { feed, upto: String(before) }
    const after = later(before, place.from_seq - 1n)
    const ends = await ackStore.endsBySource(tx, feed, { after, upto, kinds: END_KINDS })
    await ackStore.upsertAck(tx, { ...own, seq: upto })
    await provenance.record(tx, {
      ...{ kind: 'tombstone.acked', event_id, participant_id: by.participant, at: clock(), actor: by.slug },
      fields: { feed, upto: ack.upto, stage: ack.stage },
      sources: ends.map(({ origin, n }) => ({ party: directory.slugOf(origin), n: Number(n) })),
    })
    return { feed, upto: ack.upto }
  })
}

import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url, toHex } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { coalesce } from '../kernel/coalesce.ts'
import { decodeCursor, encodeCursor } from '../kernel/cursor.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { PreparedRead, ProvenanceService, ReadItem, ReadSource } from '../provenance/service.ts'
import { SIGNAL_TYPE, type SignalType } from '../signals/schema.ts'
import type { FeedDirectory, ReadableFeed } from './directory.ts'
import { ENDS, EVENT_KIND } from './entry.ts'
import type { Growth } from './growth.ts'
import {
  ACK_STAGE,
  type Acknowledgement,
  type EventsQuery,
  type FeedList,
  LOOKUP_MAX,
  type Lookup,
  PAGE_MAX,
} from './schema.ts'
import * as store from './store.ts'

/** Who reads, as the connection proved it. */
export interface Reader {
  participant: Uuid
  slug: string
  /** Where the answer goes out: the route. */
  route: string
}

/** An answer as bytes that were serialised once, with the name of its entry in the read journal. */
export interface Disclosed {
  body: string | Buffer
  /** `<journal row>.<place> <base64url commitment>`, sent as `Provenance-Read`. */
  read: string
}

export interface FeedService {
  feeds(by: Reader): Promise<FeedList>
  /** A page of events in dense order; waits up to `wait` seconds for the first new one. */
  events(by: Reader, feed: Uuid, query: EventsQuery, signal?: AbortSignal): Promise<Disclosed>
  /** A sealed segment: NDJSON under brotli, made once. */
  segment(by: Reader, feed: Uuid, first_seq: bigint): Promise<Disclosed & { cursor: string }>
  /** Live signals behind up to 1,000 keys; what may not be seen is not there. */
  lookUp(by: Reader, lookup: Lookup): Promise<Disclosed>
  /** The participant has dealt with every end up to a sequence. */
  acknowledge(by: Reader, feed: Uuid, ack: Acknowledgement): Promise<{ feed: Uuid; upto: string }>
  /** Whether something of a submission stands in a feed where the participant may read it. */
  received(participant: Uuid, submission_id: Uuid): Promise<boolean>
}

export interface FeedServiceOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  directory: FeedDirectory
  growth: Growth
  /** MACs cursors, so that one made for another feed or by another node is refused. */
  cursorKey: Uint8Array
  /** Told of each page with something on it, and of each look-up. */
  onPage(events: number): void
  onLookup(keys: number, matches: number): void
}

type Entry = Awaited<ReturnType<typeof store.entriesAfter>>[number]

interface Asked {
  by: Reader
  lookup: Lookup
}

const END_KINDS = [...ENDS].map((type) => EVENT_KIND[type])
/** Keys of one look-up transaction. */
const KEYS_AT_ONCE = 4_000

export function createFeedService(options: FeedServiceOptions): FeedService {
  const { db, clock, directory, growth, cursorKey, provenance } = options

  const lookUp = coalesce<string, Asked, Disclosed>((_, group) => lookUpTogether(options, group), {
    maxWeight: KEYS_AT_ONCE,
    weight: ({ lookup }) => countKeys(lookup),
    concurrency: 2,
    maxWaiting: 4_096,
    refuse: () => new Refusal('busy', { retryAfter: 1 }),
  })

  const readable = (participant: Uuid, feed: Uuid): ReadableFeed => {
    const found = directory.feedsOf(participant).find(({ feed_id }) => feed_id === feed)
    if (found === undefined) throw new Refusal('not-found')
    return found
  }

  return {
    feeds: (by) =>
      asParticipant(db, by.participant, async (tx) => {
        const feeds = directory.feedsOf(by.participant)
        const heads = await store.headsOf(
          tx,
          feeds.map(({ feed_id }) => feed_id),
        )
        const headOf = new Map(heads.map((head) => [head.feed_id, head]))
        return { feeds: feeds.flatMap((feed) => describe(feed, headOf.get(feed.feed_id), cursorKey)) }
      }),

    async events(by, feed, query, signal) {
      const place = readable(by.participant, feed)
      const after = query.cursor === undefined ? place.from_seq - 1n : cursorAt(cursorKey, feed, query.cursor)
      const limit = query.limit ?? PAGE_MAX
      const deadline = clock().getTime() + (query.wait ?? 0) * 1000
      for (;;) {
        const grown = growth.next(feed)
        try {
          const answer = await pageOf(options, by, { place, after, limit, empty: clock().getTime() >= deadline })
          if (answer !== undefined) return answer
          await growth.wait(grown, deadline - clock().getTime(), signal)
        } finally {
          grown.cancel()
        }
      }
    },

    segment: (by, feed, first_seq) =>
      asParticipant(db, by.participant, async (tx) => {
        const place = readable(by.participant, feed)
        const row = await store.segmentAt(tx, feed, first_seq)
        const last = first_seq + BigInt(row?.n ?? 0) - 1n
        const outside = first_seq < place.from_seq || (place.until_seq !== null && last > place.until_seq)
        if (row === undefined || outside) throw new Refusal('not-found')
        provenance.admit()
        const sources = JSON.parse(row.sets) as [string, number, string][]
        const read = provenance.prepareSegmentRead({
          route: by.route,
          as_of: { feed, from: String(first_seq), to: String(last) },
          n: row.n,
          body: toBase64Url(row.digest),
          set_salt: row.set_salt,
          sources: sources.map(([party, n, root]) => ({ party, n, root })),
        })
        const [name] = await provenance.insertReads(tx, by.participant, [read])
        return { body: row.bytes, read: name ?? '', cursor: encodeCursor(cursorKey, { feed, seq: last }) }
      }),

    async lookUp(by, lookup) {
      if (countKeys(lookup) > LOOKUP_MAX) {
        throw new Refusal('page-limit', { detail: 'ask for at most 1,000 keys a call', extra: { limit: LOOKUP_MAX } })
      }
      provenance.admit()
      return lookUp(by.participant, { by, lookup })
    },

    received: (participant, submission_id) =>
      asParticipant(db, participant, async (tx) => {
        for (const { feed_id, from_seq, until_seq } of directory.feedsOf(participant)) {
          if (await store.holdsSubmission(tx, feed_id, { submission_id, from_seq, until_seq })) return true
        }
        return false
      }),

    acknowledge: (by, feed, ack) =>
      asParticipant(db, by.participant, async (tx) => {
        readable(by.participant, feed)
        const upto = BigInt(ack.upto)
        const head = await store.headOf(tx, feed)
        if (head === undefined || upto >= head.next_seq) {
          throw new Refusal('validation-failed', { errors: [{ pointer: '/upto', code: 'validation-failed' }] })
        }
        const stage = ACK_STAGE[ack.stage]
        const before = (await store.ackOf(tx, by.participant, feed, stage))?.seq ?? 0n
        if (upto <= before) return { feed, upto: String(before) }
        const event_id = newId(clock())
        const ends = await store.endsBySource(tx, feed, { after: before, upto, kinds: END_KINDS })
        await store.upsertAck(tx, {
          participant_id: by.participant,
          feed_id: feed,
          stage,
          seq: upto,
          last_event: event_id,
        })
        await provenance.record(tx, {
          kind: 'tombstone.acked',
          event_id,
          participant_id: by.participant,
          at: clock(),
          actor: by.slug,
          fields: { feed, upto: ack.upto, stage: ack.stage },
          sources: ends.map(({ origin, n }) => ({ party: directory.slugOf(origin), n: Number(n) })),
        })
        return { feed, upto: ack.upto }
      }),
  }
}

function describe(
  feed: ReadableFeed,
  head: { next_seq: bigint; retained_from: bigint; sealed_seq: bigint } | undefined,
  key: Uint8Array,
): FeedList['feeds'] {
  if (head === undefined) return []
  const from = feed.from_seq > head.retained_from ? feed.from_seq : head.retained_from
  const last = feed.until_seq ?? head.next_seq - 1n
  return [
    {
      feed: feed.feed_id,
      kind: feed.kind,
      audience: feed.audience_id,
      label: feed.label,
      from_seq: String(from),
      last_seq: String(last),
      sealed_seq: String(head.sealed_seq),
      start: encodeCursor(key, { feed: feed.feed_id, seq: from - 1n }),
    },
  ]
}

function cursorAt(key: Uint8Array, feed: Uuid, text: string): bigint {
  const cursor = decodeCursor(key, text)
  if (cursor.feed !== feed) throw new Refusal('invalid-cursor', { detail: 'this cursor belongs to another feed' })
  return cursor.seq
}

/** One page, journaled before it is given out; undefined where there is nothing yet and the caller may wait. */
async function pageOf(
  { db, directory, cursorKey, provenance, onPage }: FeedServiceOptions,
  by: Reader,
  at: { place: ReadableFeed; after: bigint; limit: number; empty: boolean },
): Promise<Disclosed | undefined> {
  const { place, limit } = at
  const feed = place.feed_id
  return asParticipant(db, by.participant, async (tx) => {
    const head = await store.headOf(tx, feed)
    if (head === undefined) throw new Refusal('not-found')
    const after = at.after < place.from_seq - 1n ? place.from_seq - 1n : at.after
    if (after < head.retained_from - 1n) throw new Refusal('cursor-expired')
    const rows = await store.entriesAfter(tx, feed, { after, until: place.until_seq, limit })
    if (rows.length === 0 && !at.empty) return undefined
    provenance.admit()
    const proofs = await proofsOf(tx, feed, rows)
    const last = rows.at(-1)?.seq ?? after
    const end = place.until_seq ?? head.next_seq - 1n
    const cursor = encodeCursor(cursorKey, { feed, seq: last })
    const body = `{"events":[${rows.map((row) => row.body).join(',')}],"submissions":[${proofs.join(',')}],"next_cursor":"${cursor}","more":${last < end}}`
    // An empty page gives nothing out, and a waiting reader would fill the journal with it.
    if (rows.length === 0) return { body, read: '' }
    const read = provenance.prepareRead({
      route: by.route,
      as_of: { feed, from: String(after + 1n), to: String(last) },
      n: rows.length,
      body: toBase64Url(sha256(Buffer.from(body))),
      sources: bySource(rows, directory),
    })
    const [name] = await provenance.insertReads(tx, by.participant, [read])
    onPage(rows.length)
    return { body, read: name ?? '' }
  })
}

async function proofsOf(tx: Tx, feed: Uuid, rows: readonly { submission_id: Uuid }[]): Promise<string[]> {
  const ids = [...new Set(rows.map((row) => row.submission_id))]
  return ids.length === 0 ? [] : (await store.submissionBodies(tx, feed, ids)).map(({ body }) => body)
}

/** The per-source sets of an answer, in its order (provenance: read sets). */
export function bySource(
  rows: readonly { origin: Uuid; signal_id: Uuid; revision: number }[],
  directory: FeedDirectory,
): ReadSource[] {
  const items = new Map<Uuid, ReadItem[]>()
  for (const { origin, signal_id, revision } of rows) {
    const own = items.get(origin) ?? []
    own.push({ signal: signal_id, revision })
    items.set(origin, own)
  }
  return [...items].map(([origin, own]) => ({ party: directory.slugOf(origin), items: own }))
}

/** One transaction for the look-ups of one participant that came together; each has its own journal entry. */
async function lookUpTogether(options: FeedServiceOptions, group: readonly Asked[]): Promise<Disclosed[]> {
  const { db, clock, directory, provenance } = options
  const participant = group[0]?.by.participant
  if (participant === undefined) return []
  return asParticipant(
    db,
    participant,
    async (tx) => {
      const keys = group.flatMap(({ lookup }) => lookup.queries.flatMap((query) => query.keys))
      // Asked for in this order on one connection, so the index is none that the rows have not reached.
      const [as_of, rows] = await Promise.all([
        provenance.projected(tx),
        store.lookUp(
          tx,
          keys.map((key) => Buffer.from(key, 'hex')),
          clock(),
        ),
      ])
      const found = await entriesOf(tx, rows)
      const byKey = Map.groupBy(rows, (row) => toHex(row.signal_key))
      const answers = group.map(({ by, lookup }) => {
        const hits = lookup.queries.flatMap(({ type, profile, keys: own }) =>
          own.flatMap((key) =>
            (byKey.get(key) ?? [])
              .filter((row) => row.type === SIGNAL_TYPE[type as SignalType] && row.profile === profile)
              .flatMap((row) => {
                const entry = found.entries.get(`${row.feed_id}/${row.seq}`)
                return entry === undefined ? [] : [{ key, entry }]
              }),
          ),
        )
        const cited = new Set(hits.map(({ entry }) => entry.submission_id))
        const matches = hits.map(({ key, entry }) => `{"key":"${key}","event":${entry.body}}`)
        const proofs = [...cited].flatMap((id) => found.proofs.get(id) ?? [])
        const body = `{"as_of":"${as_of}","asked":${countKeys(lookup)},"matches":[${matches.join(',')}],"submissions":[${proofs.join(',')}]}`
        const read = provenance.prepareRead({
          route: by.route,
          as_of: { log: String(as_of) },
          n: hits.length,
          body: toBase64Url(sha256(Buffer.from(body))),
          asked: lookup.queries.flatMap((query) => query.keys),
          purpose: lookup.purpose,
          sources: bySource(
            hits.map(({ entry }) => entry),
            directory,
          ),
        })
        options.onLookup(countKeys(lookup), hits.length)
        return { body, read }
      })
      const names = await provenance.insertReads(
        tx,
        participant,
        answers.map(({ read }): PreparedRead => read),
      )
      return answers.map(({ body }, i) => ({ body, read: names[i] ?? '' }))
    },
    { timeoutMs: 2_000 },
  )
}

async function entriesOf(tx: Tx, rows: readonly { feed_id: Uuid; seq: bigint }[]) {
  const entries = new Map<string, Entry>()
  const proofs = new Map<Uuid, string>()
  for (const [feed, own] of Map.groupBy(rows, ({ feed_id }) => feed_id)) {
    const found = await store.entriesAt(
      tx,
      feed,
      own.map(({ seq }) => seq),
    )
    for (const entry of found) entries.set(`${feed}/${entry.seq}`, entry)
    const ids = [...new Set(found.map(({ submission_id }) => submission_id))]
    for (const { submission_id, body } of await store.submissionBodies(tx, feed, ids)) proofs.set(submission_id, body)
  }
  return { entries, proofs }
}

const countKeys = ({ queries }: Lookup): number => queries.reduce((n, { keys }) => n + keys.length, 0)

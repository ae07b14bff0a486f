import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { isUuid, timeOf, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { readOnlyKey } from '../signals/lint.ts'
import { SIGNAL_TYPE, type SignalItem } from '../signals/schema.ts'
import { bySource, type Disclosed, type Reader } from './answer.ts'
import { readAsOf } from './as-of.ts'
import type { FeedDirectory } from './directory.ts'
import { type RevisionPlace, WORDS_TYPES, type WordsInfo, type WordsList, type WordsQuery } from './pattern-schema.ts'
import * as patternStore from './pattern-store.ts'
import * as store from './store.ts'

/** Patterns and tactics as people read them, for who they are shared with; each answer is a logged read. */
export interface PatternReads {
  /** A page, the newest first. */
  patterns(by: Reader, query: WordsQuery): Promise<Disclosed>
  /** One of them by its codes, as `WordsInfo`. */
  pattern(by: Reader, of: { source: string; signal: Uuid }): Promise<Disclosed>
  /** Its revisions that the reader may reveal, the newest first. Nothing of them is told but their number and time. */
  revisions(by: Reader, of: { source: string; signal: Uuid }): Promise<RevisionPlace[]>
}

export interface PatternReadsOptions {
  db: Db
  /** Reads which submissions brought the revisions of others. */
  ledger: Db
  clock: Clock
  provenance: ProvenanceService
  directory: FeedDirectory & { participantBySlug(slug: string): { participant_id: Uuid } | undefined }
  /** Of each statement. */
  timeoutMs: number
}

const PAGE = 50
const REVISIONS_MAX = 20

export function createPatternReads(options: PatternReadsOptions): PatternReads {
  const { db, provenance, timeoutMs } = options
  return {
    patterns: (by, query) => {
      provenance.admit()
      return asParticipant(db, by.participant, (tx) => givePage(options, tx, { by, query }), { timeoutMs })
    },
    pattern: (by, of) => {
      provenance.admit()
      return asParticipant(db, by.participant, (tx) => giveOne(options, tx, { by, of }), { timeoutMs })
    },
    revisions: async (by, of) => {
      const origin = originOf(options, of.source)
      const told = await patternStore.revisionsOf(options.ledger, origin, of.signal, REVISIONS_MAX)
      const places = new Map<Uuid, bigint>()
      for (const { submission_id } of told) {
        const place = await provenance.placeOfEvent(submission_id)
        if (place !== undefined) places.set(submission_id, place)
      }
      return asParticipant(db, by.participant, (tx) => placesOf(options, tx, { by, origin, of, told, places }), {
        timeoutMs,
      })
    },
  }
}

function originOf({ directory }: PatternReadsOptions, source: string): Uuid {
  const origin = directory.participantBySlug(source)?.participant_id
  if (origin === undefined) throw new Refusal('not-found')
  return origin
}

async function givePage(
  options: PatternReadsOptions,
  tx: Tx,
  { by, query }: { by: Reader; query: WordsQuery },
): Promise<Disclosed> {
  const { clock, provenance } = options
  const filter = {
    type: query.type === undefined ? undefined : SIGNAL_TYPE[query.type],
    origin: query.source === undefined ? undefined : originOf(options, query.source),
  }
  const before = query.cursor === undefined ? undefined : placeIn(query.cursor)
  const { as_of, placed } = await readAsOf(async () => ({
    as_of: await provenance.projected(tx),
    placed: await patternStore.wordsPage(tx, { filter, before, now: clock(), limit: PAGE + 1 }),
  }))
  const page = placed.slice(0, PAGE)
  const last = page.at(-1)
  // A list is given out of feeds; what is asked for by its id is a look-up, and goes on.
  const rows = page.filter(({ feed_id }) => !options.directory.isPaused(feed_id))
  const next = placed.length > PAGE && last !== undefined ? `${last.signal_id}.${last.origin}` : null
  const patterns = await infosOf(options, tx, rows)
  return disclose(options, tx, { by, as_of, rows, body: { patterns, next } satisfies WordsList })
}

function placeIn(cursor: string): { signal: Uuid; origin: Uuid } {
  const [signal = '', origin = '', ...more] = cursor.split('.')
  if (!isUuid(signal) || !isUuid(origin) || more.length > 0)
    throw new Refusal('invalid-cursor', { detail: 'start without a cursor' })
  return { signal, origin }
}

async function giveOne(
  options: PatternReadsOptions,
  tx: Tx,
  { by, of }: { by: Reader; of: { source: string; signal: Uuid } },
): Promise<Disclosed> {
  const { clock, provenance } = options
  const origin = originOf(options, of.source)
  const { as_of, placed } = await readAsOf(async () => ({
    as_of: await provenance.projected(tx),
    placed: await patternStore.wordsOf(tx, { origin, keys: keysOf(of.signal), now: clock() }),
  }))
  const [info] = await infosOf(options, tx, placed)
  if (info === undefined) throw new Refusal('not-found')
  return disclose(options, tx, { by, as_of, rows: placed, body: info })
}

/** What is read and not looked up is keyed by its type and id. */
const keysOf = (signal: Uuid): Uint8Array[] => WORDS_TYPES.map((type) => readOnlyKey(sha256, type, signal))

type Row = Awaited<ReturnType<typeof patternStore.wordsPage>>[number]

async function infosOf({ directory }: PatternReadsOptions, tx: Tx, rows: readonly Row[]): Promise<WordsInfo[]> {
  const bodies = new Map<string, string>()
  for (const [feed_id, own] of Map.groupBy(rows, (row) => row.feed_id)) {
    const seqs = own.map(({ seq }) => seq)
    for (const { seq, body } of await store.entriesAt(tx, feed_id, seqs)) bodies.set(`${feed_id}/${seq}`, body)
  }
  return rows.flatMap((row) => {
    const { item } = JSON.parse(bodies.get(`${row.feed_id}/${row.seq}`) ?? '{}') as { item?: string }
    return item === undefined ? [] : infoOf(row, JSON.parse(item) as SignalItem, directory.slugOf(row.origin))
  })
}

function infoOf(row: Row, item: SignalItem, source: string): WordsInfo[] {
  if (item.type !== 'keyword_pattern' && item.type !== 'tactic') return []
  const { category, severity, basis, confidence, observed_at, expires_at } = item
  return [
    {
      ...{ source, signal: row.signal_id, type: item.type, revision: row.revision },
      ...{ category, severity, basis, confidence, observed_at, expires_at },
      ...(item.type === 'keyword_pattern' && { kind: item.value.kind, language: item.value.language }),
    },
  ]
}

async function disclose(
  { provenance, directory }: PatternReadsOptions,
  tx: Tx,
  { by, as_of, rows, body }: { by: Reader; as_of: bigint; rows: readonly Row[]; body: object },
): Promise<Disclosed> {
  const text = JSON.stringify(body)
  if (rows.length === 0) return { body: text, read: '' }
  const read = provenance.prepareRead({
    ...{ route: by.route, as_of: { log: String(as_of) }, n: rows.length, purpose: 'review' },
    body: toBase64Url(sha256(Buffer.from(text))),
    sources: bySource(rows, directory.slugOf),
  })
  const [name = ''] = await provenance.insertReads(tx, by.participant, [read])
  return { body: text, read: name }
}

/** Row-level security and the reader's own part of each feed say which of them there are. */
async function placesOf(
  { directory }: PatternReadsOptions,
  tx: Tx,
  asked: {
    by: Reader
    origin: Uuid
    of: { signal: Uuid }
    told: readonly { revision: number; submission_id: Uuid }[]
    places: ReadonlyMap<Uuid, bigint>
  },
): Promise<RevisionPlace[]> {
  const { by, origin, of, told, places } = asked
  const found: RevisionPlace[] = []
  const feeds = directory
    .feedsOf(by.participant)
    .filter(({ kind, feed_id }) => kind === 'audience' && !directory.isSealed(feed_id))
  for (const { feed_id, from_seq, until_seq } of feeds) {
    for (const { revision, submission_id } of told) {
      const place = places.get(submission_id)
      if (place === undefined || found.some((one) => one.revision === revision)) continue
      const [from, to] = [await store.firstAt(tx, feed_id, place), await store.firstAt(tx, feed_id, place + 1n)]
      const rows = await store.eventsOf(tx, feed_id, { origin, signal: of.signal, from, to: to - 1n })
      const row = rows.find((one) => one.revision === revision)
      if (row === undefined || row.seq < from_seq || (until_seq !== null && row.seq > until_seq)) continue
      found.push({ revision, at: new Date(timeOf(submission_id)), feed: feed_id, seq: row.seq })
    }
  }
  return found.sort((a, b) => b.revision - a.revision)
}

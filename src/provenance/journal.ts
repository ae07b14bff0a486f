import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { dayOf } from '../kernel/day.ts'
import { newId, type Uuid, uuidBytes } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { sha256Rows } from '../kernel/sha256-rows.ts'
import type { KeyService } from '../keys/service.ts'
import { askedDigest } from './asked.ts'
import { decoySource } from './decoys.ts'
import { disclosuresOf, type NewEvent } from './events.ts'
import * as journalStore from './journal-store.ts'
import {
  commitmentsIn,
  commitRead,
  disclosedBy,
  type KeptItems,
  keptUnlessLost,
  type SourceSet,
  sealParts,
} from './kept-read.ts'
import { auditPath, leafHash } from './merkle.ts'
import { type Flushed, flushReads, SOURCES_IN_BATCH } from './read-batch.ts'
import { type ReadItem, setRoot } from './readset.ts'
import { epochKey, epochOf, type Opened } from './record.ts'

/** What an answer gives out of one source. */
export interface ReadSource {
  party: string
  items: readonly ReadItem[]
}

/** One read as it is journaled; hashes stand for what was asked and answered. */
export interface Read {
  route: string
  /** How far the answer looked: a feed and its sequence, or the log. */
  as_of: Readonly<Record<string, string>>
  n: number
  /** SHA-256 of the answer, base64url. */
  body: string
  /** Keys asked for, of which their number and a salted digest are kept: who asked can prove for what. */
  asked?: readonly string[]
  purpose?: string
  sources: readonly ReadSource[]
}

/** A read of a sealed segment, whose sets were made when it was sealed. */
export interface SegmentRead extends Omit<Read, 'sources' | 'asked'> {
  set_salt: Uint8Array
  sources: readonly SourceSet[]
}

/** An inner record: committed, not yet stored. */
export interface PreparedRead {
  c: Uint8Array
  /** What the journal keeps of it. */
  kept: string
  sources: readonly SourceSet[]
}

/** Reads of one row. */
const READS_IN_ROW = 512

export interface Journal {
  prepareRead(read: Read): PreparedRead
  prepareSegmentRead(read: SegmentRead): PreparedRead
  /** Writes the reads; the caller's COMMIT comes before the first byte leaves. Answers each read's name. */
  insertReads(tx: Tx, participant: Uuid, reads: readonly PreparedRead[]): Promise<string[]>
  /** Turns what one participant read since the last time into one log event, as far as it fits into one. */
  flush(participant: Uuid, slug: string): Promise<Flushed>
  pending(): Promise<Uuid[]>
  /** The inner record of one's own read with its place in its batch; `waiting` for its batch, undefined if there is none or no key to it. */
  inner(participant: Uuid, name: string): Promise<InnerRead | 'waiting' | undefined>
}

export interface InnerRead {
  event_id: Uuid
  payload: string
  opened: Opened[]
  index: number
  size: number
  path: Uint8Array[]
}

export interface JournalOptions {
  db: Db
  /** Reads every participant's pending rows. */
  ledger: Db
  clock: Clock
  keys: KeyService
  origin: string
  salt: () => Uint8Array
  /** Of 32 bytes, base64url. */
  saltText: () => string
  record(tx: Tx, event: NewEvent): Promise<unknown>
}

export function createJournal(options: JournalOptions): Journal {
  const { db, clock, keys, salt, saltText } = options
  const making = { salt: saltText, take: decoySource(saltText) }
  return {
    prepareRead(read) {
      const set_salt = salt()
      const items = read.sources.map(({ party, items: own }): KeptItems[number] => [
        party,
        ...own.map(({ signal, revision }) => [signal, revision] as const),
      ])
      // A feed's items stand in the feed; a look-up's stand nowhere else.
      const kept = 'feed' in read.as_of ? [] : items
      return prepare(making, { ...read, set_salt, sources: sourceSets(set_salt, read.sources) }, kept)
    },
    prepareSegmentRead: (read) => prepare(making, read, []),
    async insertReads(tx, participant, reads) {
      const names: string[] = []
      for (const some of inRows(reads)) {
        const row = journalRow(participant, some, { now: clock(), keys })
        await journalStore.insertJournal(tx, row)
        names.push(...some.map(({ c }, i) => `${row.journal_id}.${i} ${toBase64Url(c)}`))
      }
      return names
    },
    flush: (participant, slug) =>
      asParticipant(db, participant, (tx) => flushReads(tx, options, { participant, slug })),
    pending: async () =>
      (await journalStore.participantsPending(options.ledger)).map(({ participant_id }) => participant_id),
    inner: (participant, name) => innerOf(options, participant, name),
  }
}

/** Each source's set root under one salt. */
export const sourceSets = (salt: Uint8Array, sources: readonly ReadSource[]): SourceSet[] =>
  sources.map(({ party, items }) => ({
    party,
    n: items.length,
    root: toBase64Url(setRoot(sha256, salt, party, items, sha256Rows)),
  }))

function prepare(
  making: Parameters<typeof commitRead>[2],
  read: SegmentRead & { asked?: readonly string[] },
  /** What the proof of one item needs and a feed's sequence does not tell. */
  items: KeptItems,
): PreparedRead {
  const { route, as_of, n, body, purpose, set_salt, sources, asked } = read
  const fields = {
    route,
    channel: 'api',
    as_of,
    n,
    body,
    asked: asked && { n: asked.length, digest: toBase64Url(askedDigest(sha256, set_salt, asked)) },
    purpose,
    set_salt: toBase64Url(set_salt),
  }
  const committed = disclosuresOf({
    kind: 'read',
    event_id: NO_EVENT,
    participant_id: NO_EVENT,
    at: NO_TIME,
    fields,
    sources: sources.map((own) => ({ ...own })),
  })
  return { ...commitRead(committed, items, making), sources }
}

const NO_EVENT = '00000000-0000-0000-0000-000000000000' as Uuid
const NO_TIME = new Date(0)

function journalRow(
  participant_id: Uuid,
  reads: readonly PreparedRead[],
  { now, keys }: { now: Date; keys: KeyService },
): journalStore.JournalRow {
  const journal_id = newId(now)
  const epoch = epochOf(now)
  return {
    participant_id,
    day: dayOf(now),
    journal_id,
    at: now,
    n: reads.length,
    c: Buffer.concat(reads.map(({ c }) => c)),
    body: keys.seal(epochKey(epoch), Buffer.from(`[${reads.map(({ kept }) => kept).join()}]`), uuidBytes(journal_id)),
    epoch,
    parts: sealParts(
      keys,
      { epoch, journal_id },
      reads.map(({ sources }) => sources),
    ),
  }
}

/** Reads in their order, in rows that one batch takes; a read of more sources than that stands alone. */
function inRows(reads: readonly PreparedRead[]): PreparedRead[][] {
  const rows: PreparedRead[][] = []
  let sources = new Set<string>()
  for (const read of reads) {
    const own = read.sources.map(({ party }) => party)
    const row = rows.at(-1)
    const together = row === undefined ? sources : new Set([...sources, ...own])
    if (row !== undefined && row.length < READS_IN_ROW && together.size <= SOURCES_IN_BATCH) {
      row.push(read)
      sources = together
    } else {
      rows.push([read])
      sources = new Set(own)
    }
  }
  return rows
}

async function innerOf(
  { ledger, keys }: JournalOptions,
  participant: Uuid,
  name: string,
): Promise<InnerRead | 'waiting' | undefined> {
  const [journal_id = '', place = ''] = name.split('.')
  const row = await journalStore.journalRow(ledger, participant, journal_id as Uuid)
  if (row === undefined || Number(place) >= row.n) return undefined
  if (row.batch_no === null || row.batch_at === null) return 'waiting'
  const batch = await journalStore.readBatch(ledger, participant, row.batch_no)
  const kept = keptUnlessLost(keys, row)?.[Number(place)]
  if (batch === undefined || kept === undefined) return undefined
  const rows = await journalStore.batchCommitments(ledger, participant, row.batch_no)
  const leaves = rows.flatMap(({ c }) => commitmentsIn(c)).map((c) => leafHash(sha256, c))
  const index = row.batch_at + Number(place)
  const { event_id, n } = batch
  return {
    event_id,
    ...disclosedBy(kept),
    index,
    size: n,
    path: auditPath(sha256, leaves, index),
  }
}

import type { Db } from '../db/connect.ts'
import { equal, toBase64Url } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import { type BatchEntry, decodeEntry } from './batch.ts'
import { chainDigest, chainDisclosure, decoyDigest } from './chain.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { mayOpen, type Viewer } from './events.ts'
import type { Journal } from './journal.ts'
import { formatVkey, parseNote } from './note.ts'
import { consistencyProof, inclusionProof, type ReadTile } from './proof.ts'
import { formatReceipt, type ReceiptExtra } from './receipt.ts'
import { type Opened, openRecord } from './record.ts'
import * as store from './store.ts'
import { decodeEdges, parseTilePath, TILE_WIDTH, tileWidth } from './tile.ts'

/** Who asks for a receipt. */
export interface Holder {
  participant: Uuid
  slug: string
  auditor: boolean
}

export interface Published {
  size: bigint
  root: Uint8Array
  note: string
  at: Date
}

/** A receipt, or that its checkpoint is still to come. */
export type Given = { outcome: 'receipt'; text: string } | { outcome: 'pending' }

/** The log as it is given out: only what a signed checkpoint covers. */
export interface Ledger {
  /** Newest signed checkpoint; undefined before the first. */
  checkpoint(): Promise<Published | undefined>
  /** The key that checkpoints are verified with (C2SP signed-note). */
  vkey(): string
  /** Bytes of a tile path below `/provenance/<log_id>/`; `not-found` beyond the published size. */
  tile(path: string): Promise<Uint8Array>
  /** Audit path of an entry in a published size; `not-found` beyond it. */
  inclusion(index: bigint, size: bigint): Promise<Uint8Array[]>
  consistency(from: bigint, to: bigint): Promise<Uint8Array[]>
  /** For a party, a recipient or an auditor; `not-found` for everyone else, as for what never was. */
  receipt(holder: Holder, event_id: Uuid): Promise<Given>
  /** Of one of the holder's own reads, by the journal row and its place there. */
  readReceipt(holder: Holder, journal_id: Uuid, place: number): Promise<Given>
}

export interface LedgerOptions {
  /** Logs in as `aldis_ledger`. */
  db: Db
  keys: KeyService
  journal: Journal
  logId: number
  origin: string
  kid: string
  /** Whether a signal of the event was disclosed to the participant. */
  isRecipient(participant: Uuid, event_id: Uuid): Promise<boolean>
}

/** A record with its place in the log and what its entry is made of. */
interface Placed {
  index: bigint
  entry: BatchEntry
  payload: string
  opened: Opened[]
}

export function createLedger(options: LedgerOptions): Ledger {
  const { db, keys, journal, logId, origin, kid } = options

  const checkpoint = async (): Promise<Published | undefined> => {
    const row = await store.latestCheckpoint(db, logId)
    if (row === undefined) return undefined
    const parsed = parseCheckpoint(parseNote(row.note)?.text ?? '')
    if (parsed === undefined) throw new Error('a stored checkpoint is malformed')
    return { size: row.size, root: parsed.root, note: row.note, at: row.at }
  }

  const published = async (size: bigint): Promise<void> => {
    const latest = await checkpoint()
    if (latest === undefined || size > latest.size) throw new Refusal('not-found')
  }

  /** The receipt over the newest checkpoint, which must cover the record. */
  const given = async (
    placed: Placed,
    holder: Holder,
    viewer: Viewer,
    inner?: ReceiptExtra['inner'],
  ): Promise<Given> => {
    const latest = await checkpoint()
    if (latest === undefined || placed.index >= latest.size) return { outcome: 'pending' }
    const path = await inclusionProof(sha256, await tilesNow(options), placed.index, latest.size)
    const extra = { ...extraFor(placed, holder, viewer), ...(inner === undefined ? {} : { inner }) }
    return { outcome: 'receipt', text: formatReceipt({ extra, index: placed.index, path, checkpoint: latest.note }) }
  }

  return {
    checkpoint,
    vkey: () => formatVkey(sha256, origin, keys.publicKey(kid)),
    async tile(path) {
      const wanted = parseTilePath(path)
      const latest = await checkpoint()
      if (wanted === undefined || latest === undefined) throw new Refusal('not-found')
      const { level, n, width } = wanted
      if (tileWidth(latest.size, level, n) < width) throw new Refusal('not-found')
      return (await tilesNow(options))(level, n, width)
    },
    async inclusion(index, size) {
      if (index >= size) throw new Refusal('not-found')
      await published(size)
      return inclusionProof(sha256, await tilesNow(options), index, size)
    },
    async consistency(from, to) {
      if (from > to) throw new Refusal('invalid-query', { detail: 'from is not above to' })
      await published(to)
      return consistencyProof(sha256, await tilesNow(options), from, to)
    },
    async receipt(holder, event_id) {
      const placed = await placedRecord(options, event_id)
      if (placed === undefined) {
        // Not in the log yet, or not at all: only who wrote it may know which.
        if ((await store.recordOf(db, holder.participant, event_id)) === undefined) throw new Refusal('not-found')
        return { outcome: 'pending' }
      }
      const actor = placed.entry.participant_id === holder.participant
      const party = actor || placed.entry.chains.some((link) => link.party === holder.slug)
      const recipient = !party && (await options.isRecipient(holder.participant, event_id))
      if (!party && !recipient && !holder.auditor) throw new Refusal('not-found')
      return given(placed, holder, { slug: holder.slug, auditor: holder.auditor, actor, party, recipient })
    },
    async readReceipt(holder, journal_id, place) {
      const inner = await journal.inner(holder.participant, `${journal_id}.${place}`)
      if (inner === 'waiting') return { outcome: 'pending' }
      if (inner === undefined) throw new Refusal('not-found')
      const placed = await placedRecord(options, inner.event_id)
      if (placed === undefined) return { outcome: 'pending' }
      const viewer = { slug: holder.slug, auditor: holder.auditor, actor: true, party: true, recipient: false }
      return given(placed, holder, viewer, {
        payload: inner.payload,
        disclosures: opensFor(inner.opened, viewer),
        index: inner.index,
        size: inner.size,
        path: inner.path.map((node) => toBase64Url(node)),
      })
    },
  }
}

/** Tiles as they stand now: full ones from their rows, the last of each level from the head, read after the checkpoint. */
async function tilesNow({ db, logId }: LedgerOptions): Promise<ReadTile> {
  const head = await store.head(db, logId)
  if (head === undefined) throw new Error(`there is no log ${logId}`)
  const { bundle, levels } = decodeEdges(head.edges)
  const stored = async (level: number, n: bigint): Promise<Uint8Array> => {
    const full = tileWidth(head.size, level, n) === TILE_WIDTH
    const edge = level < 0 ? bundle : levels[level]
    const data = full ? (await store.tile(db, logId, level, n))?.data : edge
    if (data === undefined) throw new Error(`the log has no tile ${level}/${n}`)
    return data
  }
  return async (level, n, width) => {
    if (tileWidth(head.size, level, n) < width) throw new RangeError('beyond the log')
    const data = await stored(level, n)
    return level < 0 ? bundleOf(data, width) : data.subarray(0, 32 * width)
  }
}

async function placedRecord({ db, keys, logId }: LedgerOptions, event_id: Uuid): Promise<Placed | undefined> {
  const at = await store.eventIndex(db, logId, event_id)
  if (at === undefined) return undefined
  const batch = await store.batchAt(db, logId, at.idx)
  if (batch === undefined) throw new Error(`the log has no batch at ${at.idx}`)
  const entry = decodeEntry(batch.data, Number(at.idx - batch.first_idx))
  const record = await store.recordOf(db, entry.participant_id, event_id)
  if (record === undefined || !equal(record.c, entry.c)) throw new Error(`log entry ${at.idx} has no record`)
  return { index: at.idx, entry, payload: record.payload, opened: openRecord(record, event_id, keys) }
}

/** What the holder sees: the fields it may open, its own chain in the clear, digests of the others and of the decoys. */
function extraFor({ entry, payload, opened }: Placed, holder: Holder, viewer: Viewer): ReceiptExtra {
  const own = entry.chains.filter((link) => viewer.auditor || link.party === holder.slug)
  const hidden = entry.chains.filter((link) => !own.includes(link))
  const digests = [
    ...hidden.map((link) => chainDigest(sha256, link)),
    ...entry.decoys.map((salt) => decoyDigest(sha256, salt)),
  ]
  // Sorted, so that their order tells decoys from links to nobody.
  const chain_digests = digests.map((digest) => toBase64Url(digest)).sort()
  return { v: 1, payload, disclosures: opensFor(opened, viewer), chains: own.map(chainDisclosure), chain_digests }
}

const opensFor = (opened: readonly Opened[], viewer: Viewer): string[] =>
  opened.flatMap(([audience, text]) => (text !== null && mayOpen(audience, viewer) ? [text] : []))

/** The first `width` entries of a bundle. */
function bundleOf(bundle: Uint8Array, width: number): Uint8Array {
  let at = 0
  for (let i = 0; i < width; i++) at += 2 + (bundle[at] ?? 0) * 256 + (bundle[at + 1] ?? 0)
  return bundle.subarray(0, at)
}

import type { Db } from '../db/connect.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import { coalesce } from '../kernel/coalesce.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import type { AuditLog } from './auditor.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { auditedIn, cutTo, type Holder, opensFor, type Placed, placedRecord, viewerOf } from './cut.ts'
import { isForAll, type Viewer } from './events.ts'
import { type AskedItem, itemProof } from './item-proof.ts'
import type { InnerRead, Journal } from './journal.ts'
import { formatVkey, parseNote } from './note.ts'
import { isWaiting } from './outbox-store.ts'
import { chainLines } from './own-chain.ts'
import type { NodePolicy } from './policy-file.ts'
import { consistencyProof, inclusionProof } from './proof.ts'
import { fitsReceipt, formatReceipt, type ReceiptExtra } from './receipt.ts'
import { recordUnlessLost } from './record.ts'
import * as recordStore from './record-store.ts'
import type { SharedItems } from './shared-items.ts'
import * as signStore from './sign-store.ts'
import { parseTilePath, tileWidth } from './tile.ts'
import { tilesNow } from './tiles-now.ts'
import * as kept from './witness-store.ts'

export type { Holder } from './cut.ts'

export interface Published {
  size: bigint
  root: Uint8Array
  /** With the cosignatures of witnesses. */
  note: string
  at: Date
  witnessed: { cosigned: number; wanted: number; quorum: boolean }
}

/** A witness, by its name in the policy. */
export interface WitnessState {
  name: string
  vkey: string
  /** What it cosigned last, and when; absent if it never did. */
  size?: bigint
  cosigned_at?: Date
  missing_since?: Date
}

/** A receipt, or that its checkpoint is still to come. */
export type Given = { outcome: 'receipt'; text: string } | { outcome: 'pending' }

/** A record with its place in the log, cut to its viewer. */
export interface CutRecord {
  event: Uuid
  index: string
  record: ReceiptExtra
}

/** Which part of a chain: links after `after`; a party's other than one's own is for auditors. */
export interface AskedChain {
  party?: string | undefined
  after: bigint
  limit: number
}

/** The log as it is given out: only what a signed checkpoint covers. */
export interface Ledger {
  /** Newest published checkpoint; undefined before the first. */
  checkpoint(): Promise<Published | undefined>
  /** The policy that checkpoints are published under, verbatim; undefined without one. */
  policy(): string | undefined
  /** What each witness of the policy last did. */
  witnesses(): Promise<WitnessState[]>
  /** Seconds since the oldest checkpoint was signed that is not published; 0 if none waits. */
  unpublished(now: Date): Promise<number>
  /** The key that checkpoints are verified with (C2SP signed-note). */
  vkey(): string
  /** Bytes of a tile path below `/provenance/<log_id>/`; `not-found` beyond the published size. */
  tile(path: string): Promise<Uint8Array>
  /** Audit path of an entry in a published size; `not-found` beyond it. */
  inclusion(index: bigint, size: bigint): Promise<Uint8Array[]>
  consistency(from: bigint, to: bigint): Promise<Uint8Array[]>
  /**
   * For a party, a recipient or an auditor; `not-found` for everyone else, as for what never was. That an auditor is given
   * more by being one is an entry of the log first.
   */
  receipt(holder: Holder, event_id: Uuid): Promise<Given>
  /** Of one of the holder's own reads, by the journal row and its place there. */
  readReceipt(holder: Holder, journal_id: Uuid, place: number): Promise<Given>
  /** For a source: that a batch of reads gave out one signal of it, and nothing else; `none` where it did not. */
  itemReceipt(holder: Holder, event_id: Uuid, item: Omit<AskedItem, 'source'>): Promise<Given | { outcome: 'none' }>
  /** The record alone, to whom its receipt is given too. */
  record(holder: Holder, event_id: Uuid): Promise<CutRecord | 'pending'>
  /**
   * A chain as lines of JSON, as far as it is published; `not-found` for a party that the holder may not name. Of its own
   * an auditor is told what every party is.
   */
  chain(holder: Holder, asked: AskedChain): Promise<AsyncGenerator<string>>
}

export interface LedgerOptions {
  /** Logs in as `aldis_ledger`. */
  db: Db
  keys: KeyService
  journal: Journal
  logId: number
  origin: string
  kid: string
  /** Whose acts are told to all. */
  programme: Uuid
  policy?: NodePolicy | undefined
  /** Whether the next one was opened: then what it ended with is given out, which the next one names. */
  closed: boolean
  /** Writes down that an auditor asks for what is another's. */
  auditing: AuditLog
  /** Whether a signal of the event was disclosed to the participant. */
  isRecipient(participant: Uuid, event_id: Uuid): Promise<boolean>
  shared: SharedItems
  /** Proofs of one signal that may wait: each opens a whole batch of reads, and one is made at a time. */
  itemProofsWaiting: number
}

export function createLedger(options: LedgerOptions): Ledger {
  const { keys, journal, origin, kid } = options

  const checkpoint = () => newest(options)

  const published = async (size: bigint): Promise<void> => {
    const latest = await checkpoint()
    if (latest === undefined || size > latest.size) throw new Refusal('not-found')
  }

  /** The receipt over the newest checkpoint, which must cover the record. */
  const given = async (
    placed: Placed,
    viewer: Viewer,
    more: Pick<ReceiptExtra, 'inner' | 'item'> = {},
    first = async () => {},
  ): Promise<Given> => {
    const latest = await checkpoint()
    if (latest === undefined || placed.index >= latest.size) return { outcome: 'pending' }
    await first()
    const path = await inclusionProof(sha256, await tilesNow(options), placed.index, latest.size)
    const extra = { ...whatFits(viewer, placed), ...more }
    return { outcome: 'receipt', text: formatReceipt({ extra, index: placed.index, path, checkpoint: latest.note }) }
  }

  const covered = async ({ index }: Placed): Promise<boolean> => index < ((await checkpoint())?.size ?? 0n)

  const oneAtATime = coalesce<'node', { placed: Placed; asked: AskedItem }, { item: ReceiptExtra['item'] }>(
    async (_, [one]) => (one === undefined ? [] : [{ item: await itemProof(options, one.placed, one.asked) }]),
    { maxWeight: 1, maxWaiting: options.itemProofsWaiting, refuse: () => new Refusal('busy', { retryAfter: 1 }) },
  )

  return {
    checkpoint,
    policy: () => options.policy?.text,
    witnesses: () => witnessStates(options),
    async unpublished(now) {
      const at = await kept.unpublishedSince(options.db, options.logId)
      return at === undefined ? 0 : (now.getTime() - at.getTime()) / 1_000
    },
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
      const found = await entitled(options, holder, event_id)
      if (found === 'pending') return { outcome: 'pending' }
      return given(found.placed, found.viewer, {}, () => looked(options, holder, found))
    },
    async record(holder, event_id) {
      const found = await entitled(options, holder, event_id)
      if (found === 'pending' || !(await covered(found.placed))) return 'pending'
      await looked(options, holder, found)
      const { placed, viewer } = found
      return { event: event_id, index: String(placed.index), record: cutTo(viewer, placed) }
    },
    chain: async (holder, asked) => chainOf(options, holder, { ...asked, below: (await checkpoint())?.size ?? 0n }),
    async itemReceipt({ participant, slug }, event_id, item) {
      const placed = await placedRecord(options, event_id)
      // Its part of the batch is what a source has; an auditor is given no more by it.
      if (!placed?.entry.chains.some((link) => link.party === slug)) throw new Refusal('not-found')
      if (!(await covered(placed))) return { outcome: 'pending' }
      const proof = await oneAtATime('node', { placed, asked: { ...item, source: { participant, slug } } })
      if (proof.item === undefined) return { outcome: 'none' }
      const viewer = viewerOf({ participant, slug, auditor: false }, placed)
      return given(placed, viewer, { item: proof.item })
    },
    async readReceipt(holder, journal_id, place) {
      const inner = await journal.inner(holder.participant, `${journal_id}.${place}`)
      if (inner === 'waiting') return { outcome: 'pending' }
      if (inner === undefined) throw new Refusal('not-found')
      const placed = await placedRecord(options, inner.event_id)
      if (placed === undefined) return { outcome: 'pending' }
      const viewer = { slug: holder.slug, auditor: false, actor: true, party: true, recipient: false }
      return given(placed, viewer, { inner: innerFor(viewer, inner) })
    },
  }
}

async function chainOf(
  options: LedgerOptions,
  holder: Holder,
  { party = holder.slug, after, limit, below }: AskedChain & { below: bigint },
): Promise<AsyncGenerator<string>> {
  const own = party === holder.slug
  if (!own && !holder.auditor) throw new Refusal('not-found')
  if (!own) await options.auditing(holder, `chain ${party} after ${after}`, BigInt(limit))
  return chainLines(options, { ...holder, auditor: !own }, { party, after, limit, below })
}

/** Where all that an auditor opens is more than a receipt holds, as of a read of many sources, what it would have as none. */
function whatFits(viewer: Viewer, placed: Placed): ReceiptExtra {
  const extra = cutTo(viewer, placed)
  return viewer.auditor && !fitsReceipt(extra) ? cutTo({ ...viewer, auditor: false }, placed) : extra
}

const innerFor = (
  viewer: Viewer,
  { payload, opened, index, size, path }: InnerRead,
): NonNullable<ReceiptExtra['inner']> => ({
  ...{ payload, disclosures: opensFor(opened, viewer), index, size },
  path: path.map((node) => toBase64Url(node)),
})

async function witnessStates({ db, logId, policy }: LedgerOptions): Promise<WitnessState[]> {
  const rows = new Map((await kept.witnesses(db, logId)).map((row) => [row.witness, row]))
  return (policy?.policy.witnesses ?? []).map(({ name, key }) => {
    const vkey = formatVkey(sha256, key.name, key.publicKey, key.type)
    const row = rows.get(kept.witnessId(key))
    if (row === undefined) return { name, vkey }
    const cosigned = row.seconds === 0n ? {} : { size: row.size, cosigned_at: new Date(Number(row.seconds) * 1_000) }
    return { name, vkey, ...cosigned, ...(row.missing_since === null ? {} : { missing_since: row.missing_since }) }
  })
}

/** The newest published checkpoint of a log. */
export async function newest({
  db,
  logId,
  closed,
}: Pick<LedgerOptions, 'db' | 'logId' | 'closed'>): Promise<Published | undefined> {
  const published = await kept.published(db, logId)
  const last = closed ? await signStore.latestCheckpoint(db, logId) : undefined
  const row = last === undefined || last.size <= (published?.size ?? 0n) ? published : unwitnessed(last, published)
  if (row === undefined) return undefined
  const parsed = parseCheckpoint(parseNote(row.note)?.text ?? '')
  if (parsed === undefined) throw new Error('a stored checkpoint is malformed')
  const { size, note, at, cosigned, wanted, quorum } = row
  return { size, root: parsed.root, note, at, witnessed: { cosigned, wanted, quorum } }
}

const unwitnessed = (
  last: { size: bigint; at: Date; note: string },
  published: kept.PublishedRow | undefined,
): kept.PublishedRow => ({
  ...last,
  cosigned: 0,
  wanted: published?.wanted ?? 0,
  quorum: (published?.wanted ?? 0) === 0,
})

/** A record and what the holder is to it; `pending` while only who wrote it, and auditors, may know that it is there. */
async function entitled(
  options: LedgerOptions,
  holder: Holder,
  event_id: Uuid,
): Promise<{ placed: Placed; viewer: Viewer } | 'pending'> {
  // The state that an auditor is given names what waits. Asked first: what is indexed meanwhile is found below.
  const waits = holder.auditor && (await isWaiting(options.db, options.logId, event_id))
  const placed = await placedRecord(options, event_id)
  if (placed === undefined) {
    if (waits) return 'pending'
    // Not in the log yet, or not at all: only who wrote it may know which, and everybody of what is told to all.
    const own = await recordStore.recordOf(options.db, holder.participant, event_id)
    if (own === undefined && !(await isToldToAll(options, event_id))) throw new Refusal('not-found')
    return 'pending'
  }
  const viewer = viewerOf(holder, placed)
  const recipient = !viewer.party && (await options.isRecipient(holder.participant, event_id))
  const forAll = isForAll(placed.opened.map(([audience]) => audience))
  if (!viewer.party && !recipient && !holder.auditor && !forAll) throw new Refusal('not-found')
  return { placed, viewer: { ...viewer, recipient } }
}

/** Writes down that the holder is given more of a record than who is no auditor would be. */
async function looked(
  { auditing, closed, logId }: LedgerOptions,
  holder: Holder,
  { placed, viewer }: { placed: Placed; viewer: Viewer },
): Promise<void> {
  if (holder.recorded === true || !auditedIn(viewer, placed)) return
  await auditing(holder, `entry ${placed.index}${closed ? ` of log ${logId}` : ''}`, 1n)
}

/** Whether it is an act of the programme that every member may have the record of. */
async function isToldToAll({ db, keys, programme }: LedgerOptions, event_id: Uuid): Promise<boolean> {
  const record = await recordStore.recordOf(db, programme, event_id)
  const opened = (record && recordUnlessLost(record, event_id, keys)) ?? []
  return isForAll(opened.map(([audience]) => audience))
}

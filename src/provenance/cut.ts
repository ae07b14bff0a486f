import type { Db } from '../db/connect.ts'
import { equal, toBase64Url } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import type { BatchEntry } from './batch.ts'
import { entriesAt } from './batch-store.ts'
import { chainDigest, chainDisclosure, decoyDigest } from './chain.ts'
import { mayOpen, type Viewer } from './events.ts'
import type { ReceiptExtra } from './receipt.ts'
import { DECOY, type Opened, recordUnlessLost } from './record.ts'
import * as recordStore from './record-store.ts'
import * as store from './store.ts'

/** Who asks for a record. */
export interface Holder {
  participant: Uuid
  slug: string
  auditor: boolean
  /** Set where the log says already that the auditor looks at it. */
  recorded?: true
}

/** Where records of one log are read and opened. */
export interface Shelf {
  /** Logs in as `aldis_ledger`. */
  db: Db
  keys: KeyService
  logId: number
}

/** A record with its place in the log and what its entry is made of. */
export interface Placed {
  index: bigint
  entry: BatchEntry
  payload: string
  opened: Opened[]
}

/** The record of an event that is in the log; undefined if it is not. */
export async function placedRecord(shelf: Shelf, event_id: Uuid): Promise<Placed | undefined> {
  const { db, logId } = shelf
  const at = await store.eventIndex(db, logId, event_id)
  return at === undefined ? undefined : (await placedAt(shelf, [at.idx]))[0]
}

/** The records at these indices of the log; throws where one of them has none. Of a month whose key is lost nothing opens. */
export async function placedAt({ db, keys, logId }: Shelf, indices: readonly bigint[]): Promise<Placed[]> {
  const found = await entriesAt(db, logId, indices)
  const entries = indices.map((index) => {
    const entry = found.get(index)
    if (entry === undefined) throw new Error(`the log has no entry ${index}`)
    return { index, entry }
  })
  const records = await recordStore.recordsOf(
    db,
    entries.map(({ entry }) => entry),
  )
  return entries.map(({ index, entry }): Placed => {
    const record = records.get(entry.event_id)
    if (record === undefined || !equal(record.c, entry.c)) throw new Error(`log entry ${index} has no record`)
    return { index, entry, payload: record.payload, opened: recordUnlessLost(record, entry.event_id, keys) ?? [] }
  })
}

/** What the holder is to a record: who acted, who is concerned. */
export function viewerOf({ participant, slug, auditor }: Holder, { entry }: Placed): Viewer {
  const actor = entry.participant_id === participant
  const party = actor || entry.chains.some((link) => link.party === slug)
  return { slug, auditor, actor, party, recipient: false }
}

/** What the viewer sees: the fields it may open, its own chain in the clear, digests of the others and of the decoys. */
export function cutTo(viewer: Viewer, { entry, payload, opened }: Placed): ReceiptExtra {
  const own = entry.chains.filter((link) => viewer.auditor || link.party === viewer.slug)
  const hidden = entry.chains.filter((link) => !own.includes(link))
  const digests = [
    ...hidden.map((link) => chainDigest(sha256, link)),
    ...entry.decoys.map((salt) => decoyDigest(sha256, salt)),
  ]
  // Sorted, so that their order tells decoys from links to nobody.
  const chain_digests = digests.map((digest) => toBase64Url(digest)).sort()
  return { v: 1, payload, disclosures: opensFor(opened, viewer), chains: own.map(chainDisclosure), chain_digests }
}

/** Whether the viewer sees something of the record as an auditor alone: a field, or whose chain it moved on. */
export function auditedIn(viewer: Viewer, placed: Placed): boolean {
  const seen = (as: Viewer): number => {
    const { disclosures, chains } = cutTo(as, placed)
    return disclosures.length + chains.length
  }
  return viewer.auditor && seen(viewer) > seen({ ...viewer, auditor: false })
}

export const opensFor = (opened: readonly Opened[], viewer: Viewer): string[] =>
  opened.flatMap(([audience, text]) => (text !== null && audience !== DECOY && mayOpen(audience, viewer) ? [text] : []))

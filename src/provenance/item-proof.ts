import { concat, equal, fromBase64Url, toBase64Url, u64 } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import { type Uuid, uuidFromBytes } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { Placed, Shelf } from './cut.ts'
import * as journalStore from './journal-store.ts'
import { type KeptRead, keptUnlessLost, valueIn } from './kept-read.ts'
import type { ReadItem } from './readset.ts'
import { setProof, setRoot, sourcePath } from './readset.ts'
import type { ReceiptItem } from './receipt.ts'
import { openedFields } from './record.ts'
import type { SharedItems } from './shared-items.ts'
import * as store from './store.ts'

/** Which proof is asked for: of the first read from `from` on that gave the signal out, or that very revision of it. */
export interface AskedItem {
  source: { participant: Uuid; slug: string }
  signal: Uuid
  revision?: number | undefined
  from: number
}

export interface ItemShelf extends Shelf {
  shared: SharedItems
}

/** Rows of the journal that are opened at once, each of up to 512 reads. */
const ROWS_AT_ONCE = 8

interface Set {
  read: number
  root: Uint8Array
}

interface Found {
  set: Set
  set_salt: Uint8Array
  items: readonly ReadItem[]
  at: number
}

/**
 * That a batch of reads gave one signal of the source out; undefined where no read from `from` on did. Opens each read of
 * the batch once: the source's root is over all that touch it, and nothing else in the database says which.
 */
export async function itemProof(shelf: ItemShelf, batch: Placed, asked: AskedItem): Promise<ReceiptItem | undefined> {
  const { slug } = asked.source
  const rows = await rowsOf(shelf, batch)
  const places = signalPlaces(shelf, asked)
  const sets: Set[] = []
  let found: Found | undefined
  for (let i = 0; i < rows.length; i += ROWS_AT_ONCE) {
    for await (const { read, kept: opened } of readsOf(shelf, batch, rows.slice(i, i + ROWS_AT_ONCE))) {
      const kept = known(opened)
      const root = rootFor(kept, slug)
      if (root === undefined) continue
      const set = { read, root }
      sets.push(set)
      if (found === undefined && read >= asked.from) found = await findIn(shelf, { kept, set, asked, places })
    }
  }
  if (found === undefined) return undefined
  const { set, set_salt, items, at } = found
  const { data, path } = setProof(sha256, { salt: set_salt, party: slug, items }, at)
  const item = items[at]
  if (item === undefined) throw new RangeError('no such item')
  const place = sets.indexOf(set)
  return {
    ...{ signal: item.signal, revision: item.revision, salt: toBase64Url(data.subarray(0, 32)) },
    ...{ index: at, size: items.length, path: path.map((node) => toBase64Url(node)) },
    read: { index: set.read, place, path: sourcePath(sha256, sets, place).map((node) => toBase64Url(node)) },
  }
}

type Row = Awaited<ReturnType<typeof journalStore.batchRows>>[number]

/** The journal rows of a batch, in its order; none where the event is no batch of reads, or the time of its reads is over. */
export async function rowsOf({ db }: Pick<Shelf, 'db'>, { entry, opened }: Placed): Promise<Row[]> {
  const fields = openedFields(opened)
  const from = fields.get('from')
  if (fields.get('type') !== 'read.batch' || typeof from !== 'string') return []
  const reader = entry.participant_id
  // The batch names its time and no row its batch's event: the first row's id begins with that very millisecond.
  const ms = Date.parse(from)
  const [least, next] = [firstIdAt(ms), firstIdAt(ms + 1)]
  for (const batch_no of await journalStore.batchesBeginning(db, reader, { day: from.slice(0, 10), least, next })) {
    const batch = await journalStore.readBatch(db, reader, batch_no)
    if (batch?.event_id === entry.event_id) return journalStore.batchRows(db, reader, batch_no)
  }
  if ((await journalStore.expiredBatch(db, reader, entry.event_id)) !== undefined) return []
  throw new Error(`the batch of reads ${entry.event_id} has no rows`)
}

/** The reads of these rows; of a row whose month's key is lost, its first place alone. */
export async function* readsOf(
  { db, keys }: Shelf,
  { entry }: Placed,
  rows: readonly Row[],
): AsyncGenerator<{ read: number; kept?: KeptRead }> {
  const bodies = new Map(
    (await journalStore.journalBodies(db, entry.participant_id, rows)).map((one) => [one.journal_id, one]),
  )
  for (const { journal_id, batch_at } of rows) {
    const body = bodies.get(journal_id)
    if (body === undefined || batch_at === null) throw new Error(`the journal row ${journal_id} is gone`)
    const reads = keptUnlessLost(keys, body)
    if (reads === undefined) yield { read: batch_at }
    for (const [place, kept] of (reads ?? []).entries()) yield { read: batch_at + place, kept }
  }
}

/** The source's root may be over a read that nobody can open any more; then there is no proof under it. */
function known(kept: KeptRead | undefined): KeptRead {
  if (kept === undefined) throw new Refusal('not-found')
  return kept
}

/** The root over what the read gave out of the source; undefined if that was nothing. */
function rootFor({ fields }: KeptRead, slug: string): Uint8Array | undefined {
  const [, , own] = fields.find(([audience]) => audience === `S:${slug}`) ?? []
  return own === undefined ? undefined : fromBase64Url((own as { root: string }).root)
}

type Places = (feed: Uuid) => Promise<{ seq: bigint; revision: number }[]>

/** Where the signal stands in the feeds that were read; each is looked at once. */
function signalPlaces({ db, logId, shared }: ItemShelf, { source, signal }: AskedItem): Places {
  const known = new Map<Uuid, ReturnType<Places>>()
  const placed = async (): Promise<bigint[]> => {
    const submissions = await shared.submissions(source.participant, signal)
    const found = await Promise.all(submissions.map((one) => store.eventPlace(db, logId, one)))
    return found.filter((one) => one !== undefined)
  }
  let at: Promise<bigint[]> | undefined
  const look = async (feed: Uuid) => {
    at ??= placed()
    return shared.places(source.participant, feed, { signal, at: await at })
  }
  return (feed) => {
    const places = known.get(feed) ?? look(feed)
    known.set(feed, places)
    return places
  }
}

interface Candidate {
  kept: KeptRead
  set: Set
  asked: AskedItem
  places: Places
}

async function findIn(shelf: ItemShelf, { kept, set, asked, places }: Candidate): Promise<Found | undefined> {
  const { source, signal, revision } = asked
  const items = await itemsOf(shelf, { kept, asked, places })
  const at = items.findIndex((one) => one.signal === signal && (revision === undefined || one.revision === revision))
  if (at < 0) return undefined
  const set_salt = fromBase64Url(String(valueIn(kept, 'set_salt')))
  if (set_salt === undefined || !equal(setRoot(sha256, set_salt, source.slug, items), set.root))
    throw new Error('a read gave out other items than are kept of it')
  return { set, set_salt, items, at }
}

/** What the read gave out of the source, as far as the signal may be among it; a look-up's items are kept with it. */
async function itemsOf(
  { shared }: ItemShelf,
  { kept, asked, places }: Pick<Candidate, 'kept' | 'asked' | 'places'>,
): Promise<readonly ReadItem[]> {
  const { participant, slug } = asked.source
  const as_of = valueIn(kept, 'as_of') as Readonly<Record<string, string>> | undefined
  if (as_of?.['feed'] === undefined) {
    const [, ...own] = kept.items.find(([party]) => party === slug) ?? []
    return own.map(([signal, revision]) => ({ signal, revision }))
  }
  const feed = as_of['feed'] as Uuid
  const range = { from: BigInt(as_of['from'] ?? 0), to: BigInt(as_of['to'] ?? 0) }
  const among = (await places(feed)).some(({ seq }) => range.from <= seq && seq <= range.to)
  return among ? shared.items(participant, feed, range) : []
}

/** The least id that is made in a millisecond (RFC 9562 section 5.7). */
const firstIdAt = (ms: number): Uuid => uuidFromBytes(concat(u64(BigInt(ms)).subarray(2), new Uint8Array(10)))

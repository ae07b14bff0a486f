import { fromBase64Url, type Hash, toBase64Url } from '../kernel/bytes.ts'
import { isUuid } from '../kernel/ids.ts'
import { leafHash, treeHash } from '../provenance/merkle.ts'
import { type ReadItem, type SourceRead, setRoot, sourceRoot } from '../provenance/readset.ts'
import type { Entry, Inner } from './entry.ts'
import { type EntryCheck, type Faults, gatherFaults } from './faults.ts'
import type { FeedTable } from './feeds.ts'
import { numbered } from './finding.ts'
import type { Programme, Stay } from './programme.ts'
import type { SignalState, SignalTable } from './signals.ts'

export interface ReadsOptions {
  hash: Hash
  programme: Programme
  signals: SignalTable
  feeds: FeedTable
  /** The audience of a feed, as the snapshot names it. */
  audienceOf(feed: string): string | undefined
}

/** What is gathered of one batch. */
interface Batch {
  leaves: Uint8Array[]
  sets: Map<string, { sets: SourceRead[]; items: number }>
}

/** Check 14: batches hold the reads that they say, reads gave out what their sets say, and the reader might have it. */
export function checkReads(options: ReadsOptions): EntryCheck {
  const check = numbered(14, 'reads')
  const faults = gatherFaults(check)
  let batch: Batch = { leaves: [], sets: new Map() }
  const counted = { reads: 0, unseen: 0 }
  return {
    entry() {
      batch = { leaves: [], sets: new Map() }
    },
    read(entry, inner) {
      counted.reads += 1
      const says = (why: string): void => faults.add(`read ${inner.read}: ${why}`, entry.index)
      if (inner.read !== batch.leaves.length) says(`read ${batch.leaves.length} is missing`)
      batch.leaves.push(leafHash(options.hash, inner.c))
      gatherSources(batch, inner)
      const items = itemsOf(options, { entry, inner, says })
      if (items === undefined) counted.unseen += 1
      else checkSets(options, { inner, items, says })
    },
    close: (entry) => closeBatch(options.hash, { entry, batch, faults }),
    end: () =>
      faults.finding(() =>
        counted.unseen > 0
          ? check.unknown(
              `without the snapshot ${counted.unseen} of ${counted.reads} reads name feeds that nothing tells`,
            )
          : check.pass(`${counted.reads} reads gave out what their batches say, to readers who might have it`),
      ),
  }
}

function gatherSources({ leaves, sets }: Batch, { sources }: Inner): void {
  for (const { party, n, root } of sources) {
    const own = sets.get(String(party)) ?? { sets: [], items: 0 }
    own.sets.push({ read: leaves.length - 1, root: fromBase64Url(String(root)) ?? new Uint8Array(0) })
    own.items += Number(n)
    sets.set(String(party), own)
  }
}

function closeBatch(hash: Hash, { entry, batch, faults }: { entry: Entry; batch: Batch; faults: Faults }): void {
  const { kind, index, fields, sources } = entry
  if (kind !== 'read.batch') {
    if (batch.leaves.length > 0) faults.add('reads stand inside what is no batch', index)
    return
  }
  if (fields.get('n') !== batch.leaves.length || fields.get('root') !== toBase64Url(treeHash(hash, batch.leaves)))
    faults.add('the batch has another root or number than its reads', index)
  if (fields.get('reader') !== fields.get('actor')) faults.add('its reader is another than who acted', index)
  const told = new Map(sources.map((source) => [String(source['party']), source]))
  if (told.size !== sources.length || told.size !== batch.sets.size)
    faults.add('the batch names other sources than its reads', index)
  for (const [party, { sets, items }] of batch.sets) {
    const source = told.get(party)
    const fits =
      source?.['root'] === toBase64Url(sourceRoot(hash, sets)) &&
      source['reads'] === sets.length &&
      source['items'] === items &&
      source['reader'] === fields.get('reader')
    if (!fits) faults.add(`its part of ${party} is another than its reads make`, index)
  }
}

interface Looked {
  entry: Entry
  inner: Inner
  says(why: string): void
}

type Items = ReadonlyMap<string, readonly ReadItem[]>

/** What a read gave out, by source; undefined where nobody can tell. */
function itemsOf(options: ReadsOptions, looked: Looked): Items | undefined {
  const as_of = Object(looked.inner.fields.get('as_of')) as Record<string, string>
  if (as_of['feed'] !== undefined) return feedItems(options, looked, { ...as_of, feed: as_of['feed'] })
  const items = keptItems(looked.inner.items)
  if (as_of['log'] !== undefined) checkItems(options, looked, { items, log: Number(as_of['log']) })
  return items
}

function feedItems(
  { audienceOf, feeds, programme }: ReadsOptions,
  { entry, says }: Looked,
  { feed, from, to }: { feed: string; from?: string; to?: string },
): Items | undefined {
  const audience = audienceOf(feed)
  if (audience === undefined) return undefined
  const [first, last] = [Number(from), Number(to)]
  const items = feeds.items(audience, first, last)
  if (items === undefined) {
    says(`the feed of the audience ${audience} has no events from ${from} to ${to}`)
    return new Map()
  }
  const stay = stayOf(programme, audience, String(entry.fields.get('actor')), entry.index)
  if (stay === undefined || (stay.left !== undefined && feeds.indexAt(audience, last) > Number(stay.left)))
    says(`the reader is not in the audience ${audience}`)
  return Map.groupBy(items, ({ source }) => source)
}

/** The reader's last stay in an audience that began before an entry. */
const stayOf = ({ stays }: Programme, audience: string, reader: string, index: bigint): Stay | undefined =>
  stays.get(`${audience} ${reader}`)?.findLast(({ joined }) => joined < index)

function keptItems(kept: Inner['items']): Items {
  return new Map(
    kept.map(([party, ...items]): [string, ReadItem[]] => [
      String(party),
      items.flatMap((one) => {
        const [signal, revision] = Object(one) as unknown[]
        return typeof signal === 'string' && isUuid(signal) && Number.isSafeInteger(revision)
          ? [{ signal, revision: Number(revision) }]
          : []
      }),
    ]),
  )
}

/** Of a look-up: each item was there, and the reader's to have. */
function checkItems(options: ReadsOptions, looked: Looked, { items, log }: { items: Items; log: number }): void {
  for (const [source, own] of items) {
    for (const item of own) {
      const why = itemFault(options, looked.entry, { source, item, log })
      if (why !== undefined) looked.says(`the signal ${item.signal} of ${source} ${why}`)
    }
  }
}

function itemFault(
  { signals, programme }: ReadsOptions,
  { fields, index }: Entry,
  { source, item, log }: { source: string; item: ReadItem; log: number },
): string | undefined {
  const known = signals.find(source, item.signal)
  if (known === undefined || !wasThere(known, item.revision, log)) return `was not there in revision ${item.revision}`
  const reader = String(fields.get('actor'))
  // Of a revision that another has replaced nothing tells the audience any more.
  const newest = item.revision >= known.revision - (known.state === 'live' ? 0 : 1)
  if (source === reader || !newest) return undefined
  const stay = stayOf(programme, known.audience, reader, index)
  const may = stay !== undefined && (stay.left === undefined || log <= Number(stay.left))
  return may ? undefined : `is for the audience ${known.audience}, and the reader is not in it`
}

/** Whether a signal had a revision before the log had so many entries. */
function wasThere(known: SignalState, revision: number, log: number): boolean {
  if (known.first >= log || revision > known.revision) return false
  return revision < known.revision || known.state !== 'live' || known.last < log
}

function checkSets({ hash }: ReadsOptions, { inner, items, says }: Omit<Looked, 'entry'> & { items: Items }): void {
  const salt = fromBase64Url(String(inner.fields.get('set_salt'))) ?? new Uint8Array(0)
  const total = [...items.values()].reduce((sum, own) => sum + own.length, 0)
  // A key epoch is given out by a read of no signals.
  const counts = Object(inner.fields.get('as_of'))['hash_profile'] !== undefined || inner.fields.get('n') === total
  if (!counts || inner.sources.length !== items.size) says('it gave out another number than it says')
  for (const { party, n, root } of inner.sources) {
    const own = items.get(String(party)) ?? []
    if (n !== own.length || root !== toBase64Url(setRoot(hash, salt, String(party), own)))
      says(`its set of ${party} is another than what it gave out`)
  }
}

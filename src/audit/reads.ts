import { fromBase64Url, type Hash, toBase64Url } from '../kernel/bytes.ts'
import { isUuid } from '../kernel/ids.ts'
import { leafHash, treeHash } from '../provenance/merkle.ts'
import { type ReadItem, type SourceRead, setRoot, sourceRoot } from '../provenance/readset.ts'
import { inboxName, isInbox } from '../provenance/schema.ts'
import type { Entry, Inner } from './entry.ts'
import { type EntryCheck, type Faults, gatherFaults } from './faults.ts'
import type { FeedTable } from './feeds.ts'
import { type Finding, type Numbered, numbered } from './finding.ts'
import { createJournalRule, type JournalRule } from './journal-rule.ts'
import { itemFaults } from './looked-up.ts'
import { isDecimal, listIn } from './names.ts'
import { GRACE_MS, type Programme, stayOf } from './programme.ts'
import type { SignalTable } from './signals.ts'

export interface ReadsOptions {
  hash: Hash
  programme: Programme
  signals: SignalTable
  feeds: FeedTable
  /** The audience of a feed, as the snapshot names it. */
  audienceOf(feed: string): string | undefined
  /** The entry behind a place that a look-up was answered at. */
  indexAt(place: bigint): number
  /** Whether it is the log that is written now, which alone gives out a state: what is over an entry of it names. */
  present: boolean
  now: Date
}

/** What is gathered of one batch. */
interface Batch {
  leaves: Uint8Array[]
  sets: Map<string, { sets: SourceRead[]; items: number }>
}

/**
 * Check 14: batches hold the reads that they say, reads gave out what their sets say, and the reader might have it. Reads may be
 * missing whose time is over, a whole batch at a time, and no others.
 */
export function checkReads(options: ReadsOptions): EntryCheck {
  const check = numbered(14, 'reads')
  const faults = gatherFaults(check)
  const rule = createJournalRule({ ...options, faults })
  let batch: Batch = { leaves: [], sets: new Map() }
  const counted = { reads: 0, unseen: 0 }
  return {
    entry(entry) {
      batch = { leaves: [], sets: new Map() }
      rule.entry(entry)
    },
    read(entry, inner) {
      counted.reads += 1
      const says = (why: string): void => faults.add(`read ${inner.read}: ${why}`, entry.index)
      if (inner.read !== batch.leaves.length) says(`read ${batch.leaves.length} is missing`)
      batch.leaves.push(leafHash(options.hash, inner.c))
      gatherSources(batch, inner)
      if (!checkRead(options, { entry, inner, says })) counted.unseen += 1
    },
    close(entry) {
      const whole = batch.leaves.length > 0
      if (entry.kind === 'read.batch') {
        rule.batch(entry, whole)
        checkBatch(entry, faults)
      }
      // Without one read it is held against the entries that name what is over.
      if (entry.kind !== 'read.batch' || whole) closeBatch(options.hash, { entry, batch, faults })
    },
    cut: faults.cut,
    end() {
      let missing = 0
      for (const { index, over } of rule.missing(options.now)) {
        if (over && !options.present) missing += 1
        else faults.add('its reads are missing, and no entry says that they are over', index)
      }
      return faults.finding(() => says({ check, rule, ...counted, missing }))
    },
  }
}

function says(of: { check: Numbered; rule: JournalRule; reads: number; unseen: number; missing: number }): Finding {
  const { check, rule, reads, unseen, missing } = of
  if (missing > 0)
    return check.unknown(`the reads of ${missing} batches are gone; an entry of the log after this one would say why`)
  if (unseen > 0) return check.unknown(`without the snapshot ${unseen} of ${reads} reads name feeds that nothing tells`)
  const over = rule.over === 0 ? '' : `; the time of ${rule.over} batches is over`
  return check.pass(`${reads} reads gave out what their batches say, to readers who might have it${over}`)
}

/** False where nobody can tell what it gave out. */
function checkRead(options: ReadsOptions, looked: Looked): boolean {
  const at = asOfIn(looked.inner.fields.get('as_of'))
  if (at === undefined) {
    looked.says('it does not say how far it looked')
    return true
  }
  if ('hash_profile' in at) {
    // The key epoch itself is what it gave out.
    if (looked.inner.items.length + looked.inner.sources.length > 0) looked.says('it gave out a key epoch, and more')
    return true
  }
  if ('audience' in at) {
    checkBucket(options, looked, { audience: at.audience, snapshot: Number(at.snapshot) })
    return true
  }
  const items = itemsOf(options, looked, at)
  if (items === undefined) return false
  if ('feed' in at && isSealedFeed(options, at.feed)) checkSealed(looked, items)
  else checkSets(options, { ...looked, items })
  return true
}

/** How far an answer looked: into the log, a feed, or a snapshot of buckets; or it gave out a key epoch. */
type AsOf =
  | { log: string }
  | { feed: string; from: string; to: string }
  | { audience: string; snapshot: string }
  | { hash_profile: string }

const SHAPES = ['log', 'feed,from,to', 'audience,snapshot', 'hash_profile']
const NUMBERS: ReadonlySet<string> = new Set(['log', 'from', 'to', 'snapshot'])

/** In one of the shapes that there are, numbers as decimals; undefined for anything else. */
function asOfIn(value: unknown): AsOf | undefined {
  const members = Object.entries(Object(value) as object).sort(([a], [b]) => (a < b ? -1 : 1))
  const fits = members.every(([name, one]) => (NUMBERS.has(name) ? isDecimal(one) : typeof one === 'string'))
  return fits && SHAPES.includes(members.map(([name]) => name).join()) ? (value as AsOf) : undefined
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

/** What a batch says of its reads itself; the clock that it was written by may be another than theirs. */
function checkBatch({ fields, index, time }: Entry, faults: Faults): void {
  if (fields.get('reader') !== fields.get('actor')) faults.add('its reader is another than who acted', index)
  const [from, to] = [Date.parse(String(fields.get('from'))), Date.parse(String(fields.get('to')))]
  if (!(from <= to && to <= time + GRACE_MS))
    faults.add('it does not say from when to when its reads were made, all of them before it', index)
}

interface Looked {
  entry: Entry
  inner: Inner
  says(why: string): void
}

type Items = ReadonlyMap<string, readonly ReadItem[]>

/** What a read gave out, by source; undefined where nobody can tell. */
function itemsOf(
  options: ReadsOptions,
  looked: Looked,
  at: Extract<AsOf, { log: string } | { feed: string }>,
): Items | undefined {
  if ('feed' in at) return feedItems(options, looked, at)
  const items = keptItems(looked.inner.items)
  const log = options.indexAt(BigInt(at.log))
  const [reader, route] = [String(looked.entry.fields.get('actor')), String(looked.inner.fields.get('route'))]
  for (const why of itemFaults(options, { items, log, reader, route, index: looked.entry.index })) looked.says(why)
  return items
}

function feedItems(
  { audienceOf, feeds, programme }: ReadsOptions,
  { entry, says }: Looked,
  { feed, from, to }: { feed: string; from: string; to: string },
): Items | undefined {
  const audience = audienceOf(feed)
  if (audience === undefined) return undefined
  const [first, last] = [Number(from), Number(to)]
  const items = feeds.items(audience, first, last)
  if (items === undefined) {
    says(`the feed of the audience ${audience} has no events from ${from} to ${to}`)
    return new Map()
  }
  const reader = String(entry.fields.get('actor'))
  if (isInbox(audience)) {
    if (audience !== inboxName(reader)) says(`the inbox ${audience} is not the reader's`)
  } else {
    const stay = stayOf(programme, { audience, reader, index: entry.index })
    if (stay === undefined || (stay.left !== undefined && feeds.indexAt(audience, last) > Number(stay.left)))
      says(`the reader is not in the audience ${audience}`)
  }
  return Map.groupBy(items, ({ source }) => source)
}

function keptItems(kept: Inner['items']): Items {
  return new Map(
    kept.map(([party, ...items]): [string, ReadItem[]] => [
      String(party),
      items.flatMap((one) => {
        const [signal, revision] = listIn(one)
        return typeof signal === 'string' && isUuid(signal) && Number.isSafeInteger(revision)
          ? [{ signal, revision: Number(revision) }]
          : []
      }),
    ]),
  )
}

/** Of a sealed audience's feed: its entries are opened one by one, each by a read of its own. */
const isSealedFeed = ({ audienceOf, programme }: ReadsOptions, feed: string): boolean =>
  programme.audiences.get(audienceOf(feed) ?? '')?.mode === 'sealed'

/** Such a read names no source, and gave out what stands there. */
function checkSealed({ inner, says }: Looked, items: Items): void {
  const total = [...items.values()].reduce((sum, own) => sum + own.length, 0)
  if (inner.sources.length > 0) says('it names sources of what is sealed')
  if (inner.fields.get('n') !== total) says('it gave out another number than it says')
}

/** A bucket is of a sealed audience that the reader is in, and holds no more than had come there, padding included. */
function checkBucket(
  { programme, feeds }: ReadsOptions,
  { entry, inner, says }: Looked,
  { audience, snapshot }: { audience: string; snapshot: number },
): void {
  if (programme.audiences.get(audience)?.mode !== 'sealed') says(`the audience ${audience} has no buckets`)
  if (inner.sources.length > 0) says('it names sources of what is sealed')
  if (!(Number(inner.fields.get('n')) <= snapshot && snapshot <= feeds.length(audience)))
    says('it gave out more than had come there')
  const stay = stayOf(programme, { audience, reader: String(entry.fields.get('actor')), index: entry.index })
  if (stay === undefined || (stay.left !== undefined && feeds.indexAt(audience, snapshot) > Number(stay.left)))
    says(`the reader is not in the audience ${audience}`)
}

function checkSets({ hash }: ReadsOptions, { inner, items, says }: Omit<Looked, 'entry'> & { items: Items }): void {
  const salt = fromBase64Url(String(inner.fields.get('set_salt'))) ?? new Uint8Array(0)
  const total = [...items.values()].reduce((sum, own) => sum + own.length, 0)
  if (inner.fields.get('n') !== total) says('it gave out another number than it says')
  const named = new Set(inner.sources.map(({ party }) => String(party)))
  if (inner.sources.length !== items.size || [...items.keys()].some((party) => !named.has(party)))
    says('it names other sources than it gave out')
  for (const { party, n, root } of inner.sources) {
    const own = items.get(String(party)) ?? []
    if (n !== own.length || root !== toBase64Url(setRoot(hash, salt, String(party), own)))
      says(`its set of ${party} is another than what it gave out`)
  }
}

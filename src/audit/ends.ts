import { isInbox } from '../provenance/schema.ts'
import type { Entry, Inner } from './entry.ts'
import { type EntryCheck, type Faults, gatherFaults } from './faults.ts'
import type { FeedTable } from './feeds.ts'
import { numbered } from './finding.ts'
import { isDecimal } from './names.ts'
import { createPacked, type Packed } from './packed.ts'
import type { Programme } from './programme.ts'
import type { SignalTable } from './signals.ts'

export interface EndsOptions {
  programme: Programme
  signals: SignalTable
  feeds: FeedTable
  /** The audience of a feed, as the snapshot names it; an inbox has none. */
  audienceOf(feed: string): string | undefined
  /** Whether there is a snapshot. */
  told: boolean
}

/** A read is in the journal a moment after its time: so much later whoever erases must have seen it. */
const SEEN_MS = 60_000

/** Who obtained which signals, a bit each. */
interface Holders {
  /** Of reads up to a time; those of later ones are held back. */
  settle(time: number): void
  obtain(reader: string, rows: readonly number[], time: number): void
  readers(): Iterable<string>
  has(reader: string, row: number): boolean
}

function createHolders(): Holders {
  const bits = new Map<string, Packed<Uint8Array>>()
  let waiting: { reader: string; rows: readonly number[]; time: number }[] = []
  return {
    settle(time) {
      const [due, later] = [waiting.filter((one) => one.time <= time), waiting.filter((one) => one.time > time)]
      waiting = later
      for (const { reader, rows } of due) {
        const own = bits.get(reader) ?? createPacked(Uint8Array, 1)
        for (const row of rows) own.set(row >> 3, [own.get(row >> 3, 0) | (1 << (row & 7))])
        bits.set(reader, own)
      }
    },
    obtain: (reader, rows, time) => void waiting.push({ reader, rows, time }),
    readers: () => bits.keys(),
    has: (reader, row) => ((bits.get(reader)?.get(row >> 3, 0) ?? 0) & (1 << (row & 7))) !== 0,
  }
}

/** How far a reader has come in the feed of an audience, by `<audience> <reader>`: with reads, and with acknowledgements. */
interface Places {
  read: Map<string, number>
  acked: Map<string, number>
}

/**
 * Check 15: whoever obtained a signal was given its end, erasures have asked every holder that the log names, and an
 * acknowledgement is of as many ends as the feed has. Of what is not acknowledged the number is told.
 */
export function checkEnds(options: EndsOptions): EntryCheck {
  const check = numbered(15, 'ends')
  const faults = gatherFaults(check)
  const holders = createHolders()
  const places: Places = { read: new Map(), acked: new Map() }
  const stages = new Map<string, number>()
  let unseen = 0
  return {
    entry(entry) {
      holders.settle(entry.time - SEEN_MS)
      if (entry.kind === 'erasure') expectAsked(options, { entry, holders, faults })
      if (entry.kind === 'tombstone.acked' && !acknowledge(options, { entry, places, stages, faults })) unseen += 1
    },
    read(entry, inner) {
      if (!obtain(options, { entry, inner, holders, places })) unseen += 1
    },
    cut: faults.cut,
    end() {
      holders.settle(Number.POSITIVE_INFINITY)
      return faults.finding(() => {
        if (unseen > 0) return check.unknown(`without the snapshot ${unseen} entries name feeds that nothing tells`)
        const { ends, unread, unacked } = countEnds(options, { holders, places })
        if (unread.size > 0) return check.unknown(`ends that holders have not read yet: ${namesOf(unread)}`)
        const missing =
          unacked.size === 0 ? 'and was acknowledged' : `acknowledgements are missing: ${namesOf(unacked)}`
        return check.pass(`each of ${ends} ends was read by whoever holds its signal and takes part; ${missing}`)
      })
    },
  }
}

const namesOf = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort()
    .map(([reader, n]) => `${n} of ${reader}`)
    .join(', ')

/** An erasure counts no fewer holders than the entries before it name. */
function expectAsked(
  { signals }: EndsOptions,
  { entry, holders, faults }: { entry: Entry; holders: Holders; faults: Faults },
): void {
  const source = String(entry.fields.get('subject'))
  const rows = entry.erased.flatMap(({ signal }) => signals.rowOf(source, signal) ?? [])
  const named = [...holders.readers()].filter(
    (reader) => reader !== source && rows.some((row) => holders.has(reader, row)),
  )
  const notified = Number(entry.fields.get('notified'))
  if (!(named.length <= notified))
    faults.add(`it asks ${notified} holders, and ${named.length} had obtained what it erases`, entry.index)
}

interface Acknowledged {
  entry: Entry
  places: Places
  /** The place of each stage. */
  stages: Map<string, number>
  faults: Faults
}

/** False where nobody can tell which feed it is. */
function acknowledge(
  { feeds, audienceOf, told: hasSnapshot }: EndsOptions,
  { entry, places, stages, faults }: Acknowledged,
): boolean {
  const text = (name: string): string => String(entry.fields.get(name))
  const audience = audienceOf(text('feed'))
  if (audience === undefined) return hasSnapshot
  const [actor, upto, n] = [text('actor'), Number(text('upto')), feeds.length(audience)]
  if (!isDecimal(text('upto')) || upto > n) {
    faults.add(`${actor} acknowledges up to ${text('upto')}, and the feed has ${n} events`, entry.index)
    return true
  }
  const stage = `${audience} ${actor} ${text('stage')}`
  const before = stages.get(stage) ?? 0
  stages.set(stage, upto)
  const place = `${audience} ${actor}`
  places.acked.set(place, Math.max(upto, places.acked.get(place) ?? 0))
  const counts = new Map<string, number>()
  for (const { source } of feeds.ends(audience, before + 1, upto)) count(counts, source)
  const told = new Map(entry.sources.map(({ party, n: own }) => [String(party), own]))
  const fits = entry.sources.length === counts.size && [...counts].every(([source, own]) => told.get(source) === own)
  if (!fits) faults.add(`${actor} acknowledges another number of ends than the feed has`, entry.index)
  return true
}

interface Obtained {
  entry: Entry
  inner: Inner
  holders: Holders
  places: Places
}

/** False where nobody can tell what was read. */
function obtain(options: EndsOptions, { entry, inner, holders, places }: Obtained): boolean {
  const { signals, feeds, audienceOf } = options
  const reader = String(entry.fields.get('actor'))
  const time = Date.parse(String(entry.fields.get('to')))
  const { feed, from, to } = Object(inner.fields.get('as_of')) as Record<string, string>
  if (feed === undefined) {
    const rows = inner.items.flatMap(([source, ...items]) =>
      source === reader ? [] : items.flatMap((one) => signals.rowOf(String(source), String(Object(one)[0])) ?? []),
    )
    if (rows.length > 0) holders.obtain(reader, rows, time)
    return true
  }
  const audience = audienceOf(feed)
  if (audience === undefined) return options.told
  const place = `${audience} ${reader}`
  places.read.set(place, Math.max(Number(to), places.read.get(place) ?? 0))
  // What is said of a signal is not the signal.
  if (isInbox(audience)) return true
  const events = inner.sources.length === 0 ? [] : (feeds.items(audience, Number(from), Number(to)) ?? [])
  // Whoever is given the tombstone in the same answer was given a stub for what it ends.
  const stubs = new Set(
    events.flatMap(({ end, source, signal, row }, i) => {
      const state = end ? signals.find(source, signal) : undefined
      return state?.state === 'erased' && state.last === feeds.indexAt(audience, Number(from) + i) ? row : []
    }),
  )
  const rows = events.flatMap(({ row, end, source }) => (end || source === reader || stubs.has(row) ? [] : row))
  if (rows.length > 0) holders.obtain(reader, rows, time)
  return true
}

/** Ends of what readers hold who take part, in audiences that they are in. */
function countEnds(
  { feeds, programme }: EndsOptions,
  { holders, places }: { holders: Holders; places: Places },
): { ends: number; unread: Map<string, number>; unacked: Map<string, number> } {
  const [unread, unacked] = [new Map<string, number>(), new Map<string, number>()]
  const due = (place: string, reader: string, seq: number): void => {
    if (seq <= (places.acked.get(place) ?? 0)) return
    count(unacked, reader)
    if (seq > (places.read.get(place) ?? 0)) count(unread, reader)
  }
  let ends = 0
  for (const audience of feeds.audiences) {
    const readers = [...holders.readers()].filter((reader) => takesPart(programme, audience, reader))
    for (const { row, seq } of feeds.ends(audience, 1, feeds.length(audience))) {
      ends += 1
      for (const reader of readers) if (holders.has(reader, row)) due(`${audience} ${reader}`, reader, seq)
    }
  }
  return { ends, unread, unacked }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function takesPart({ participants, stays }: Programme, audience: string, reader: string): boolean {
  const stay = stays.get(`${audience} ${reader}`)?.at(-1)
  return participants.get(reader)?.status === 'active' && stay !== undefined && stay.left === undefined
}

import type { Tx } from '../db/as-participant.ts'
import { dayOf } from '../kernel/day.ts'
import { firstIdOf, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import { digestOf, fieldOf } from './commitment.ts'
import * as store from './erase-store.ts'
import { isErasable } from './events.ts'
import { type KeptRead, keptUnlessLost, valueIn } from './kept-read.ts'
import { placeOf } from './origin.ts'
import { type Opened, recordUnlessLost, sealRecord } from './record.ts'

/** A disclosure that is gone: the entry's index in the present log, as a decimal, and the digest that is left. */
export type Target = readonly [index: string, digest: string]

/** Where an event stands in one log. */
export interface EventPlace {
  log_id: number
  idx: bigint
  /** Grows over all logs of the node. */
  place: bigint
  /** Whether feeds and look-ups hold it. */
  carried: boolean
}

/** What readers may have been given of a source: signals, and the sequences at which they stand in feeds. */
export interface GivenOut {
  slug: string
  signals: ReadonlySet<Uuid>
  entries: ReadonlyMap<Uuid, readonly bigint[]>
  /** Nothing was given out before. */
  since: Date
}

/** What an erasure does to records, and asks of the read journal. */
export interface RecordEraser {
  places(tx: Tx, events: readonly Uuid[]): Promise<Map<Uuid, EventPlace[]>>
  /**
   * Takes out of records of the present log what they say of their signals. Those of a log that was closed stay: no entry of it
   * could name the hole.
   */
  blank(
    tx: Tx,
    of: { participant: Uuid; places: ReadonlyMap<Uuid, readonly EventPlace[]>; at: Date },
  ): Promise<Target[]>
  /**
   * Of the readers those that obtained something of it, by the read journal, or may have before it begins. `from`: what was
   * journaled before was looked at.
   */
  holders(tx: Tx, readers: readonly Uuid[], given: GivenOut, from?: Date): Promise<Uuid[]>
}

const ROWS_AT_ONCE = 64
const FIRST = '00000000-0000-0000-0000-000000000000' as Uuid

export const createRecordEraser = ({ keys, logId }: { keys: KeyService; logId: number }): RecordEraser => ({
  async places(tx, events) {
    const rows = await store.standingsOf(tx, events)
    const placed = rows.map(({ event_id, log_id, idx, closed_size, next_idx }) => {
      // Beyond the end of a closed log it was in feeds, and is in the next log too.
      const carried = next_idx !== null && idx < next_idx && (closed_size === null || idx < closed_size)
      return { event_id, at: { log_id, idx, place: placeOf(log_id, idx), carried } }
    })
    const byEvent = Map.groupBy(placed, ({ event_id }) => event_id)
    return new Map([...byEvent].map(([event, own]) => [event, own.map(({ at }) => at)]))
  },

  async blank(tx, { participant, places, at }) {
    const targets: Target[] = []
    const present = new Map(
      [...places].flatMap(([event, own]) => own.flatMap((one) => (one.log_id === logId ? [[event, one.idx]] : []))),
    )
    for (const row of await store.recordsForUpdate(tx, participant, [...present.keys()])) {
      // Where the month's key is lost, as beside a restored database, nothing of it can be read.
      const opened = recordUnlessLost(row, row.event_id, keys) ?? []
      const gone = opened.flatMap(([, text]) => (text !== null && isOf(row.kind, text) ? [text] : []))
      if (gone.length === 0) continue
      const left = opened.map(
        ([audience, text]): Opened => [audience, text !== null && gone.includes(text) ? null : text],
      )
      const body = sealRecord(row, left, { event_id: row.event_id, keys })
      await store.sealAgain(tx, { participant_id: participant, event_id: row.event_id }, { body, epoch: row.epoch })
      await store.markStale(tx, row.epoch, at)
      const index = String(present.get(row.event_id))
      targets.push(...gone.map((text): Target => [index, digestOf(sha256, text)]))
    }
    return targets
  },

  async holders(tx, readers, given, from) {
    const found: Uuid[] = []
    const first: store.JournalPlace =
      from === undefined || from < given.since
        ? { day: dayOf(given.since), journal_id: FIRST }
        : { day: dayOf(from), journal_id: firstIdOf(from) }
    for (const reader of readers) if (await hasObtained(tx, keys, { reader, given, first })) found.push(reader)
    return found
  },
})

const isOf = (kind: string, disclosure: string): boolean => {
  const field = fieldOf(disclosure)
  return field !== undefined && isErasable(kind, field.name)
}

async function hasObtained(
  tx: Tx,
  keys: KeyService,
  { reader, given, first }: { reader: Uuid; given: GivenOut; first: store.JournalPlace },
): Promise<boolean> {
  // What its oldest reads gave out nobody can tell any more: it may have been this.
  const gone = await store.goneUntil(tx, reader)
  if (gone !== null && gone >= given.since) return true
  let after = first
  for (;;) {
    const rows = await store.journalAfter(tx, reader, { after, limit: ROWS_AT_ONCE })
    // Nor of what cannot be opened any more.
    if (rows.some((row) => keptUnlessLost(keys, row)?.some((read) => gaveOut(read, given)) ?? true)) return true
    const last = rows.at(-1)
    if (last === undefined || rows.length < ROWS_AT_ONCE) return false
    after = last
  }
}

/** A read of a feed gave out what stands between two sequences; a look-up, what it keeps. */
function gaveOut(kept: KeptRead, { slug, signals, entries }: GivenOut): boolean {
  const as_of = valueIn(kept, 'as_of') as Readonly<Record<string, string>> | undefined
  const { feed, from, to } = as_of ?? {}
  if (feed !== undefined && from !== undefined && to !== undefined) {
    const [first, last] = [BigInt(from), BigInt(to)]
    return (entries.get(feed as Uuid) ?? []).some((seq) => seq >= first && seq <= last)
  }
  const [, ...own] = kept.items.find(([party]) => party === slug) ?? []
  return own.some(([signal]) => signals.has(signal))
}

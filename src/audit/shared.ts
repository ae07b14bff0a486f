import { type Hash, toBase64Url } from '../kernel/bytes.ts'
import { type Faults, nameOf } from './faults.ts'
import type { FeedTable } from './feeds.ts'
import type { Names } from './names.ts'
import { createPacked, type Packed } from './packed.ts'
import type { Row } from './programme.ts'
import { createRowTable, PRINT_BYTES } from './row-table.ts'

/** When rows of feeds and look-ups were read: all that is below `upto` had reached them, and nothing from `size` on. */
export interface Reached {
  size: bigint
  upto: bigint
}

/** Holds what recipients find, as the database has it, against what the entries make: feed by feed, signal by signal. */
export interface SharedRows {
  /** Of the rows that follow. */
  moment(at: Reached): void
  /** False for a row of another table. */
  row(row: Row): boolean
  /** What an entry made of a signal: undefined where look-ups forget it, `hidden` where only its tombstone may be left. */
  set(index: bigint, of: string, state: Row['state'] | undefined | 'hidden'): void
  /** Told once every entry was seen; answers the rows that are of entries beyond `size`. */
  end(feeds: FeedTable, size: bigint): number
}

const FEED_ROW = 'feed-entry '
const LOOKUP_ROW = 'look-up '
const FEED_NUMBERS = 3
/** Events of one feed that may be gone from the database before the next one that is there: room is made for all of them. */
const GONE_MOST = 65_536

/** What a look-up tells of a signal, as both sides name it. */
const lookupState = ({ audience, revision, state, expires_at }: Row['state']): Row['state'] => ({
  ...{ audience, revision, state, expires_at },
})

export function createSharedRows({ hash, names }: { hash: Hash; names: Names }, faults: Faults): SharedRows {
  const feeds = feedRows(names, faults)
  const lookups = lookupRows({ hash, names }, faults)
  const moments: Reached[] = []
  return {
    moment: (at) => void moments.push(at),
    row({ of, state }) {
      const [kind, first = '', second = ''] = of.split(' ')
      if (`${kind} ` === FEED_ROW) feeds.row(first, second, state)
      else if (`${kind} ` === LOOKUP_ROW) lookups.row(`signal ${first} ${second}`, state)
      else return false
      return true
    },
    set(index, of, state) {
      const [first] = moments
      // What came after the first row was read says nothing of it, or not for sure.
      if (first !== undefined && index < (moments.at(-1) ?? first).size)
        lookups.set(of, typeof state === 'object' ? lookupState(state) : state, index < first.upto)
    },
    end(table, size) {
      const [first] = moments
      if (first === undefined) return 0
      const early = (moments.at(-1) ?? first).size > size
      const wrong = feeds.end(table, first, early) + lookups.end(early)
      return early ? wrong : 0
    },
  }
}

/** An event as the database has it; revision 0 where it has none. */
interface KeptEvent {
  row: number
  revision: number
  end: boolean
}

/** Event by event, few bytes for each. */
function feedRows(names: Names, faults: Faults) {
  const kept = new Map<string, { n: number; data: Packed<Int32Array> }>()
  const eventAt = (audience: string, seq: number): KeptEvent => {
    const [row = 0, revision = 0, end = 0] = kept.get(audience)?.data.at(seq - 1) ?? []
    return { row, revision, end: end === 1 }
  }
  return {
    row(audience: string, place: string, { source, signal, revision, end }: Row['state']): void {
      const feed = kept.get(audience) ?? { n: 0, data: createPacked(Int32Array, FEED_NUMBERS) }
      const seq = /^[1-9][0-9]{0,9}$/.test(place) ? Number(place) : Number.POSITIVE_INFINITY
      if (seq > feed.n + GONE_MOST) {
        faults.add(`${FEED_ROW}${audience} ${place}: the events before it are not there`)
        return
      }
      const slot = names.slotOf(`signal ${source} ${signal}`)
      feed.data.set(seq - 1, [slot, Number(revision), end === true ? 1 : 0])
      feed.n = Math.max(feed.n, seq)
      kept.set(audience, feed)
    },
    /** Answers the events that no entry made. */
    end(table: FeedTable, { upto }: Reached, early: boolean): number {
      let unmade = 0
      for (const [audience, seq] of placesIn(kept, table)) {
        const why = eventFault(table, { audience, seq, upto, event: eventAt(audience, seq) })
        if (why === UNMADE) unmade += 1
        if (why !== undefined && !(why === UNMADE && early)) faults.add(`${FEED_ROW}${audience} ${seq}: ${why}`)
      }
      return unmade
    },
  }
}

/** Every place that a feed has on either side. */
function* placesIn(kept: ReadonlyMap<string, { n: number }>, table: FeedTable): Generator<[string, number]> {
  for (const audience of new Set([...kept.keys(), ...table.audiences])) {
    const last = Math.max(kept.get(audience)?.n ?? 0, table.length(audience))
    for (let seq = 1; seq <= last; seq++) yield [audience, seq]
  }
}

const UNMADE = 'no entry made it'

function eventFault(
  table: FeedTable,
  { audience, seq, upto, event }: { audience: string; seq: number; upto: bigint; event: KeptEvent },
): string | undefined {
  const [made] = table.items(audience, seq, seq) ?? []
  if (made === undefined) return event.revision === 0 ? undefined : UNMADE
  const at = BigInt(table.indexAt(audience, seq))
  if (event.revision === 0) return at < upto ? `${nameOf(at)} made it, and the database does not have it` : undefined
  const same = event.row === made.row && event.revision === made.revision && event.end === made.end
  return same ? undefined : `the row is another than ${nameOf(at)} made it`
}

/** Of a signal's prints: the row that was read, and the one that the entries make. */
const [READ, MADE] = [0, 1] as const

/** Signal by signal: the row that was read, and the one that the entries before it make. */
function lookupRows({ hash, names }: { hash: Hash; names: Names }, faults: Faults) {
  /** In sealed audiences signals are hidden: what may be left of them is the end in the one before. */
  const rows = createRowTable(['read', 'made', 'hidden'])
  /** What entries that may have reached the row made of it. */
  const perhaps = new Map<number, (string | undefined)[]>()
  const printOf = (state: Row['state']): Uint8Array =>
    hash(JSON.stringify(Object.entries(state).sort())).subarray(0, PRINT_BYTES)
  const at = (slot: number, mark: 'read' | 'made'): string | undefined =>
    rows.is(slot, mark) ? rows.print(slot, mark === 'read' ? READ : MADE) : undefined
  return {
    row(of: string, state: Row['state']): void {
      const slot = names.slotOf(of)
      rows.mark(slot, 'read')
      rows.setPrint(slot, READ, printOf(state))
    },
    set(of: string, state: Row['state'] | undefined | 'hidden', certain: boolean): void {
      const slot = names.slotOf(of)
      if (state === 'hidden') {
        rows.mark(slot, 'hidden')
        return
      }
      if (!certain) {
        const print = state === undefined ? undefined : toBase64Url(printOf(state))
        perhaps.set(slot, [...(perhaps.get(slot) ?? []), print])
        return
      }
      // It came back into a full audience, or was erased.
      rows.mark(slot, 'hidden', false)
      rows.mark(slot, 'made', state !== undefined)
      if (state !== undefined) rows.setPrint(slot, MADE, printOf(state))
    },
    end(early: boolean): number {
      let n = 0
      for (let slot = 0; slot < names.size; slot++) {
        const found = at(slot, 'read')
        if (found === at(slot, 'made') || perhaps.get(slot)?.includes(found) || rows.is(slot, 'hidden')) continue
        n += 1
        const of = names.nameOf(slot).slice('signal '.length)
        const why =
          found === undefined ? 'the entries make it, and the database does not have it' : 'no entry made it so'
        if (!early) faults.add(`${LOOKUP_ROW}${of}: ${why}`)
      }
      return n
    },
  }
}

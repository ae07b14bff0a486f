import type { ReadItem } from '../provenance/readset.ts'
import { createPacked, type Packed } from './packed.ts'
import type { SignalTable } from './signals.ts'

/** An event of a feed: whose signal, in which revision, and whether it ends the signal there. */
export interface FeedItem extends ReadItem {
  source: string
  row: number
  end: boolean
}

/** The same before it is named. */
export interface NewEvent extends Pick<FeedItem, 'row' | 'revision' | 'end'> {
  /** The entry that made it. */
  at: number
}

/**
 * The feeds as entries make them: an event for each change, an end where a signal leaves an audience; dense from 1 on. An inbox
 * stands beside the audiences under its own name, with whoever speaks as the source.
 */
export interface FeedTable {
  push(audience: string, event: NewEvent): void
  /** How many events the feed of an audience has. */
  length(audience: string): number
  readonly audiences: Iterable<string>
  /** Events from one sequence to another; undefined if the feed does not reach so far. */
  items(audience: string, from: number, to: number): FeedItem[] | undefined
  /** The ends among the same, one at a time: a feed has millions of events. */
  ends(audience: string, from: number, to: number): Iterable<FeedItem & { seq: number }>
  /** The entry that made an event. */
  indexAt(audience: string, seq: number): number
}

/** Numbers of an event: its row, revision, entry, and whether it is an end. */
const NUMBERS = 4
const [AT, END] = [2, 3]

export function createFeedTable(signals: SignalTable): FeedTable {
  const feeds = new Map<string, { n: number; data: Packed<Int32Array> }>()
  const item = (data: Packed<Int32Array>, seq: number): FeedItem => {
    const [row = 0, revision = 0, , end = 0] = data.at(seq - 1)
    return { ...signals.nameOf(row), row, revision, end: end === 1 }
  }
  return {
    get audiences() {
      return feeds.keys()
    },
    length: (audience) => feeds.get(audience)?.n ?? 0,
    push(audience, { row, revision, at, end }) {
      const feed = feeds.get(audience) ?? { n: 0, data: createPacked(Int32Array, NUMBERS) }
      feed.data.set(feed.n, [row, revision, at, end ? 1 : 0])
      feed.n += 1
      feeds.set(audience, feed)
    },
    items(audience, from, to) {
      const feed = feeds.get(audience)
      if (feed === undefined || from < 1 || to > feed.n || to < from) return undefined
      return Array.from({ length: to - from + 1 }, (_, i) => item(feed.data, from + i))
    },
    *ends(audience, from, to) {
      const feed = feeds.get(audience)
      if (feed === undefined) return
      for (let seq = Math.max(1, from); seq <= Math.min(to, feed.n); seq++)
        if (feed.data.get(seq - 1, END) === 1) yield { ...item(feed.data, seq), seq }
    },
    indexAt(audience, seq) {
      const feed = feeds.get(audience)
      return feed === undefined || seq < 1 || seq > feed.n ? Number.POSITIVE_INFINITY : feed.data.get(seq - 1, AT)
    },
  }
}

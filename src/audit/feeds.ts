import type { ReadItem } from '../provenance/readset.ts'
import { roomFor } from './names.ts'
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
  /** The entry that made an event. */
  indexAt(audience: string, seq: number): number
}

const NUMBERS = 4

export function createFeedTable(signals: SignalTable): FeedTable {
  const feeds = new Map<string, { n: number; data: Int32Array }>()
  return {
    get audiences() {
      return feeds.keys()
    },
    length: (audience) => feeds.get(audience)?.n ?? 0,
    push(audience, { row, revision, at, end }) {
      const feed = feeds.get(audience) ?? { n: 0, data: new Int32Array(0) }
      feed.data = roomFor(feed.data, NUMBERS * (feed.n + 1))
      feed.data.set([row, revision, at, end ? 1 : 0], NUMBERS * feed.n)
      feed.n += 1
      feeds.set(audience, feed)
    },
    items(audience, from, to) {
      const feed = feeds.get(audience)
      if (feed === undefined || from < 1 || to > feed.n || to < from) return undefined
      return Array.from({ length: to - from + 1 }, (_, i) => {
        const at = NUMBERS * (from - 1 + i)
        const [row = 0, revision = 0, , end = 0] = feed.data.subarray(at, at + NUMBERS)
        return { ...signals.nameOf(row), row, revision, end: end === 1 }
      })
    },
    indexAt: (audience, seq) => feeds.get(audience)?.data[NUMBERS * (seq - 1) + 2] ?? Number.POSITIVE_INFINITY,
  }
}

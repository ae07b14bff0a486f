import type { ReadItem } from '../provenance/readset.ts'
import { roomFor } from './names.ts'
import type { SignalTable } from './signals.ts'

/** An event of a feed: whose signal, in which revision. */
export interface FeedItem extends ReadItem {
  source: string
}

/** The feeds as entries make them: an event for each change, an end where a signal leaves an audience; dense from 1 on. */
export interface FeedTable {
  push(audience: string, row: number, revision: number, at: number): void
  /** Events from one sequence to another; undefined if the feed does not reach so far. */
  items(audience: string, from: number, to: number): FeedItem[] | undefined
  /** The entry that made an event. */
  indexAt(audience: string, seq: number): number
}

const NUMBERS = 3

export function createFeedTable(signals: SignalTable): FeedTable {
  const feeds = new Map<string, { n: number; data: Uint32Array }>()
  return {
    push(audience, row, revision, at) {
      const feed = feeds.get(audience) ?? { n: 0, data: new Uint32Array(0) }
      feed.data = roomFor(feed.data, NUMBERS * (feed.n + 1))
      feed.data.set([row, revision, at], NUMBERS * feed.n)
      feed.n += 1
      feeds.set(audience, feed)
    },
    items(audience, from, to) {
      const feed = feeds.get(audience)
      if (feed === undefined || from < 1 || to > feed.n || to < from) return undefined
      return Array.from({ length: to - from + 1 }, (_, i) => {
        const at = NUMBERS * (from - 1 + i)
        return { ...signals.nameOf(feed.data[at] ?? 0), revision: feed.data[at + 1] ?? 0 }
      })
    },
    indexAt: (audience, seq) => feeds.get(audience)?.data[NUMBERS * (seq - 1) + 2] ?? Number.POSITIVE_INFINITY,
  }
}

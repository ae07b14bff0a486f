/** What one round of flushes made of the log: batches of reads, and the links of all their parties. */
export interface FlushedRound {
  batches: number
  links: number
}

/** A log takes fewer entries of reads, and fewer links by them, however many take part. */
const BATCHES_PER_SECOND = 40
const LINKS_PER_SECOND = 5_000
const SHORTEST_MS = 1_000
/** Beyond it a read would wait too long for its entry: with more readers than this allows for, the log takes more. */
const LONGEST_MS = 60_000

/** Milliseconds from the begin of a round of flushes to that of the next, so that what the round made stays below both rates. */
export function windowMs({ batches, links }: FlushedRound): number {
  const needed = 1_000 * Math.max(batches / BATCHES_PER_SECOND, links / LINKS_PER_SECOND)
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, Math.floor(needed) + 1))
}

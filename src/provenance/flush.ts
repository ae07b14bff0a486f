import type { Uuid } from '../kernel/ids.ts'
import type { Journal } from './journal.ts'
import type { Flushed } from './read-batch.ts'
import { windowMs } from './window.ts'

export interface FlusherOptions {
  journal: Pick<Journal, 'pending' | 'flush'>
  /** Reads who takes part, so that every reader has a name. */
  refresh(): Promise<void>
  slugOf(participant: Uuid): string
  /** Told of reads that became an entry which names no source of theirs: the key of their month is lost. */
  onLost(slug: string, reads: number): void
  /** Milliseconds of a clock that nobody sets. */
  monotonic?: () => number
}

/** Batches of one participant in one round: more reads than these hold wait for the next. */
const BATCHES_IN_ROUND = 16

/** Turns reads into entries, one participant after the other, and rests as long as the log's rates need. */
export function createFlusher(options: FlusherOptions): { round(): Promise<number> } {
  const { journal, monotonic = () => performance.now() } = options
  let due = Number.NEGATIVE_INFINITY
  const flushAll = async (participant: Uuid): Promise<Flushed[]> => {
    const made: Flushed[] = []
    const slug = options.slugOf(participant)
    for (let more = true; more && made.length < BATCHES_IN_ROUND; ) {
      const flushed = await journal.flush(participant, slug)
      if (flushed.reads > 0) made.push(flushed)
      if (flushed.lost > 0) options.onLost(slug, flushed.lost)
      more = flushed.more
    }
    return made
  }

  return {
    /** Answers how many reads have an entry now; none while the window of the last round is open. */
    async round() {
      const began = monotonic()
      if (began < due) return 0
      const pending = await journal.pending()
      if (pending.length > 0) await options.refresh()
      const made: Flushed[] = []
      for (const participant of pending) made.push(...(await flushAll(participant)))
      due = began + windowMs({ batches: made.length, links: sum(made.map(({ links }) => links)) })
      return sum(made.map(({ reads }) => reads))
    },
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

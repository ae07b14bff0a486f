import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { SharedItems } from '../provenance/shared-items.ts'
import * as store from './store.ts'

/** As the source itself: row-level security shows it its own submissions, and feeds that it is or was a member of. */
export const createSharedItems = (db: Db): SharedItems => ({
  submissions: (source, signal) => asParticipant(db, source, (tx) => store.submissionsWith(tx, source, signal)),
  places: (source, feed, { signal, indices }) =>
    asParticipant(db, source, async (tx) => {
      const places: { seq: bigint; revision: number }[] = []
      for (const idx of indices) {
        const [from, to] = [await firstAt(tx, feed, idx), await firstAt(tx, feed, idx + 1n)]
        places.push(...(await store.eventsOf(tx, feed, { origin: source, signal, from, to: to - 1n })))
      }
      return places
    }),
  items: (source, feed, { from, to }) =>
    asParticipant(db, source, async (tx) =>
      (await store.eventsOf(tx, feed, { origin: source, from, to })).map((row) => ({
        signal: row.signal_id,
        revision: row.revision,
      })),
    ),
})

/** The first sequence at or after a log index, by halves: both rise together, and no index over them is kept for this. */
async function firstAt(tx: Tx, feed: Uuid, idx: bigint): Promise<bigint> {
  let low = 0n
  let high = ((await store.headOf(tx, feed))?.next_seq ?? 1n) as bigint
  while (low < high) {
    const middle = (low + high) / 2n
    const row = await store.eventFrom(tx, feed, middle)
    if (row === undefined || row.log_idx >= idx) high = middle
    else low = row.seq + 1n
  }
  return low
}

import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { SharedItems } from '../provenance/shared-items.ts'
import * as store from './store.ts'

/** As the source itself: row-level security shows it its own submissions, and feeds that it is or was a member of. */
export const createSharedItems = (db: Db): SharedItems => ({
  submissions: (source, signal) => asParticipant(db, source, (tx) => store.submissionsWith(tx, source, signal)),
  places: (source, feed, { signal, at }) =>
    asParticipant(db, source, async (tx) => {
      const places: { seq: bigint; revision: number }[] = []
      for (const place of at) {
        const [from, to] = [await store.firstAt(tx, feed, place), await store.firstAt(tx, feed, place + 1n)]
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

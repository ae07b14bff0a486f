import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { bySource, type Disclosed, type Reader } from './answer.ts'
import { type FeedDirectory, refusePaused } from './directory.ts'
import * as eventStore from './event-store.ts'
import * as store from './store.ts'

/** Events one by one, each a logged read like a page with nothing else on it; its body is the event. */
export interface EventReads {
  /** What stands in the reader's inbox at a place of the log. */
  heard(by: Reader, place: bigint): Promise<Disclosed>
  /** A dispute of one's own signal, as it stands in the inbox. */
  disputed(by: Reader, of: { signal: Uuid; dispute: Uuid }): Promise<Disclosed>
  /** The event at one place of a full feed, if the reader may see that part of it. */
  event(by: Reader, feed: Uuid, seq: bigint): Promise<Disclosed>
}

export interface EventReadsOptions {
  db: Db
  provenance: ProvenanceService
  directory: FeedDirectory
  /** Told of each event. */
  onPage(events: number): void
  /** Of each statement. */
  timeoutMs: number
}

/** Of one signal, the newest. */
const DISPUTES_MAX = 100

interface Told {
  data?: { dispute?: string }
}

export function createEventReads(options: EventReadsOptions): EventReads {
  const { db, directory, provenance, timeoutMs } = options
  const reading = (by: Reader, work: (tx: Tx<'participant'>) => Promise<Disclosed>): Promise<Disclosed> => {
    provenance.admit()
    return asParticipant(db, by.participant, work, { timeoutMs })
  }
  return {
    heard: (by, place) =>
      reading(by, async (tx) => {
        const feed = directory.inboxOf(by.participant)
        const [from, next] = [await store.firstAt(tx, feed, place), await store.firstAt(tx, feed, place + 1n)]
        const [row] = await store.entriesAfter(tx, feed, { after: from - 1n, until: null, limit: 1 })
        if (row === undefined || row.seq >= next) throw new Refusal('not-found')
        return give(options, tx, { by, feed, seq: row.seq })
      }),
    disputed: (by, { signal, dispute }) =>
      reading(by, async (tx) => {
        const feed = directory.inboxOf(by.participant)
        const rows = await eventStore.disputesHeard(tx, feed, signal, DISPUTES_MAX)
        const row = rows.find(({ body }) => (JSON.parse(body) as Told).data?.dispute === dispute)
        if (row === undefined) throw new Refusal('not-found')
        return give(options, tx, { by, feed, seq: row.seq })
      }),
    event: (by, feed, seq) =>
      reading(by, async (tx) => {
        const place = directory.feedsOf(by.participant).find(({ feed_id }) => feed_id === feed)
        if (place === undefined || directory.isSealed(feed)) throw new Refusal('not-found')
        refusePaused(directory, feed)
        const until = await store.untilOf(tx, feed, by.participant)
        if (seq < place.from_seq || (until !== null && seq > until)) throw new Refusal('not-found')
        return give(options, tx, { by, feed, seq })
      }),
  }
}

async function give(
  { provenance, directory, onPage }: EventReadsOptions,
  tx: Tx,
  { by, feed, seq }: { by: Reader; feed: Uuid; seq: bigint },
): Promise<Disclosed> {
  const [row] = await store.entriesAt(tx, feed, [seq])
  if (row === undefined) throw new Refusal('not-found')
  const { body } = row
  const read = provenance.prepareRead({
    ...{ route: by.route, as_of: { feed, from: String(seq), to: String(seq) }, n: 1 },
    body: toBase64Url(sha256(Buffer.from(body))),
    sources: bySource([row], directory.slugOf),
  })
  const [name = ''] = await provenance.insertReads(tx, by.participant, [read])
  onPage(1)
  return { body, read: name }
}

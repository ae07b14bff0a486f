import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { feedMessage, type Grown, messageId } from './message.ts'
import { FEED_KIND, FEED_WAITING_MAX } from './schema.ts'
import * as store from './store.ts'

/** A feed as far as its reader may read it. */
export interface FeedHead {
  feed: Uuid
  from_seq: bigint
  last_seq: bigint
}

/**
 * Messages for the endpoints of one organisation whose feeds grew. What is told moves on with the message, in one transaction;
 * while many wait nothing is made, and the next one tells of all.
 */
export const gatherFeeds = (
  app: Db,
  participant_id: Uuid,
  { heads, now }: { heads: readonly FeedHead[]; now: Date },
): Promise<number> =>
  asParticipant(app, participant_id, async (tx) => {
    let made = 0
    for (const endpoint of await store.liveEndpoints(tx, participant_id))
      if (endpoint.feeds.length > 0) made += await gatherOne(tx, endpoint, { heads, now })
    return made
  })

async function gatherOne(
  tx: Tx,
  { participant_id, endpoint_id, feeds }: store.EndpointRow,
  { heads, now }: { heads: readonly FeedHead[]; now: Date },
): Promise<number> {
  const of = { participant_id, endpoint_id }
  const told = new Map((await store.placesOf(tx, of)).map(({ feed_id, seq }): [Uuid, bigint] => [feed_id, seq]))
  const grown = heads.flatMap((head) => (feeds.includes(head.feed) ? grownOf(head, told.get(head.feed) ?? 0n) : []))
  if (grown.length === 0) return 0
  if ((await store.waitingFor(tx, of, FEED_WAITING_MAX)) >= FEED_WAITING_MAX) return 0
  for (const { feed, to } of grown) await store.putPlace(tx, { ...of, feed_id: feed, seq: to })
  return store.insertDeliveries(
    tx,
    grown.map((part) => ({
      ...{ ...of, message_id: messageId(endpoint_id, `${FEED_KIND}/${part.feed}/${part.to}`), kind: FEED_KIND },
      ...{ body: JSON.stringify(feedMessage(part, now)), made_at: now, attempts: 0, next_at: now },
      ...{ delivered_at: null, fault: null },
    })),
  )
}

/** Of what came before its reader was let in, nothing is told. */
function grownOf({ feed, from_seq, last_seq }: FeedHead, told: bigint): Grown[] {
  const from = told + 1n > from_seq ? told + 1n : from_seq
  return last_seq < from ? [] : [{ feed, from, to: last_seq }]
}

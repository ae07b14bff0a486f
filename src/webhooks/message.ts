import { toBase64Url, utf8 } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { Notice, NoticeMessage } from '../notices/schema.ts'
import { FEED_KIND, type FeedMessage, TEST_KIND } from './schema.ts'

/** Kinds, ids and times: nobody who reads a receiver's log learns of a value, a note or a name. */
export function messageOf({ kind, of, at, due, count }: Notice): NoticeMessage {
  return {
    type: kind,
    timestamp: at.toISOString(),
    data: { ...of, ...(due !== undefined && { due: due.toISOString() }), ...(count !== undefined && { count }) },
  }
}

/** A part of a feed, both ends in it. */
export interface Grown {
  feed: Uuid
  from: bigint
  to: bigint
}

export const feedMessage = ({ feed, from, to }: Grown, at: Date): FeedMessage => ({
  type: FEED_KIND,
  timestamp: at.toISOString(),
  data: { feed, from_seq: String(from), to_seq: String(to), count: Number(to - from + 1n) },
})

export const testMessage = (at: Date): object => ({ type: TEST_KIND, timestamp: at.toISOString(), data: {} })

/** One endpoint is told of one thing under one id, however often it is gathered. */
export const messageId = (endpoint: string, thing: string): string =>
  `msg_${toBase64Url(sha256(utf8(`${endpoint}\n${thing}`)).subarray(0, 18))}`

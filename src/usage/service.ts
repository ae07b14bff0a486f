import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type Answered, createBuffer } from './buffer.ts'
import { keptFrom } from './forget-requests.ts'
import { decodePlace, encodePlace } from './place.ts'
import {
  type LoggedRequest,
  REQUESTS_BATCH,
  REQUESTS_PAGE_MAX,
  REQUESTS_PER_HOUR,
  REQUESTS_WAITING_MAX,
  type RequestList,
  type RequestQuery,
} from './schema.ts'
import * as store from './store.ts'

export interface RequestLogOptions {
  db: Db
  clock: Clock
  /** Of a statement of a page. */
  timeoutMs: number
  waiting?: number
  perHour?: number
}

/** Requests of organisations at the listener of participants, for their own people: operational, and no entry of the log. */
export interface RequestLog {
  /** Keeps a request that was answered, or counts it where there is no room. Never waits, never throws. */
  add(row: Omit<Answered, 'at'>): void
  /** Writes down what waits, of each organisation a batch; answers how many rows. */
  round(): Promise<number>
  page(participant: Uuid, query: RequestQuery): Promise<RequestList>
}

/** Of columns of four bytes. */
const MOST = 2 ** 31 - 1

export function createRequestLog(options: RequestLogOptions): RequestLog {
  const { db, clock, timeoutMs, waiting = REQUESTS_WAITING_MAX, perHour = REQUESTS_PER_HOUR } = options
  const buffer = createBuffer({ waiting, perHour, batch: REQUESTS_BATCH })
  return {
    add: (row) => buffer.add({ ...row, at: clock(), duration_ms: Math.min(MOST, Math.max(0, row.duration_ms)) }),
    async round() {
      let written = 0
      const failed: unknown[] = []
      for (const batch of buffer.batches()) {
        // What is wrong with one organisation's rows keeps no other's waiting.
        try {
          await asParticipant(db, batch.participant, (tx) => store.insertRequests(tx, batch))
          buffer.written(batch)
          written += batch.rows.length
        } catch (error) {
          failed.push(error)
        }
      }
      if (failed.length > 0) throw failed[0]
      return written
    },
    page: (participant, { cursor, limit = REQUESTS_PAGE_MAX, ...filter }) => {
      const since = keptFrom(clock())
      const after = cursor === undefined ? undefined : decodePlace(cursor)
      return asParticipant(
        db,
        participant,
        async (tx) => {
          const rows = await store.requestsOf(tx, participant, { filter, since, after, limit: limit + 1 })
          const [shown, last] = [rows.slice(0, limit), rows[limit - 1]]
          return {
            requests: shown.map(toldOf),
            next_cursor: rows.length > limit && last !== undefined ? encodePlace(last) : null,
            dropped: (await store.droppedSince(tx, participant, since)) + buffer.dropped(participant),
          }
        },
        { timeoutMs },
      )
    },
  }
}

const toldOf = ({ credential_id, at, response_bytes, ...row }: store.RequestRow): LoggedRequest => ({
  ...{ ...row, credential: credential_id, at: at.toISOString() },
  response_bytes: response_bytes === null ? null : Number(response_bytes),
})

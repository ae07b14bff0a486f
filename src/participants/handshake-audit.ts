import { atControl } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import {
  addRefusals,
  forgetRefusals,
  newestRefusals,
  oldRefusals,
  type RefusalRow,
  refusalsByDay,
} from './handshake-store.ts'

/** Rows that wait while the database does not take them; a scanner makes at most a thousand a minute. */
const WAITING_MAX = 10_000
/** How long refusals are kept: they name addresses. */
export const REFUSALS_KEPT_DAYS = 90
const DAY_MS = 86_400_000
const FORGOTTEN_AT_ONCE = 10_000

const keptFrom = (now: Date): Date => new Date(now.getTime() - REFUSALS_KEPT_DAYS * DAY_MS)

export interface HandshakeAudit {
  /** Takes a row; `flush` writes it down. Beyond what may wait, the oldest are dropped. */
  add(row: RefusalRow): void
  /** Writes what waits; answers how many rows. */
  flush(): Promise<number>
  newest(limit: number): Promise<RefusalRow[]>
  /** How many there were of each day (UTC), from a moment on. */
  byDay(from: Date): Promise<ReadonlyMap<string, number>>
  /** How many rows are older than they are kept. */
  due(now: Date): Promise<number>
  /** Forgets, a portion at a time, what is older than it is kept; answers how many rows. */
  forget(now: Date): Promise<number>
}

/** Who was refused before any request, by minute, place and reason: kept, though nobody has proved who they are. */
export function createHandshakeAudit(admin: Db): HandshakeAudit {
  let waiting: RefusalRow[] = []
  return {
    add(row) {
      if (waiting.length >= WAITING_MAX) waiting.shift()
      waiting.push(row)
    },
    async flush() {
      if (waiting.length === 0) return 0
      const rows = waiting
      waiting = []
      try {
        await atControl(admin, (tx) => addRefusals(tx, rows))
        return rows.length
      } catch (error) {
        waiting = [...rows, ...waiting].slice(-WAITING_MAX)
        throw error
      }
    },
    due: (now) => atControl(admin, (tx) => oldRefusals(tx, keptFrom(now))),
    forget: (now) => atControl(admin, (tx) => forgetRefusals(tx, { before: keptFrom(now), limit: FORGOTTEN_AT_ONCE })),
    byDay: (from) => atControl(admin, (tx) => refusalsByDay(tx, from)),
    newest: (limit) => atControl(admin, (tx) => newestRefusals(tx, limit)),
  }
}

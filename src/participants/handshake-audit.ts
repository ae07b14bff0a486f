import { atControl } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { addRefusals, forgetRefusals, newestRefusals, type RefusalRow } from './handshake-store.ts'

/** Rows that wait while the database does not take them; a scanner makes at most a thousand a minute. */
const WAITING_MAX = 10_000
/** How long refusals are kept: they name addresses. */
export const REFUSALS_KEPT_DAYS = 90
const DAY_MS = 86_400_000
const FORGOTTEN_AT_ONCE = 10_000

export interface HandshakeAudit {
  /** Takes a row; `flush` writes it down. Beyond what may wait, the oldest are dropped. */
  add(row: RefusalRow): void
  /** Writes what waits; answers how many rows. */
  flush(): Promise<number>
  newest(limit: number): Promise<RefusalRow[]>
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
    forget(now) {
      const before = new Date(now.getTime() - REFUSALS_KEPT_DAYS * DAY_MS)
      return atControl(admin, (tx) => forgetRefusals(tx, { before, limit: FORGOTTEN_AT_ONCE }))
    },
    newest: (limit) => atControl(admin, (tx) => newestRefusals(tx, limit)),
  }
}

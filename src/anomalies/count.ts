import type { Tx } from '../db/as-participant.ts'
import type { Counted } from '../provenance/explore.ts'
import * as store from './store.ts'

const HOUR_MS = 3_600_000

/** What each organisation does by the hour, added up as entries are integrated; each entry counts once. */
export const createActivity = (logId: number): Counted => ({
  async count(entries) {
    const rows = new Map<string, store.HourRow>()
    for (const { at, actor, kind, items } of entries) {
      const hour = new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS)
      const name = `${hour.toISOString()} ${actor} ${kind}`
      const known = rows.get(name) ?? { hour, actor, kind, entries: 0, items: 0 }
      rows.set(name, { ...known, entries: known.entries + 1, items: known.items + items })
    }
    // In one order, so that two processes lock rows alike.
    const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
    return (tx: Tx) => store.addActivity(tx, logId, sorted)
  },
})

import type { Preferences } from './preference-rule.ts'

/** What a person saw of severe items on one day of UTC; counted for nobody but that person. */
export interface Exposure {
  seen: number
  /** Since the last break. */
  since_break: number
  /** When the work since the last break began, and when the last item was opened. */
  began_at: Date
  last_at: Date
}

/** A quarter of an hour without a severe item is a break. */
export const BREAK_MS = 15 * 60_000
const MINUTE_MS = 60_000

/** Severities whose cases are counted. */
export const SEVERE: ReadonlySet<string> = new Set(['high', 'critical'])

/** One more item at a moment. */
export function seenOne(before: Exposure | undefined, now: Date): Exposure {
  if (before === undefined) return { seen: 1, since_break: 1, began_at: now, last_at: now }
  const rested = now.getTime() - before.last_at.getTime() >= BREAK_MS
  return {
    seen: before.seen + 1,
    since_break: rested ? 1 : before.since_break + 1,
    began_at: rested ? now : before.began_at,
    last_at: now,
  }
}

/** Whether somebody should rest, and why; undefined where not. */
export function nudgeFor(
  { since_break, began_at, last_at }: Exposure,
  { nudge_items, nudge_minutes }: Pick<Preferences, 'nudge_items' | 'nudge_minutes'>,
  now: Date,
): 'items' | 'minutes' | undefined {
  if (now.getTime() - last_at.getTime() >= BREAK_MS) return undefined
  if (nudge_items !== null && since_break >= nudge_items) return 'items'
  const minutes = (now.getTime() - began_at.getTime()) / MINUTE_MS
  return nudge_minutes !== null && minutes >= nudge_minutes ? 'minutes' : undefined
}

/** Whether *next* may still give a severe case today. */
export const mayHaveSevere = (seen: number, { daily_cap }: Pick<Preferences, 'daily_cap'>): boolean =>
  daily_cap === null || seen < daily_cap

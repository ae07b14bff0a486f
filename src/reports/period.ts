import type { Period } from './tally.ts'

/** Of one report: a year, and what a year may be longer. */
export const REPORT_DAYS_MAX = 400
const DAY_MS = 86_400_000

/** What is wrong with a period that somebody asks a report of, in one sentence; undefined for a good one. */
export function periodFault({ from, to }: Period, now: number): string | undefined {
  if (Number.isNaN(from) || Number.isNaN(to)) return 'from and to are days, such as 2026-07-01'
  if (to <= from || to - from > REPORT_DAYS_MAX * DAY_MS) return `to is after from, and at most ${REPORT_DAYS_MAX} days`
  return to > now ? 'the period is not over, and its figures would still change' : undefined
}

/** A day or an instant of UTC as milliseconds; NaN for what is no day of the calendar. */
export function instantIn(text: string): number {
  const instant = text.includes('T') ? text : `${text}T00:00:00Z`
  if (!/^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(instant)) return Number.NaN
  const time = Date.parse(instant)
  // What is no day of the calendar would be taken for another.
  return !Number.isNaN(time) && new Date(time).toISOString() === instant.replace('Z', '.000Z') ? time : Number.NaN
}

/** Whether a first entry says that the period reaches back into a log that this one continues. */
export const reachesBack = (
  { index, kind, time }: { index: bigint; kind: string; time: number },
  { from }: Period,
): boolean => index === 0n && kind === 'log.opened' && from < time

export const REACHES_BACK = 'the period begins in a log that this one continues: report up to its end, and from it on'

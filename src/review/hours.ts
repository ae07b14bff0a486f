/** When an organisation reviews, by UTC: on which days of the week (0 is Sunday), from and to which minute of them. */
export interface Hours {
  days: readonly number[]
  from: number
  to: number
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

const WEEK_MS = 7 * DAY_MS

/** The moment at which so much time has passed, counted only while somebody reviews; without hours always. */
export function workingAfter(begin: Date, ms: number, hours: Hours | undefined): Date {
  if (hours === undefined || ms <= 0) return new Date(begin.getTime() + ms)
  // What is left after whole weeks is never nothing: it is over with the last minute of somebody's work, not a week later.
  const weeks = Math.ceil(ms / inWeek(hours)) - 1
  let left = ms - weeks * inWeek(hours)
  const first = begin.getTime() + weeks * WEEK_MS
  for (let day = dayOf(first); ; day += DAY_MS) {
    const { from, to } = windowOf(day, hours)
    const start = Math.max(from, first)
    if (start + left <= to) return new Date(start + left)
    left -= Math.max(0, to - start)
  }
}

/** How much of the time between two moments somebody reviewed. */
export function workingBetween(begin: Date, end: Date, hours: Hours | undefined): number {
  const [first, last] = [begin.getTime(), end.getTime()]
  if (hours === undefined) return last - first
  const weeks = Math.max(0, Math.floor((last - first) / WEEK_MS))
  const rest = first + weeks * WEEK_MS
  let sum = weeks * inWeek(hours)
  for (let day = dayOf(rest); day < last; day += DAY_MS) {
    const { from, to } = windowOf(day, hours)
    sum += Math.max(0, Math.min(to, last) - Math.max(from, rest))
  }
  return sum
}

/** Whatever seven days follow each other, somebody works as long in them: hours are by UTC, which has no summer time. */
const inWeek = ({ days, from, to }: Hours): number => new Set(days).size * (to - from) * MINUTE_MS

const dayOf = (at: number): number => at - (at % DAY_MS)

/** The hours of a day, of length none where nobody works. */
function windowOf(day: number, { days, from, to }: Hours): { from: number; to: number } {
  const begin = day + from * MINUTE_MS
  return { from: begin, to: days.includes(new Date(day).getUTCDay()) ? day + to * MINUTE_MS : begin }
}

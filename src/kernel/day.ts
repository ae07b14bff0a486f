const DAY_MS = 86_400_000

let last = { day: Number.NaN, text: '' }

/** The day of an instant (UTC), as `2026-11-27`. It is asked for with every request, of the same day as before. */
export function dayOf(at: Date): string {
  const day = Math.floor(at.getTime() / DAY_MS)
  if (day !== last.day) last = { day, text: at.toISOString().slice(0, 10) }
  return last.text
}

/** When the next day (UTC) begins. */
export const nextDay = (at: Date): Date => new Date(Date.parse(dayOf(at)) + DAY_MS)

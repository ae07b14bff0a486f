const DAY_MS = 86_400_000

/** The day of an instant (UTC), as `2026-11-27`. */
export const dayOf = (at: Date): string => at.toISOString().slice(0, 10)

/** When the next day (UTC) begins. */
export const nextDay = (at: Date): Date => new Date(Date.parse(dayOf(at)) + DAY_MS)

/** An act that has not come to its time in so long is gone: who asked for it may not want it any more. */
export const LATE_MS = 86_400_000
/** How far ahead an act may be set. */
export const AHEAD_DAYS = 90
/** Beyond it the log says by how much it is late. */
const SOON_MS = 60_000

/** When an act is to take effect, as its payload says; undefined where somebody carries it out. */
export function effectiveAt(payload: string): Date | undefined {
  const { effective_at } = JSON.parse(payload) as { effective_at?: string }
  return effective_at === undefined ? undefined : new Date(effective_at)
}

/** Whether a time may be set now: yet to come, and not too far. */
export const maySchedule = (at: Date, now: Date): boolean =>
  at > now && at.getTime() - now.getTime() <= AHEAD_DAYS * 86_400_000

/** Whole seconds by which an act was late; undefined if it was not. */
export function lateBy(due: Date | undefined, at: Date): number | undefined {
  const late = due === undefined ? 0 : at.getTime() - due.getTime()
  return late > SOON_MS ? Math.floor(late / 1_000) : undefined
}

const DAY_MS = 86_400_000

/** Days before the end of a key on which people are told; each is the upper end of a band. */
export const EXPIRY_DAYS = [60, 30, 14, 7, 1] as const
export type ExpiryBand = 'ended' | (typeof EXPIRY_DAYS)[number] | 'good'

/** How near the end is: the fewest of the days that are still left, `good` before the first of them. */
export function expiryBand(not_after: Date, now: Date): ExpiryBand {
  const left = not_after.getTime() - now.getTime()
  if (left <= 0) return 'ended'
  return EXPIRY_DAYS.findLast((days) => left <= days * DAY_MS) ?? 'good'
}

/** Whether a key opens anything now. */
export const isLive = ({ status, ends }: { status: string; ends: ExpiryBand }): boolean =>
  status === 'active' && ends !== 'ended'

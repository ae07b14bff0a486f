import { Refusal } from '../kernel/errors.ts'

/** How old a mirror is; undefined before its first complete synchronisation. */
export function ageOf(syncedAt: Date | undefined, now: Date): number | undefined {
  // A clock that was put back makes it no younger.
  return syncedAt === undefined ? undefined : Math.abs(now.getTime() - syncedAt.getTime())
}

/** Whether it is not older than an answer may be. */
export function isFresh(syncedAt: Date | undefined, { now, maxAgeMs }: { now: Date; maxAgeMs: number }): boolean {
  const age = ageOf(syncedAt, now)
  return age !== undefined && age <= maxAgeMs
}

/** Throws `mirror-stale` where it is older than an answer may be: withdrawals may be missing from it. */
export function expectFresh(syncedAt: Date | undefined, { now, maxAgeMs }: { now: Date; maxAgeMs: number }): void {
  if (isFresh(syncedAt, { now, maxAgeMs })) return
  const since = syncedAt === undefined ? {} : { since: instant(syncedAt) }
  const detail =
    syncedAt === undefined
      ? 'nothing was synchronised yet'
      : 'the last synchronisation was then; withdrawals may be missing, and nothing is matched'
  throw new Refusal('mirror-stale', { detail, extra: { ...since, max_age_seconds: maxAgeMs / 1_000 } })
}

const instant = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`

const FIRST_MS = 1_000
const LONGEST_MS = 300_000

/**
 * Milliseconds to the next attempt: the interval, a tenth more or less; after failures twice as long each time, half of it at random,
 * so that the bridges of a programme do not all return to a node in the same second.
 */
export function pauseAfter(failures: number, { intervalMs, random }: { intervalMs: number; random(): number }): number {
  if (failures === 0) return intervalMs * (0.9 + 0.2 * random())
  const most = Math.min(Math.max(LONGEST_MS, intervalMs), FIRST_MS * 2 ** (failures - 1))
  return most * (0.5 + 0.5 * random())
}

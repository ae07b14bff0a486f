import { dayOf } from '../kernel/day.ts'
import type { Uuid } from '../kernel/ids.ts'

/** The part of a day's quota from which its use is unusual. */
export const HIGH_USE = 0.8
/** Keys of one participant in a day from which the ratio says something, and the ratio below which it looks like guessing. */
export const KEYS_AT_LEAST = 10_000
const HITS_AT_LEAST = 0.001

export interface HitCounts {
  /** Told of look-ups that were answered. */
  looked(participant: Uuid, keys: number, matches: number, now: Date): void
  /** Whoever asked so much today, and found so little, that it may be guessing. */
  guessing(now: Date): Uuid[]
}

/** What each participant asked and found today (UTC), since this process began. */
export function createHitCounts(): HitCounts {
  const counts = new Map<Uuid, { keys: number; matches: number }>()
  let day = ''
  const turn = (now: Date): void => {
    const today = dayOf(now)
    if (today !== day) counts.clear()
    day = today
  }
  return {
    looked(participant, keys, matches, now) {
      turn(now)
      const { keys: before, matches: found } = counts.get(participant) ?? { keys: 0, matches: 0 }
      counts.set(participant, { keys: before + keys, matches: found + matches })
    },
    guessing(now) {
      turn(now)
      return [...counts]
        .filter(([, { keys, matches }]) => keys >= KEYS_AT_LEAST && matches < HITS_AT_LEAST * keys)
        .map(([participant]) => participant)
    },
  }
}

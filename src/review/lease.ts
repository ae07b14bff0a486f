import type { Uuid } from '../kernel/ids.ts'

export const LEASE_MS = 15 * 60_000
/** What is left when a tab goes away: it may be back, since a reload looks the same. */
export const LEAVING_MS = 10_000

/** Who works on a case; data that is held against the clock, so that nothing sweeps it and nothing sticks. */
export interface Lease {
  holder: string
  token: Uuid
  expires_at: Date
}

export const isLive = (lease: Lease | undefined, now: Date): lease is Lease =>
  lease !== undefined && lease.expires_at > now

export type Claim =
  | { outcome: 'free' }
  | { outcome: 'mine' }
  | { outcome: 'taken_over'; from: string }
  | { outcome: 'held'; holder: string }

/** Whether somebody may begin: whoever holds it, anybody where nobody does, and a lead before the time is over. */
export function claim(
  lease: Lease | undefined,
  { who, assigned, lead, now }: { who: string; assigned: string | null; lead: boolean; now: Date },
): Claim {
  const holder = isLive(lease, now) ? lease.holder : (assigned ?? undefined)
  if (holder === who) return { outcome: 'mine' }
  if (holder === undefined) return { outcome: 'free' }
  return lead ? { outcome: 'taken_over', from: holder } : { outcome: 'held', holder }
}

export type Grip = 'good' | 'lapsed' | 'held'

/** Whether a token still stands for the case: one that lapsed does, as long as nobody came between. */
export function grip(lease: Lease | undefined, token: string | undefined, now: Date): Grip {
  if (lease === undefined || token === undefined) return 'lapsed'
  if (lease.token === token) return 'good'
  return isLive(lease, now) ? 'held' : 'lapsed'
}

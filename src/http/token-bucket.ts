import type { Clock } from '../kernel/clock.ts'

/** Tokens a second, and how many a bucket holds. */
export interface Rate {
  perSecond: number
  burst: number
}

/** Buckets that are kept; beyond, the full ones are forgotten, which changes nothing. */
const BUCKETS_MAX = 10_000

export interface TokenBuckets {
  /** Whether one more may pass now, or so many at once. */
  (key: string, n?: number): boolean
  /** How many more might pass now. */
  left(key: string): number
}

/** A token bucket per key. */
export function createTokenBuckets(clock: Clock, { perSecond, burst }: Rate): TokenBuckets {
  const buckets = new Map<string, { tokens: number; at: number }>()

  const filled = ({ tokens, at }: { tokens: number; at: number }, now: number): number =>
    Math.min(burst, tokens + (Math.max(0, now - at) / 1_000) * perSecond)

  const sweep = (now: number): void => {
    for (const [key, bucket] of buckets) if (filled(bucket, now) >= burst) buckets.delete(key)
    // Most are in use: an attack from many places, in which the oldest tell least. A tenth, so that this is rare.
    for (const key of buckets.keys()) {
      if (buckets.size < 0.9 * BUCKETS_MAX) break
      buckets.delete(key)
    }
  }

  const take = (key: string, n = 1): boolean => {
    const now = clock().getTime()
    if (buckets.size >= BUCKETS_MAX && !buckets.has(key)) sweep(now)
    const tokens = filled(buckets.get(key) ?? { tokens: burst, at: now }, now)
    buckets.set(key, { tokens: tokens < n ? tokens : tokens - n, at: now })
    return tokens >= n
  }
  const left = (key: string): number => {
    const bucket = buckets.get(key)
    return bucket === undefined ? burst : Math.floor(filled(bucket, clock().getTime()))
  }
  return Object.assign(take, { left })
}

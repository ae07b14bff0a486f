import { dayOf } from '../kernel/day.ts'
import type { Anomaly } from './rules.ts'
import { BASELINE_LEAST, HIT_POINTS, LEAST } from './thresholds.ts'

const DAY_MS = 86_400_000
export const dayBefore = (day: string, n: number): string => dayOf(new Date(Date.parse(day) - n * DAY_MS))

/** Of one key that was used on the day that is looked at. */
export interface UsedFrom {
  actor: string
  /** Networks of the day that are new to it. */
  fresh: number
  /** Networks of the days before. */
  known: number
}

/** A key that was not used before has no networks yet: its first one is nothing unusual. */
export function newNetworks(used: readonly UsedFrom[]): Anomaly[] {
  const sums = new Map<string, { measured: number; baseline: number }>()
  for (const { actor, fresh, known } of used) {
    if (known === 0) continue
    const { measured, baseline } = sums.get(actor) ?? { measured: 0, baseline: 0 }
    sums.set(actor, { measured: measured + fresh, baseline: baseline + known })
  }
  return sorted(sums).map(([subject, sum]) => ({
    ...{ rule: 'network' as const, subject, ...sum },
    threshold: LEAST.networks,
  }))
}

/** Of one organisation on one day. */
export interface LookedUp {
  day: string
  actor: string
  lookups: number
  with_hits: number
}

/** How far the share of look-ups that found something is from what it was on all the usual days together, either way. */
export function hitRatios(
  looked: readonly LookedUp[],
  { day, usual }: { day: string; usual: readonly string[] },
): Anomaly[] {
  const days = new Set(usual)
  return sorted(Map.groupBy(looked, ({ actor }) => actor)).flatMap(([subject, own]) => {
    const now = sumOf(own.filter((one) => one.day === day))
    const before = sumOf(own.filter((one) => days.has(one.day)))
    if (now.lookups < LEAST.hit_ratio || before.lookups < LEAST.hit_ratio || before.days < BASELINE_LEAST) return []
    const baseline = shareOf(before)
    const threshold = Math.max(HIT_POINTS, Math.ceil(baseline / 2))
    return [{ rule: 'hit_ratio' as const, subject, measured: Math.abs(shareOf(now) - baseline), baseline, threshold }]
  })
}

const sumOf = (rows: readonly LookedUp[]) => ({
  lookups: rows.reduce((sum, one) => sum + one.lookups, 0),
  with_hits: rows.reduce((sum, one) => sum + one.with_hits, 0),
  days: rows.filter(({ lookups }) => lookups > 0).length,
})
const shareOf = ({ lookups, with_hits }: { lookups: number; with_hits: number }): number =>
  Math.round((100 * with_hits) / lookups)

/** By organisation. */
export const sorted = <T>(map: ReadonlyMap<string, T>): [string, T][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

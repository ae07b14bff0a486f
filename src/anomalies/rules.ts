import { dayBefore, hitRatios, type LookedUp, newNetworks, sorted, type UsedFrom } from './sighting-rules.ts'
import {
  ANSWER_DAYS,
  ANSWERS_LEAST,
  BASELINE_DAYS,
  BASELINE_LEAST,
  DRIFT_LEAST,
  DRIFT_PERCENT,
  GAP_MINUTES,
  LEAST,
  NOT_CONFIRMED_PERCENT,
  type RuleName,
  TIMES,
  UNANSWERED_LEAST,
  UNANSWERED_PERCENT,
} from './thresholds.ts'

/** What was counted, as far as the rules look at it. Days are of UTC, `2026-11-01`. */
export interface Observed {
  /** The day that is looked at; the days before it are what is usual. */
  day: string
  /** The first day that was counted at all. */
  since: string
  activity: readonly Activity[]
  shares: Shares
  /** The longest time between two checkpoints of the day, minutes. */
  longestGap: number
  /** Connections that were refused, by day. */
  refused: ReadonlyMap<string, number>
  /** Keys that were used on the day. */
  used: readonly UsedFrom[]
  looked: readonly LookedUp[]
}

/** Of one organisation in one hour of a day. */
export interface Activity {
  day: string
  /** 0 to 23. */
  hour: number
  actor: string
  kind: string
  entries: number
  items: number
}

/** What was shared on the day and the usual ones before it. */
export interface Shares {
  /** What a source shared in a category: in the week up to the day (`recent`), or before. */
  mixes: readonly { source: string; category: string; recent: boolean; shared: number }[]
  /** What a source was told. */
  answers: readonly { source: string; not_violating: number; answered: number }[]
  /** What a recipient was given so long ago that an answer is due, and how much of it has none. */
  due: readonly { recipient: string; shared: number; unanswered: number }[]
}

/** The first day of the week that ends with a day, and the last one whose signals should have their answers by then. */
export const sharesAskedOn = (day: string): { recent: string; due: string } => ({
  recent: dayBefore(day, ANSWER_DAYS - 1),
  due: dayBefore(day, ANSWER_DAYS),
})

/** Of one organisation, or of `log` itself, on one day. Numbers are whole, in the unit of the rule. */
export interface Anomaly {
  rule: RuleName
  subject: string
  measured: number
  baseline: number
  /** From this number on it is told. */
  threshold: number
}

const KINDS = {
  volume: ['signal.submitted', 'signal.revised'],
  lookups: ['lookup.evaluated'],
  reads: ['read.batch'],
} as const
/** Kinds whose activity is counted by the hour. */
export const COUNTED_KINDS: readonly string[] = Object.values(KINDS).flat()

/** Everything unusual of one day, by rule and then by organisation. */
export const anomaliesOf = (observed: Observed): Anomaly[] =>
  [
    ...(['volume', 'lookups', 'reads'] as const).flatMap((rule) => bursts(observed, rule)),
    ...unusualHours(observed),
    ...drifts(observed),
    ...notConfirmed(observed),
    ...unanswered(observed),
    ...gaps(observed),
    ...refusals(observed),
    ...newNetworks(observed.used),
    ...hitRatios(observed.looked, { day: observed.day, usual: usualDays(observed) }),
  ].filter(({ measured, threshold }) => measured >= threshold)

/** The usual days that were counted, the first of them first; none while there are too few. */
function usualDays({ day, since }: Observed): string[] {
  const days = Array.from({ length: BASELINE_DAYS }, (_, i) => dayBefore(day, BASELINE_DAYS - i))
  const counted = days.filter((one) => one >= since)
  return counted.length < BASELINE_LEAST ? [] : counted
}

/** The middle one, rounded up; a day without anything is 0. */
function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

function bursts(observed: Observed, rule: 'volume' | 'lookups' | 'reads'): Anomaly[] {
  const usual = usualDays(observed)
  if (usual.length === 0) return []
  const kinds: readonly string[] = KINDS[rule]
  const sums = new Map<string, Map<string, number>>()
  for (const { actor, kind, day, items } of observed.activity) {
    if (!kinds.includes(kind)) continue
    const days = sums.get(actor) ?? new Map<string, number>()
    sums.set(actor, days.set(day, (days.get(day) ?? 0) + items))
  }
  return sorted(sums).map(([subject, days]) => {
    const baseline = medianOf(usual.map((day) => days.get(day) ?? 0))
    const threshold = Math.max(LEAST[rule], TIMES * baseline)
    return { rule, subject, measured: days.get(observed.day) ?? 0, baseline, threshold }
  })
}

/** Machines read at all hours: what they submit and ask for says more. */
function unusualHours(observed: Observed): Anomaly[] {
  const usual = new Set(usualDays(observed))
  if (usual.size < BASELINE_DAYS / 2) return []
  const known = new Map<string, Set<number>>()
  const now = new Map<string, number>()
  const acted = observed.activity.filter(({ kind }) => kind !== 'read.batch')
  for (const { actor, day, hour } of acted)
    if (usual.has(day)) known.set(actor, (known.get(actor) ?? new Set()).add(hour))
  for (const { actor, day, hour, entries } of acted) {
    const hours = known.get(actor)
    if (day !== observed.day || hours === undefined || hours.has(hour)) continue
    now.set(actor, (now.get(actor) ?? 0) + entries)
  }
  return sorted(now).map(([subject, measured]) => ({
    ...{ rule: 'hours' as const, subject, measured, baseline: 0, threshold: LEAST.hours },
  }))
}

function drifts(observed: Observed): Anomaly[] {
  const [now, before] = [new Map<string, Map<string, number>>(), new Map<string, Map<string, number>>()]
  for (const { source, category, recent, shared } of observed.shares.mixes) {
    const into = recent ? now : before
    const counts = into.get(source) ?? new Map<string, number>()
    into.set(source, counts.set(category, (counts.get(category) ?? 0) + shared))
  }
  return sorted(now).flatMap(([subject, counts]) => {
    const usual = before.get(subject) ?? new Map<string, number>()
    if (sumOf(counts) < DRIFT_LEAST || sumOf(usual) < DRIFT_LEAST) return []
    const measured = distance(counts, usual)
    return [{ rule: 'category_drift' as const, subject, measured, baseline: 0, threshold: DRIFT_PERCENT }]
  })
}

const sumOf = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((sum, n) => sum + n, 0)

/** Half the sum of the differences of shares, in percent: 0 for the same mix, 100 for nothing in common. */
export function distance(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  const [all, other] = [sumOf(a) || 1, sumOf(b) || 1]
  const names = new Set([...a.keys(), ...b.keys()])
  const parts = [...names].map((name) => Math.abs((a.get(name) ?? 0) / all - (b.get(name) ?? 0) / other))
  return Math.round((100 * parts.reduce((sum, n) => sum + n, 0)) / 2)
}

function notConfirmed({ shares }: Observed): Anomaly[] {
  const of = ratios(shares.answers.map(({ source, not_violating, answered }) => [source, not_violating, answered]))
  return of.flatMap(({ subject, percent, of, usual }) =>
    of < ANSWERS_LEAST
      ? []
      : {
          ...{ rule: 'not_confirmed' as const, subject, measured: percent, baseline: usual },
          threshold: Math.max(NOT_CONFIRMED_PERCENT, 2 * usual),
        },
  )
}

function unanswered({ shares }: Observed): Anomaly[] {
  const of = ratios(shares.due.map(({ recipient, unanswered: n, shared }) => [recipient, n, shared]))
  return of.flatMap(({ subject, percent, of, usual }) =>
    of < UNANSWERED_LEAST
      ? []
      : {
          ...{ rule: 'feedback_missing' as const, subject, measured: percent, baseline: usual },
          // Where nobody answers, it is not one organisation that is unusual.
          threshold: Math.max(UNANSWERED_PERCENT, Math.min(101, usual + 10)),
        },
  )
}

/** Of each organisation, named once, a part in percent, of how many, and what the same part is of all the others. */
function ratios(
  parts: readonly (readonly [subject: string, n: number, of: number])[],
): { subject: string; percent: number; of: number; usual: number }[] {
  const total = [parts.reduce((sum, [, n]) => sum + n, 0), parts.reduce((sum, [, , of]) => sum + of, 0)] as const
  const percent = (n: number, of: number): number => (of <= 0 ? 0 : Math.round((100 * n) / of))
  return parts
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([subject, n, of]) => ({
      ...{ subject, of, percent: percent(n, of), usual: percent(total[0] - n, total[1] - of) },
    }))
}

const gaps = ({ longestGap }: Observed): Anomaly[] => [
  { rule: 'checkpoint_gap', subject: 'log', measured: longestGap, baseline: 0, threshold: GAP_MINUTES },
]

function refusals(observed: Observed): Anomaly[] {
  const usual = usualDays(observed)
  if (usual.length === 0) return []
  const { refused, day } = observed
  const baseline = medianOf(usual.map((one) => refused.get(one) ?? 0))
  const threshold = Math.max(LEAST.connections, TIMES * baseline)
  return [{ rule: 'connections_refused', subject: 'log', measured: refused.get(day) ?? 0, baseline, threshold }]
}

import { type Hours, workingAfter } from './hours.ts'

/** As cases store it; signals say it by name. */
export const SEVERITY = { low: 1, medium: 2, high: 3, critical: 4 } as const
export type Severity = keyof typeof SEVERITY

const HOUR_MS = 3_600_000
const NAMES = ['', 'Low', 'Medium', 'High', 'Critical']

export interface Weighed {
  severity: number
  own_hits: number
  confirmations: number
  confidence: number
  disputed: boolean
}

/** A count of own hits that opens a case again when it is reached. */
const BANDS = [1, 2, 10] as const

/** How far hits have come: 0 for none, then one for each band that was reached. */
export const bandOf = (hits: number): number => BANDS.filter((from) => hits >= from).length

/** One number to sort by: severity, then own hits by band, then confirmations up to 15, then confidence. */
export const rankOf = ({ severity, own_hits, confirmations, confidence }: Weighed): number =>
  ((severity * 4 + bandOf(own_hits)) * 16 + Math.min(confirmations, 15)) * 128 + confidence

/** By when it has to be decided, from the moment that the reason came; time counts only while the organisation reviews. */
export function dueAt(
  opened: Date,
  weighed: Weighed,
  { asked, hours }: { asked: boolean; hours?: Hours | undefined },
): Date {
  return workingAfter(opened, hoursOf(weighed, asked) * HOUR_MS, hours)
}

/** Whether it has less time than another. */
export const isMoreUrgent = (one: Weighed, than: Weighed): boolean => hoursOf(one, false) < hoursOf(than, false)

function hoursOf({ severity, own_hits, disputed }: Weighed, asked: boolean): number {
  if (severity === SEVERITY.critical || disputed || asked) return 4
  if (severity === SEVERITY.high) return own_hits > 0 ? 4 : 24
  return severity === SEVERITY.medium ? 72 : 168
}

/** Why a case stands where it does, in sentences. */
export function reasonsOf(weighed: Weighed & { due_at: Date; paused: boolean }, now: Date): string[] {
  const { severity, own_hits, confirmations, disputed, due_at, paused } = weighed
  return [
    `${NAMES[severity] ?? 'Unknown'}.`,
    ...(own_hits > 0 ? [`${own_hits} ${own_hits === 1 ? 'hit' : 'hits'} here.`] : []),
    ...(confirmations > 0 ? [`${confirmations} ${confirmations === 1 ? 'platform' : 'platforms'} confirmed.`] : []),
    ...(disputed ? ['Disputed.'] : []),
    paused ? 'Waits for the source.' : dueIn(due_at.getTime() - now.getTime()),
  ]
}

function dueIn(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000)
  const [days, hours] = [Math.floor(minutes / 1_440), Math.floor(minutes / 60)]
  const span = days >= 2 ? `${days} days` : hours >= 2 ? `${hours} hours` : `${minutes} min`
  return ms < 0 ? `Overdue by ${span}.` : `Due in ${span}.`
}

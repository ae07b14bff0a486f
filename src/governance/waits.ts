/** Hours within which a first answer came, each bucket without those of the one before; the last is for all that took longer. */
export const WAIT_HOURS = [1, 2, 4, 8, 12, 24, 48, 72, 120, 168, 336, 720] as const

const HOUR_MS = 3_600_000

export const noWaits = (): number[] => Array.from({ length: WAIT_HOURS.length + 1 }, () => 0)

export function waitsOf(ms: number): number[] {
  const waits = noWaits()
  const at = WAIT_HOURS.findIndex((hours) => ms <= hours * HOUR_MS)
  waits[at < 0 ? WAIT_HOURS.length : at] = 1
  return waits
}

export const sumOf = (a: readonly number[], b: readonly number[]): number[] =>
  noWaits().map((_, i) => (a[i] ?? 0) + (b[i] ?? 0))

/** The hours within which half of the answers came; Infinity beyond the last bucket, undefined without any. */
export function medianOf(waits: readonly number[]): number | undefined {
  const all = waits.reduce((n, one) => n + one, 0)
  if (all === 0) return undefined
  let seen = 0
  const at = waits.findIndex((n) => {
    seen += n
    return 2 * seen >= all
  })
  return WAIT_HOURS[at] ?? Number.POSITIVE_INFINITY
}

import type { Figure, Rows } from './schema.ts'

export type Counts = Map<string, number>

export function count(counts: Counts, key: string, n: number): void {
  counts.set(key, (counts.get(key) ?? 0) + n)
}

/** Adds counts as an entry tells them, `{"url":3}`; what is no count is none. */
export function countAll(counts: Counts, told: unknown): Counts {
  for (const [key, n] of Object.entries(Object(told) as Record<string, unknown>))
    if (typeof n === 'number' && Number.isSafeInteger(n) && n >= 0) count(counts, key, n)
  return counts
}

/** By their keys, so that the same counts are the same text. */
export const toRows = (counts: Counts): Rows =>
  [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => ({ key, value }))

/** The middle one, whole; with how many there are. 0 of none. */
export function medianOf(values: readonly number[]): Pick<Figure, 'value' | 'n'> {
  const sorted = [...values].sort((a, b) => a - b)
  const [low = 0, high = 0] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]]
  return { value: Math.round((low + high) / 2), n: sorted.length }
}

export function textIn(fields: ReadonlyMap<string, unknown>, name: string): string {
  const value = fields.get(name)
  return typeof value === 'string' ? value : ''
}

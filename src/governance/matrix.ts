import type { Measure } from './measure.ts'
import type { ShareCounts } from './shares.ts'
import { medianOf } from './waits.ts'

export interface ShareCell extends ShareCounts {
  source: string
  recipient: string
}

/** Of a median: hours within which half of the first answers came; undefined where there are none, Infinity beyond a month. */
export const measureOf = (cell: ShareCounts | undefined, measure: Measure): number | undefined => {
  if (measure === 'median_hours') return cell === undefined ? undefined : medianOf(cell.waits)
  return cell?.[measure] ?? 0
}

/** One of seven shades, by the square root: a cell four times as large is twice as dark. */
export function heatOf(n: number | undefined, most: number): 0 | 1 | 2 | 3 | 4 | 5 | 6 {
  if (n === undefined || n <= 0 || most <= 0) return 0
  const part = Math.sqrt(Math.min(n, most) / most)
  return Math.min(6, 1 + Math.floor(part * 5.999)) as 1 | 2 | 3 | 4 | 5 | 6
}

/** Whether a flow is what the audiences let expect: none where there might be one, or one where there may be none. */
export type Expected = 'as-allowed' | 'unexpected-zero' | 'unexpected-flow' | 'none'

export function expectedOf({ shared, allowed, sends }: { shared: number; allowed: boolean; sends: boolean }): Expected {
  if (shared > 0) return allowed ? 'as-allowed' : 'unexpected-flow'
  // Who sends to nobody leaves nobody out.
  return allowed && sends ? 'unexpected-zero' : 'none'
}

/** A value that may leave, or why it does not: `small` by itself, `complement` since the sum would tell a small one. */
export type Released = number | 'small' | 'complement'

/** Cells of a square whose sums are told: what is below `least` is hidden, and with it enough others that no sum tells it. */
export function suppressed(values: readonly (readonly number[])[], least: number): Released[][] {
  const hidden: (undefined | 'small' | 'complement')[][] = values.map((row) =>
    row.map((n) => (n > 0 && n < least ? 'small' : undefined)),
  )
  for (let changed = true; changed; ) {
    const rows = values.map((_, i) => linesIn(values, { row: i }))
    const columns = (values[0] ?? []).map((_, i) => linesIn(values, { column: i }))
    changed = false
    for (const line of [...rows, ...columns]) if (complete(line, { values, hidden, least })) changed = true
  }
  return values.map((row, i) => row.map((n, j): Released => hidden[i]?.[j] ?? n))
}

type Place = readonly [row: number, column: number]

const linesIn = (values: readonly (readonly number[])[], at: { row: number } | { column: number }): Place[] =>
  'row' in at ? (values[at.row] ?? []).map((_, j): Place => [at.row, j]) : values.map((_, i): Place => [i, at.column])

/** Hides one more where what is hidden of a line could be told by the rest of it; answers whether it did. */
function complete(
  line: readonly Place[],
  of: { values: readonly (readonly number[])[]; hidden: (undefined | 'small' | 'complement')[][]; least: number },
): boolean {
  const { values, hidden, least } = of
  const valueAt = ([i, j]: Place): number => values[i]?.[j] ?? 0
  const gone = line.filter(([i, j]) => hidden[i]?.[j] !== undefined)
  const sum = gone.reduce((n, place) => n + valueAt(place), 0)
  if (gone.length === 0 || (gone.length > 1 && sum >= least)) return false
  // The smallest of the others, so that the least is lost; a zero hides nothing where there is another.
  const [next] = line
    .filter(([i, j]) => hidden[i]?.[j] === undefined && i !== j)
    .toSorted((a, b) => Number(valueAt(a) === 0) - Number(valueAt(b) === 0) || valueAt(a) - valueAt(b))
  const row = next === undefined ? undefined : hidden[next[0]]
  if (next === undefined || row === undefined) return false
  row[next[1]] = 'complement'
  return true
}

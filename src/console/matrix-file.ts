import { measureOf, type Released, suppressed } from '../governance/matrix.ts'
import type { Measure } from '../governance/measure.ts'
import type { MatrixCell, MatrixResult } from '../governance/schema.ts'

type Matrix = Pick<MatrixResult, 'from' | 'to' | 'participants' | 'cells'>

export const cellAt = (
  cells: ReadonlyMap<string, MatrixCell>,
  source: string,
  recipient: string,
): MatrixCell | undefined => cells.get(`${source} ${recipient}`)

export const byName = (cells: readonly MatrixCell[]): ReadonlyMap<string, MatrixCell> =>
  new Map(cells.map((cell) => [`${cell.source} ${cell.recipient}`, cell]))

/** What a cell shows, as a number; a median that there is none of is undefined. */
export const shownIn = (cell: MatrixCell | undefined, measure: Measure): number | undefined =>
  measure === 'median_hours'
    ? (cell?.median_hours ?? undefined)
    : cell === undefined
      ? 0
      : measureOf({ ...cell, waits: [] }, measure)

/** RFC 4180, with a sum at the end of each line; nothing in it can be a formula. Small counts are left out. */
export function matrixTable({ from, to, participants, cells }: Matrix, measure: Measure, least: number): string {
  const known = byName(cells)
  const square = participants.map((source) => participants.map((recipient) => cellAt(known, source, recipient)))
  const released = measure === 'median_hours' ? mediansOf(square, least) : countsOf(square, measure, least)
  const rows = participants.map((source, i) => [source, ...(released[i] ?? []).map((text) => text)].join(','))
  return [
    `# ${measure} from ${from} to ${to} (without it); a line is a source, a column a recipient; below ${least} left out`,
    ['source', ...participants, ...(measure === 'median_hours' ? [] : ['sum'])].join(','),
    ...rows,
    '',
  ].join('\r\n')
}

type Square = readonly (readonly (MatrixCell | undefined)[])[]

const WORDS: Readonly<Record<'small' | 'complement', string>> = { small: 'small', complement: 'left out' }
const textOf = (one: Released): string => (typeof one === 'number' ? String(one) : WORDS[one])

function countsOf(square: Square, measure: Measure, least: number): string[][] {
  const values = square.map((row) => row.map((cell) => shownIn(cell, measure) ?? 0))
  return suppressed(values, least).map((row, i) => {
    const sum = (values[i] ?? []).reduce((n, one) => n + one, 0)
    return [...row.map(textOf), sum > 0 && sum < least ? WORDS.small : String(sum)]
  })
}

/** A median of few answers tells each of them. */
const mediansOf = (square: Square, least: number): string[][] =>
  square.map((row) =>
    row.map((cell) => {
      if (cell === undefined || cell.answered === 0) return ''
      return cell.answered < least ? WORDS.small : String(cell.median_hours ?? 'over 720')
    }),
  )

import { metricOf } from './metric.ts'
import type { Cell, Figure, Report, ReportFormat, Rows } from './schema.ts'

/** By which rule counts are withheld. */
type By = Pick<Report, 'format' | 'k'>

/**
 * Withholds counts from 1 to below `k`: alone they could tell of one platform or one person. Where a table would lose one
 * cell only, or cells whose sum is below `k`, the next smallest go too, for the total would tell them: of 102 in all with 100 shown,
 * two cells are 1 each. In the first format a second withheld cell is enough.
 */
export const suppress = (figures: readonly Figure[], by: By): Figure[] =>
  figures.map((figure) => (metricOf(figure.id)?.open === true ? figure : withheldIn(figure, by)))

function withheldIn(figure: Figure, rule: By): Figure {
  const { k } = rule
  const { id, value, n, reporting, by } = figure
  // A median is as telling as it is of few times.
  const isFew = metricOf(id)?.unit === 'minutes' ? isSmall(n ?? 0, k) : isSmall(value, k)
  return {
    ...{ id, value: isFew ? null : value },
    ...(n === undefined ? {} : { n: cellOf(n, k) }),
    ...(reporting === undefined ? {} : { reporting: cellOf(reporting, k) }),
    ...(by === undefined ? {} : { by: tablesOf(by, rule) }),
  }
}

const isSmall = (cell: Cell, k: number): boolean => cell !== null && cell > 0 && cell < k
const cellOf = (cell: Cell, k: number): Cell => (isSmall(cell, k) ? null : cell)

const tablesOf = (by: Readonly<Record<string, Rows>>, rule: By): Record<string, Rows> =>
  Object.fromEntries(Object.entries(by).map(([dimension, rows]) => [dimension, tableOf(rows, rule)]))

/** Whether the total tells what is withheld, or nearly. */
const TOLD: Readonly<Record<ReportFormat, (withheld: Rows, k: number) => boolean>> = {
  'aldis-report/1': (withheld) => withheld.length === 1,
  'aldis-report/2': (withheld, k) => withheld.length === 1 || (withheld.length > 0 && sumOf(withheld) < k),
}

const sumOf = (rows: Rows): number => rows.reduce((sum, { value }) => sum + (value ?? 0), 0)

function tableOf(rows: Rows, { format, k }: By): Rows {
  // The smallest first; a 0 hides nothing.
  const counted = rows
    .filter(({ value }) => value !== null && value > 0)
    .sort((a, b) => (a.value ?? 0) - (b.value ?? 0) || (a.key < b.key ? -1 : 1))
  let n = counted.filter(({ value }) => isSmall(value, k)).length
  while (n < counted.length && TOLD[format](counted.slice(0, n), k)) n += 1
  const withheld = new Set(counted.slice(0, n).map(({ key }) => key))
  return rows.map((row) => ({
    key: row.key,
    value: withheld.has(row.key) ? null : row.value,
    ...(row.reporting === undefined ? {} : { reporting: cellOf(row.reporting, k) }),
  }))
}

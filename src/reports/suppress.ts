import { metricOf } from './metric.ts'
import type { Cell, Figure, Rows } from './schema.ts'

/**
 * Withholds counts from 1 to below `k`: alone they could tell of one platform or one person. Where a table would lose one
 * cell only, the next smallest goes too, for the total would tell it.
 */
export const suppress = (figures: readonly Figure[], k: number): Figure[] =>
  figures.map((figure) => (metricOf(figure.id)?.open === true ? figure : withheldIn(figure, k)))

function withheldIn(figure: Figure, k: number): Figure {
  const { id, value, n, reporting, by } = figure
  // A median is as telling as it is of few times.
  const isFew = metricOf(id)?.unit === 'minutes' ? isSmall(n ?? 0, k) : isSmall(value, k)
  return {
    ...{ id, value: isFew ? null : value },
    ...(n === undefined ? {} : { n: cellOf(n, k) }),
    ...(reporting === undefined ? {} : { reporting: cellOf(reporting, k) }),
    ...(by === undefined ? {} : { by: tablesOf(by, k) }),
  }
}

const isSmall = (cell: Cell, k: number): boolean => cell !== null && cell > 0 && cell < k
const cellOf = (cell: Cell, k: number): Cell => (isSmall(cell, k) ? null : cell)

const tablesOf = (by: Readonly<Record<string, Rows>>, k: number): Record<string, Rows> =>
  Object.fromEntries(Object.entries(by).map(([dimension, rows]) => [dimension, tableOf(rows, k)]))

function tableOf(rows: Rows, k: number): Rows {
  const withheld = new Set(rows.filter(({ value }) => isSmall(value, k)).map(({ key }) => key))
  if (withheld.size === 1) {
    const rest = rows.filter(({ key, value }) => !withheld.has(key) && value !== null && value > 0)
    const [next] = rest.sort((a, b) => (a.value ?? 0) - (b.value ?? 0) || (a.key < b.key ? -1 : 1))
    if (next !== undefined) withheld.add(next.key)
  }
  return rows.map((row) => ({
    key: row.key,
    value: withheld.has(row.key) ? null : row.value,
    ...(row.reporting === undefined ? {} : { reporting: cellOf(row.reporting, k) }),
  }))
}

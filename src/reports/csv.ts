import { METRICS } from './metric.ts'
import type { Cell, Report } from './schema.ts'

const HEADER = ['figure', 'unit', 'dimension', 'key', 'value', 'withheld', 'reporting', 'of']

/** RFC 4180: a line for each cell. A spreadsheet takes what begins with `=`, `+`, `-` or `@` for a formula: it is quoted by `'`. */
export function csvOf({ figures, k }: Report): string {
  const lines = METRICS.flatMap(({ id, unit }) => {
    const figure = figures.find((one) => one.id === id)
    if (figure === undefined) return []
    const line = (dimension: string, key: string, value: Cell, reporting: Cell | undefined, n?: Cell) => [
      ...[
        id,
        unit,
        dimension,
        key,
        value === null ? '' : String(value),
        value === null ? `below ${k}, or telling` : '',
      ],
      ...[reporting ?? '', n ?? ''].map(String),
    ]
    return [
      line('', '', figure.value, figure.reporting, figure.n),
      ...Object.entries(figure.by ?? {}).flatMap(([dimension, rows]) =>
        rows.map(({ key, value, reporting }) => line(dimension, key, value, reporting)),
      ),
    ]
  })
  return [HEADER, ...lines].map((line) => `${line.map(cell).join(',')}\r\n`).join('')
}

/** One cell as a line of RFC 4180 has it. */
export function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

import { canonicalJson } from '../kernel/canonical-json.ts'
import { METRICS } from './metric.ts'
import type { Cell, Figure, Report } from './schema.ts'
import { suppress } from './suppress.ts'
import type { Period } from './tally.ts'

export interface Made {
  period: Period
  checkpoint: string
  k: number
  /** With nothing withheld. */
  figures: readonly Figure[]
}

const instant = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`

const FORMAT = 'aldis-report/2'

/** The report as it is published; the same log, period and `k` make the same bytes. */
export const reportOf = ({ period, checkpoint, k, figures }: Made): Report => ({
  format: FORMAT,
  period: { from: instant(period.from), to: instant(period.to) },
  ...{ checkpoint, k, figures: suppress(figures, { format: FORMAT, k }) },
})

/** RFC 8785: what the digest of a report is over. */
export const bytesOf = (report: Report): string => canonicalJson(report)

export const periodOf = ({ period }: Report): Period => ({ from: Date.parse(period.from), to: Date.parse(period.to) })

/** In one sentence each, what a report says otherwise than the log makes it. */
export function differences(said: readonly Figure[], made: readonly Figure[]): string[] {
  return METRICS.flatMap(({ id }) => {
    const [a, b] = [flat(said.find((one) => one.id === id)), flat(made.find((one) => one.id === id))]
    return [...new Set([...a.keys(), ...b.keys()])].flatMap((name) =>
      a.get(name) === b.get(name)
        ? []
        : [`${id}${name}: the report says ${shown(a.get(name))}, the log makes ${shown(b.get(name))}`],
    )
  })
}

const shown = (cell: Cell | undefined): string =>
  cell === undefined ? 'nothing' : cell === null ? 'withheld' : String(cell)

/** Every cell by its name: ``, ` (reporting)`, ` by type url`. */
function flat(figure: Figure | undefined): Map<string, Cell> {
  const cells = new Map<string, Cell>()
  if (figure === undefined) return cells
  cells.set('', figure.value)
  if (figure.n !== undefined) cells.set(' (of)', figure.n)
  if (figure.reporting !== undefined) cells.set(' (reporting)', figure.reporting)
  for (const [dimension, rows] of Object.entries(figure.by ?? {})) {
    for (const { key, value, reporting } of rows) {
      cells.set(` by ${dimension} ${key}`, value)
      if (reporting !== undefined) cells.set(` by ${dimension} ${key} (reporting)`, reporting)
    }
  }
  return cells
}

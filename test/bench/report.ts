import { type Growth, growthLines } from './growth.ts'
import type { Machine } from './machine.ts'
import { figure, type Row, type Used } from './measure.ts'

/** As the table on standard output. */
export function tableOf(rows: readonly Row[]): string {
  const cells = [
    [
      'figure',
      'value',
      'reference',
      'ratio',
      'target',
      '',
      'spread',
      'runs',
      'CPU seconds a second: node, database, generator',
    ],
    ...rows.map((row) => [
      row.name,
      `${figure(row.value)} ${row.unit}`,
      row.reference === null ? '' : figure(row.reference),
      row.ratio === null ? '' : row.ratio.toFixed(3),
      targetOf(row),
      row.met ? 'met' : 'MISSED',
      row.spread.map(figure).join('..'),
      String(row.runs),
      costs(row),
      [row.cpu.measured, ...(row.cpu.reference === undefined ? [] : [row.cpu.reference])].map(shares).join(' | '),
    ]),
  ]
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return cells
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export const jsonOf = (rows: readonly Row[], growth: readonly Growth[]): string =>
  `${JSON.stringify(
    rows.map((row) => {
      const found = growth.find(({ name }) => name === row.name)
      return found === undefined ? row : { ...row, growth: { points: found.points, exponent: found.exponent } }
    }),
    undefined,
    2,
  )}\n`

/** A figure as it was last measured at full size. */
export interface KeptRow extends Row {
  /** Day on which it was measured, UTC. */
  date: string
}

/** All that `docs/benchmarks.md` says: not every figure is measured in one run, which would take hours. */
export interface Kept {
  /** Of the last run. */
  machine: Machine
  rows: readonly KeptRow[]
  growth: readonly Growth[]
}

export interface Document extends Kept {
  raised: readonly string[]
  signals: number
}

/** `docs/benchmarks.md`. */
export function documentOf({ rows, growth, machine, raised, signals }: Document): string {
  const { cores, cpu, memory, node, postgres, platform } = machine
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench -- --write`, which measures all figures or those that are named, each at its full size, and keeps what it knows of',
    'the others (`benchmarks.json`). A ratio is the median of rounds that alternate with the reference in the same run: on other machines, or on this',
    'one at another hour, rates differ and ratios should not. Rates are context, no promise.',
    '',
    `The last run was on ${cores} cores (${cpu}), ${memory}, ${platform}, Node ${node}, PostgreSQL ${postgres} (embedded, its settings as`,
    `the node starts it, \`fsync\` on). ${signals.toLocaleString('en')} signals. Node, database and generator share the cores; everything is on loopback.`,
    '',
    '| Figure | Measured | Median | Reference | Ratio | Target | Spread | Runs | On |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows.map(
      (row) =>
        `| \`${row.name}\` | ${row.what} | ${figure(row.value)} ${row.unit} | ${row.reference === null ? '–' : `${row.against}: ${figure(row.reference)}`} | ${row.ratio === null ? '–' : row.ratio.toFixed(2)} | ${targetOf(row)}, ${row.met ? 'met' : '**missed**'} | ${row.spread.map(figure).join(' to ')} | ${row.runs} | ${row.date} |`,
    ),
    '',
    'Each row by `npm run bench -- <figure>`; where the time of one goes by `npm run bench -- --profile <figure>`. A target with a unit is met by the best',
    'round.',
    '',
    '## Who used the CPU',
    '',
    'Seconds of CPU for each second of the clock. The generator makes, sends and reads the requests; for COPY it is the client.',
    '',
    '| Figure | Node | Database | Generator | Reference: node | database | generator |',
    '|---|---|---|---|---|---|---|',
    ...rows
      .filter(({ unit }) => unit !== 'MB')
      .map(({ name, cpu: { measured, reference } }) => {
        const beside = reference === undefined ? ['–', '–', '–'] : parts(reference)
        return `| \`${name}\` | ${[...parts(measured), ...beside].join(' | ')} |`
      }),
    '',
    ...(growth.length === 0 ? [] : ['## Growth', '', ...growthLines(growth).map((line) => `- ${line}`), '']),
    '## Limits raised',
    '',
    'Raised for these measurements, in brackets as they stand in production; nothing is switched off.',
    '',
    ...raised.map((line) => `- ${line}`),
    '',
  ].join('\n')
}

const targetOf = ({ less, target, ratio, absolute, unit }: Row): string =>
  `${less ? '<=' : '>='} ${target.toLocaleString('en')}${ratio === null || absolute ? ` ${unit}` : ''}`

const parts = ({ seconds, node, database, generator }: Used): string[] =>
  [node, database, generator].map((cpu) => (cpu === null || seconds === 0 ? '?' : (cpu / seconds).toFixed(2)))

/** Of node and database for one of the unit, and of the reference. */
const costs = ({ cost }: Row): string =>
  [cost?.measured, cost?.reference].flatMap((one) => one?.toFixed(1) ?? []).join(' | ')

const shares = (used: Used): string => parts(used).join(' ')

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Growth } from './growth.ts'
import { RAISED } from './limits.ts'
import type { Machine } from './machine.ts'
import type { Row } from './measure.ts'
import { documentOf, type Kept } from './report.ts'
import { ROOT } from './root.ts'

const JSON_FILE = join(ROOT, 'docs/benchmarks.json')
const DOCUMENT = join(ROOT, 'docs/benchmarks.md')

/** Signals of a full run. */
export const SIGNALS = 1_000_000

/** What one run measured. */
export interface Run {
  rows: readonly Row[]
  growth: readonly Growth[]
  machine: Machine
  /** Day, UTC. */
  date: string
}

/** What was measured takes the place of what was known of the same figures; `order` is that of the document. */
export function merged(known: Kept | undefined, run: Run, order: readonly string[]): Kept {
  const { machine, date } = run
  const place = ({ name }: { name: string }): number =>
    order.findIndex((one) => name === one || name.startsWith(`${one}.`))
  const latest = <T extends { name: string }>(old: readonly T[], now: readonly T[]): T[] =>
    [...old.filter(({ name }) => !now.some((one) => one.name === name)), ...now].sort((a, b) => place(a) - place(b))
  return {
    machine,
    rows: latest(
      known?.rows ?? [],
      run.rows.map((row) => ({ ...row, date })),
    ),
    growth: latest(known?.growth ?? [], run.growth),
  }
}

/** `docs/benchmarks.md`. */
export const textOf = (kept: Kept): string => documentOf({ ...kept, raised: RAISED, signals: SIGNALS })

/** Writes `docs/benchmarks.json` and, of it, `docs/benchmarks.md`. */
export function keep(run: Run, order: readonly string[]): void {
  const kept = merged(
    existsSync(JSON_FILE) ? (JSON.parse(readFileSync(JSON_FILE, 'utf8')) as Kept) : undefined,
    run,
    order,
  )
  writeFileSync(JSON_FILE, `${JSON.stringify(kept, undefined, 2)}\n`)
  writeFileSync(DOCUMENT, textOf(kept))
}

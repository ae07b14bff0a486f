import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Growth } from './growth.ts'
import type { Machine } from './machine.ts'
import type { Row } from './measure.ts'
import { documentOf, type Kept } from './report.ts'
import { ROOT } from './root.ts'

const PATH = join(ROOT, 'docs/benchmarks.json')
const DOCUMENT = join(ROOT, 'docs/benchmarks.md')

/** What was measured takes the place of what was known of the same figures; `order` is that of the document. */
export function merged(
  known: Kept | undefined,
  run: { rows: readonly Row[]; growth: readonly Growth[]; machine: Machine; date: string },
  order: readonly string[],
): Kept {
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

/** Writes `docs/benchmarks.json` and, of it, `docs/benchmarks.md`. */
export function keep(
  run: Parameters<typeof merged>[1] & { raised: readonly string[]; signals: number },
  order: readonly string[],
): void {
  const known = existsSync(PATH) ? (JSON.parse(readFileSync(PATH, 'utf8')) as Kept) : undefined
  const kept = merged(known, run, order)
  writeFileSync(PATH, `${JSON.stringify(kept, undefined, 2)}\n`)
  writeFileSync(DOCUMENT, documentOf({ ...kept, raised: run.raised, signals: run.signals }))
}

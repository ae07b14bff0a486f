import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { growthOf } from './growth.ts'
import { merged, textOf } from './kept.ts'
import { quantile, rowOf, type Used } from './measure.ts'
import type { Kept } from './report.ts'
import { ROOT } from './root.ts'

const USED: Used = { seconds: 2, node: 1.5, database: 0.5, generator: 1, peak: 0, done: 1_000 }
const spec = { name: 'a.figure', what: 'figs picked', unit: 'figs/s', target: 0.5 }

const measured = (values: readonly number[], references: readonly number[] = []) => ({
  ...{ values, references, measured: USED, reference: { ...USED, done: 4_000 } },
})

test('a ratio is the median of the ratios within a round, and its target is met by that', () => {
  // The third round fell on a busy moment, which slowed both sides.
  const row = rowOf(spec, measured([60, 40, 4, 70, 45], [100, 100, 10, 100, 100]))
  expect(row).toMatchObject({ ratio: 0.45, value: 45, reference: 100, met: false, runs: 5 })
  expect(row.spread).toEqual([0.4, 0.7])
})

test('a target without reference is met by the best round, of which less may be better', () => {
  expect(rowOf({ ...spec, target: 100 }, measured([80, 90, 101]))).toMatchObject({ value: 90, ratio: null, met: true })
  expect(rowOf({ ...spec, target: 100, less: true }, measured([110, 99, 120]))).toMatchObject({ value: 110, met: true })
  expect(rowOf({ ...spec, target: 100, less: true }, measured([110, 120]))).toMatchObject({ met: false })
})

test('a target may be of the value itself, beside a ratio that is only told', () => {
  const absolute = { ...spec, target: 100, absolute: true }
  expect(rowOf(absolute, measured([80, 101], [400, 400]))).toMatchObject({ met: true, absolute: true })
  expect(rowOf(absolute, measured([80, 99], [10, 10]))).toMatchObject({ met: false })
})

test('the cost of one is the CPU of node and database, without the generator', () => {
  expect(rowOf(spec, measured([1], [1])).cost).toEqual({ measured: 2_000, reference: 500 })
})

test('a quantile is one of the values, and all but its share are below', () => {
  const values = Array.from({ length: 100 }, (_, i) => i)
  expect([quantile(values, 0.95), quantile(values, 0), quantile(values, 1)]).toEqual([95, 0, 99])
})

test('the exponent of growth is of the cost: twice for ten times is log10 of 2', () => {
  const points = [1_000, 500, 250].map((value, i) => ({
    ...{ name: 'a.figure', unit: 'figs/s', signals: 10 ** (4 + i), value, ratio: null },
  }))
  const [growth] = growthOf(points)
  expect(growth?.exponent).toBeCloseTo(Math.log10(2), 6)
})

test('what was measured takes the place of what is known of the same figures, in the order of all', () => {
  const machine = { cores: 2, cpu: 'a', memory: '1 GiB', node: 'v24', postgres: '18', platform: 'linux x64' }
  const row = (name: string, value: number) => rowOf({ ...spec, name }, measured([value]))
  const order = ['a.figure', 'b.figure', 'c.figure']
  const first = merged(
    undefined,
    { rows: [row('c.figure', 1), row('a.figure.rss', 2)], growth: [], machine, date: '2026-01-01' },
    order,
  )
  const { rows } = merged(
    first,
    { rows: [row('b.figure', 3), row('c.figure', 4)], growth: [], machine, date: '2026-01-02' },
    order,
  )
  expect(rows.map(({ name, value, date }) => [name, value, date])).toEqual([
    ['a.figure.rss', 2, '2026-01-01'],
    ['b.figure', 3, '2026-01-02'],
    ['c.figure', 4, '2026-01-02'],
  ])
})

test('the document says what is kept, and nothing else', () => {
  const file = (name: string): string => readFileSync(join(ROOT, 'docs', name), 'utf8')
  expect(file('benchmarks.md')).toBe(textOf(JSON.parse(file('benchmarks.json')) as Kept))
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Figure, REPORT_FORMATS, type ReportFormat } from '../../src/reports/schema.ts'
import { suppress } from '../../src/reports/suppress.ts'

const K = 5
const figure = (rows: readonly number[], value = rows.reduce((sum, n) => sum + n, 0)): Figure => ({
  ...{ id: 'signals.shared', value, reporting: 7 },
  by: { type: rows.map((n, i) => ({ key: `t${i}`, value: n })) },
})
const NOW = { format: 'aldis-report/2', k: K } as const
const cells = (rows: readonly number[], format: ReportFormat = NOW.format) =>
  suppress([figure(rows)], { format, k: K })[0]?.by?.['type']?.map(({ value }) => value)

test('counts from 1 to below k are withheld; 0 and k are not', () => {
  expect(cells([0, 1, 4, 5, 6])).toEqual([0, null, null, 5, 6])
  expect(suppress([figure([3])], NOW)[0]).toMatchObject({ value: null, reporting: 7 })
})

test('a lone withheld cell takes the next smallest with it, for the total would tell it', () => {
  expect(cells([2, 9, 30])).toEqual([null, null, 30])
  expect(cells([2, 0, 0])).toEqual([null, 0, 0])
})

test('small cells whose sum is small too take the next smallest with them, but in the first format', () => {
  expect(cells([1, 1, 9, 100])).toEqual([null, null, null, 100])
  expect(cells([1, 1, 9, 100], 'aldis-report/1')).toEqual([null, null, 9, 100])
  expect(cells([4, 4, 9], 'aldis-report/1')).toEqual(cells([4, 4, 9]))
})

test('whatever the counts: nothing small is shown, and no table of several cells lacks exactly one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 40 }), { maxLength: 12 }),
      fc.constantFrom(...REPORT_FORMATS),
      (rows, format) => {
        const shown = cells(rows, format) ?? []
        for (const cell of shown) expect(cell === null || cell === 0 || cell >= K).toBe(true)
        const withheld = shown.filter((cell) => cell === null).length
        const others = shown.filter((cell) => cell !== null && cell > 0).length
        expect(withheld === 1 && others > 0).toBe(false)
        const sum = rows.reduce((n, one, i) => n + (shown[i] === null ? one : 0), 0)
        if (format === NOW.format) expect(withheld > 0 && others > 0 && sum < K).toBe(false)
      },
    ),
  )
})

test('a median of few times is withheld, and so is their number', () => {
  const [few, enough] = suppress(
    [
      { id: 'answers.minutes', value: 90, n: 4 },
      { id: 'answers.minutes', value: 2, n: 5 },
    ],
    NOW,
  )
  expect(few).toEqual({ id: 'answers.minutes', value: null, n: null })
  expect(enough).toEqual({ id: 'answers.minutes', value: 2, n: 5 })
})

test('who takes part is known to all and never withheld', () => {
  expect(suppress([{ id: 'participants.active', value: 3 }], NOW)).toEqual([{ id: 'participants.active', value: 3 }])
})

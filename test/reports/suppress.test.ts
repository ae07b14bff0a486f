import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Figure } from '../../src/reports/schema.ts'
import { suppress } from '../../src/reports/suppress.ts'

const K = 5
const figure = (rows: readonly number[], value = rows.reduce((sum, n) => sum + n, 0)): Figure => ({
  ...{ id: 'signals.shared', value, reporting: 7 },
  by: { type: rows.map((n, i) => ({ key: `t${i}`, value: n })) },
})
const cells = (rows: readonly number[]) => suppress([figure(rows)], K)[0]?.by?.['type']?.map(({ value }) => value)

test('counts from 1 to below k are withheld; 0 and k are not', () => {
  expect(cells([0, 1, 4, 5, 6])).toEqual([0, null, null, 5, 6])
  expect(suppress([figure([3])], K)[0]).toMatchObject({ value: null, reporting: 7 })
})

test('a lone withheld cell takes the next smallest with it, for the total would tell it', () => {
  expect(cells([2, 9, 30])).toEqual([null, null, 30])
  expect(cells([2, 0, 0])).toEqual([null, 0, 0])
})

test('whatever the counts: nothing small is shown, and no table of several cells lacks exactly one', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 40 }), { maxLength: 12 }), (rows) => {
      const shown = cells(rows) ?? []
      for (const cell of shown) expect(cell === null || cell === 0 || cell >= K).toBe(true)
      const withheld = shown.filter((cell) => cell === null).length
      const others = shown.filter((cell) => cell !== null && cell > 0).length
      expect(withheld === 1 && others > 0).toBe(false)
    }),
  )
})

test('a median of few times is withheld, and so is their number', () => {
  const [few, enough] = suppress(
    [
      { id: 'answers.minutes', value: 90, n: 4 },
      { id: 'answers.minutes', value: 2, n: 5 },
    ],
    K,
  )
  expect(few).toEqual({ id: 'answers.minutes', value: null, n: null })
  expect(enough).toEqual({ id: 'answers.minutes', value: 2, n: 5 })
})

test('who takes part is known to all and never withheld', () => {
  expect(suppress([{ id: 'participants.active', value: 3 }], K)).toEqual([{ id: 'participants.active', value: 3 }])
})

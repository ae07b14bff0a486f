import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CHECKLIST, type ItemState, mayMove, missingOf } from '../../src/participants/checklist.ts'

const STATES: readonly ItemState[] = ['open', 'provided', 'accepted', 'returned']

test('an item is judged only after it was provided, and accepted for good', () => {
  const moves = STATES.flatMap((from) => STATES.flatMap((to) => (mayMove(from, to) ? [`${from} ${to}`] : [])))
  expect(moves).toEqual([
    ...['open provided', 'provided provided', 'provided accepted', 'provided returned', 'returned provided'],
  ])
})

test('what is not accepted is missing, whatever else it is', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...STATES), { minLength: 4, maxLength: 4 }), (states) => {
      const of = new Map(CHECKLIST.map((item, at) => [item, states[at] ?? 'open'] as const))
      expect(missingOf(of)).toEqual(CHECKLIST.filter((item) => of.get(item) !== 'accepted'))
    }),
  )
  expect(missingOf(new Map())).toEqual(CHECKLIST)
})

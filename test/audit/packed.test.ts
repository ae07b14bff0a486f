import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createNames } from '../../src/audit/names.ts'
import { createPacked } from '../../src/audit/packed.ts'

const id = fc.uuid()
/** As audits have them: with a UUID behind, with one elsewhere, with what only looks like one, and with none. */
const name = fc.oneof(
  fc.tuple(fc.constantFrom('', 'signal apple ', 'signal apple\n', 'look-up plum '), id).map((parts) => parts.join('')),
  id.map((text) => text.toUpperCase()),
  id.map((text) => `${text} apple`),
  fc.constantFrom('', 'signal apple ', 'signal apple 00000000-0000-0000-0000-000000000000'),
  fc.string(),
)

test('a name has one number, in the order in which names were told, and a number tells its name', () => {
  fc.assert(
    fc.property(fc.array(name, { maxLength: 300 }), fc.array(name, { maxLength: 50 }), (told, others) => {
      const [names, model] = [createNames(), new Map<string, number>()]
      for (const one of told) {
        expect(names.find(one)).toBe(model.get(one))
        const slot = model.get(one) ?? model.size
        model.set(one, slot)
        expect(names.slotOf(one)).toBe(slot)
      }
      expect(names.size).toBe(model.size)
      expect([...names]).toEqual([...model])
      for (const one of [...told, ...others]) expect(names.find(one)).toBe(model.get(one))
      for (const [one, slot] of model) expect(names.nameOf(slot)).toBe(one)
    }),
  )
})

/** The first and second row of pieces, among others. */
const row = fc.oneof(fc.nat(40), fc.constantFrom(16_383, 16_384, 16_385, 32_768), fc.nat(200_000))

test('a row is what was set of it, and empty elsewhere, in whatever order rows are set', () => {
  const change = fc.record({ row, column: fc.nat(2), number: fc.nat(1_000) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), row, (changes, other) => {
      const [packed, model] = [createPacked(Int32Array, 3, -1), new Map<number, number[]>()]
      for (const { row: at, column, number } of changes) {
        packed.set(at, [number], column)
        model.set(at, (model.get(at) ?? [-1, -1, -1]).with(column, number))
      }
      for (const [at, numbers] of model) expect([...packed.at(at)]).toEqual(numbers)
      const numbers = model.get(other)
      for (const column of [0, 1, 2]) expect(packed.get(other, column)).toBe(numbers?.[column] ?? -1)
      // Where there is room already for what was never set, it is empty.
      if (numbers === undefined) expect([[], [-1, -1, -1]]).toContainEqual([...packed.at(other)])
    }),
  )
})

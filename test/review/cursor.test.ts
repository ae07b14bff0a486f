import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newId } from '../../src/kernel/ids.ts'
import { decodePlace, encodePlace, type Place } from '../../src/review/cursor.ts'

const date = fc.date({ min: new Date(0), max: new Date('2099-01-01T00:00:00Z'), noInvalidDate: true })
const id = fc.constant(newId(new Date('2026-03-01T12:00:00Z')))
const place: fc.Arbitrary<Place> = fc.oneof(
  fc.record({ part: fc.constant('late' as const), now: date, due_at: date, case_id: id }),
  fc.record({ part: fc.constant('ranked' as const), now: date, rank: fc.nat(2 ** 31 - 1), due_at: date, case_id: id }),
  fc.record({ part: fc.constant('ranked_first' as const), now: date }),
  fc.record({ part: fc.constant('by_id' as const), case_id: id }),
)

test('a place comes back as it was', () => {
  fc.assert(
    fc.property(place, (one) => {
      expect(decodePlace(encodePlace(one))).toEqual(one)
    }),
  )
})

test('a moment or a rank that no row can have is refused', () => {
  const refused = expect.objectContaining({ code: 'invalid-cursor' })
  const id = newId(new Date('2026-03-01T12:00:00Z'))
  const [moment, rank] = ['9999999999999999', String(2 ** 31)]
  for (const text of [`f.${moment}`, `l.1.${moment}.${id}`, `l.${moment}.1.${id}`, `r.1.${rank}.1.${id}`])
    expect(() => decodePlace(text), text).toThrow(refused)
})

test('anything else is refused', () => {
  const refused = expect.objectContaining({ code: 'invalid-cursor' })
  for (const text of ['', 'l', 'i.1', 'f.-1', 'f.1.2', 'r.1.2.3', 'l.1.2.01890000-0000-7000-8000-00000000000Z', 'x.1'])
    expect(() => decodePlace(text), text).toThrow(refused)
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      try {
        decodePlace(text)
      } catch (error) {
        expect(error).toEqual(refused)
      }
    }),
  )
})

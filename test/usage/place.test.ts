import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodePlace, encodePlace } from '../../src/usage/place.ts'

const places = fc.record({
  at: fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
  request_id: fc.stringMatching(/^[A-Za-z0-9_-]{16}$/),
})

test('a place comes back as it was', () => {
  fc.assert(
    fc.property(places, (place) => {
      expect(decodePlace(encodePlace(place))).toEqual(place)
    }),
  )
})

test.each([
  ['', 'nothing'],
  ['1764000000000', 'no request'],
  ['01.aaaaaaaaaaaaaaaa', 'a number with a zero before it'],
  ['-1.aaaaaaaaaaaaaaaa', 'a time before there was any'],
  ['253402300800000.aaaaaaaaaaaaaaaa', 'a year of five digits'],
  ['1.aaaaaaaaaaaaaaa', 'a short id'],
  ["1.aaaaaaaaaaaaaaa'", 'an id with another character'],
  ['1.aaaaaaaaaaaaaaaa.2', 'more than a place'],
])('%s is refused: %s', (text) => {
  expect(() => decodePlace(text)).toThrow(expect.objectContaining({ code: 'invalid-cursor' }))
})

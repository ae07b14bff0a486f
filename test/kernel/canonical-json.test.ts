import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value

/** The same value with the members of each object put in the other way round. */
function reversed(one: unknown): unknown {
  if (Array.isArray(one)) return one.map(reversed)
  if (typeof one !== 'object' || one === null) return one
  return Object.fromEntries(
    Object.entries(one)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  )
}

test('members are sorted by UTF-16 code units (RFC 8785 section 3.2.3)', () => {
  const input = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  }
  expect(Object.keys(JSON.parse(canonicalJson(input))).filter((name) => name !== '1')).toEqual([
    '\r',
    '\u0080',
    '\u00f6',
    '\u20ac',
    '\ud83d\ude00',
    '\ufb33',
  ])
  expect(canonicalJson(input)).toMatch(/^\{"\\r":"Carriage Return","1":"One",/)
})

test('strings are written as RFC 8785 section 3.2.2.2 says', () => {
  expect(canonicalJson('\u20ac$\u000f\u000aA\'\u0042\u0022\u005c\\"/')).toBe('"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"')
})

test('literals and numbers have one form, minus zero is zero', () => {
  expect(canonicalJson([null, true, false, 0, -0, -1, Number.MAX_SAFE_INTEGER])).toBe(
    '[null,true,false,0,0,-1,9007199254740991]',
  )
})

test('the text reads back to the value, and does not depend on the order its members were put in', () => {
  fc.assert(
    fc.property(value, (one) => {
      const canonical = canonicalJson(one)
      expect(JSON.parse(canonical)).toEqual(one)
      expect(canonicalJson(reversed(one))).toBe(canonical)
      expect(canonicalJson(JSON.parse(canonical))).toBe(canonical)
    }),
  )
})

test.for<[string, unknown]>([
  ['undefined', undefined],
  ['a member without a value', { pear: undefined }],
  ['a fraction', 0.5],
  ['an integer beyond 2^53', 2 ** 53],
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['a bigint', 1n],
  ['a function', () => 1],
  ['a symbol', Symbol('pear')],
  ['a date', new Date(0)],
  ['a map', new Map()],
  ['bytes', new Uint8Array(1)],
  ['an object without a prototype', Object.create(null)],
  ['an array with a hole', Object.assign([], { length: 2 })],
  ['a lone surrogate', '\ud800'],
  ['a lone surrogate in a name', { '\udc00': 1 }],
  ['something within an array', [[new Date(0)]]],
])('%s is a TypeError', ([, one]) => {
  expect(() => canonicalJson(one)).toThrow(TypeError)
})

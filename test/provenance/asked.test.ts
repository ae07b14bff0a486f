import fc from 'fast-check'
import { expect, test } from 'vitest'
import { concat, utf8 } from '../../src/kernel/bytes.ts'
import { askedRoot } from '../../src/provenance/asked.ts'
import { leafOf, mth } from './definition.ts'

const plain = (salt: Uint8Array, asked: readonly string[]): Uint8Array =>
  mth(asked.map((key) => leafOf(concat(salt, utf8(key)))))

const SALT = Buffer.from('f0e1d2c3b4a5968778695a4b3c2d1e0f', 'hex')
const hexKey = (i: number): string => i.toString(16).padStart(64, '0')

test.each([...Array(70).keys(), 127, 128, 129, 999, 1_000])('the root over %i keys is that of RFC 6962', (n) => {
  const keys = Array.from({ length: n }, (_, i) => hexKey(i))
  expect([...askedRoot(SALT, keys)]).toEqual([...plain(SALT, keys)])
})

test('whatever was asked for, in any length, any writing and with any salt, has the root that the definition makes', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 90 }), fc.nat(9).map(hexKey), fc.constant('\ud800'))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(text, { maxLength: 40 }), (salt, keys) => {
      expect([...askedRoot(salt, keys)]).toEqual([...plain(salt, keys)])
    }),
    { numRuns: 300 },
  )
})

test('another salt, another order and another key make another root each', () => {
  const keys = ['apple', 'pear', 'plum'].map((fruit) => fruit.padEnd(64, '0'))
  const roots = [
    askedRoot(SALT, keys),
    askedRoot(Buffer.alloc(16), keys),
    askedRoot(SALT, keys.toReversed()),
    askedRoot(SALT, [...keys.slice(1), 'fig']),
  ].map((root) => root.toString('hex'))
  expect(new Set(roots).size).toBe(roots.length)
})

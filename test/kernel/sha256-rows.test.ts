import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, toHex } from '../../src/kernel/bytes.ts'
import { hashAll, rowsBy } from '../../src/kernel/hash-rows.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { sha256Rows } from '../../src/kernel/sha256-rows.ts'

/** By OpenSSL, one after the other. */
const plain = (messages: readonly Uint8Array[]): string => messages.map((one) => hash('sha256', one, 'hex')).join('')

const rowsOf = (prefix: Uint8Array, rows: Uint8Array, width: number): Uint8Array[] =>
  Array.from({ length: rows.length / width }, (_, i) => concat(prefix, rows.subarray(width * i, width * (i + 1))))

/** Bytes that differ from row to row and within one. */
const bytes = (length: number, seed = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 167 + seed) >> (i % 5))

describe('rows hash as each of them alone', () => {
  test('whatever their length and number, and whatever was hashed before', () => {
    const rows = fc
      .record({ width: fc.integer({ min: 1, max: 400 }), n: fc.nat({ max: 20 }), seed: fc.nat() })
      .map(({ width, n, seed }) => ({ width, data: bytes(width * n, seed) }))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 130 }), rows, (prefix, { width, data }) => {
        expect(toHex(sha256Rows(prefix, data, width))).toBe(plain(rowsOf(prefix, data, width)))
      }),
    )
  })
  test('on either side of each length at which a block more is needed', () => {
    for (let width = 1; width <= 200; width++) {
      const data = bytes(5 * width, width)
      expect(toHex(sha256Rows(new Uint8Array(0), data, width))).toBe(plain(rowsOf(new Uint8Array(0), data, width)))
    }
  })
  test('more of them than fit at once', () => {
    const data = bytes(33 * 20_001)
    expect(toHex(sha256Rows(Uint8Array.of(0), data, 33))).toBe(plain(rowsOf(Uint8Array.of(0), data, 33)))
  })
  test('as long as fits four times, and longer', () => {
    for (const width of [1_526, 1_527, 1_528, 5_000, 100_000]) {
      const data = bytes(3 * width)
      expect(toHex(sha256Rows(Uint8Array.of(7), data, width))).toBe(plain(rowsOf(Uint8Array.of(7), data, width)))
    }
  })
  test('bytes that are no whole rows are refused', () => {
    for (const hashed of [sha256Rows, rowsBy(sha256)])
      for (const [length, width] of [
        [5, 2],
        [1, 0],
        [0, 0],
        [3, 2_000],
      ] as const)
        expect(() => hashed(new Uint8Array(0), new Uint8Array(length), width)).toThrow(RangeError)
  })
})

test('messages of many lengths hash in their order, from memory that each is written into anew', () => {
  const room = new Uint8Array(300)
  const written = (one: Uint8Array): Uint8Array => {
    room.set(one)
    return room.subarray(0, one.length)
  }
  const message = fc.uint8Array({ minLength: 1, maxLength: 300, size: 'max' })
  const many = fc.oneof(fc.array(message, { maxLength: 60 }), fc.array(fc.uint8Array({ minLength: 9, maxLength: 10 })))
  fc.assert(
    fc.property(many, (messages) => {
      for (const rows of [sha256Rows, rowsBy(sha256)])
        expect(toHex(hashAll(rows, messages, written))).toBe(plain(messages))
    }),
  )
})

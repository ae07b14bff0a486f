import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toHex } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { sha256Plain } from '../../src/kernel/sha256-plain.ts'

test('FIPS 180-4 examples', () => {
  expect(toHex(sha256Plain(''))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(toHex(sha256Plain('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

test('any bytes have the hash that the other implementation gives them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(toHex(sha256Plain(bytes))).toBe(toHex(sha256(bytes)))
    }),
  )
  const long = new Uint8Array(100_001).fill(7)
  expect(toHex(sha256Plain(long))).toBe(toHex(sha256(long)))
})

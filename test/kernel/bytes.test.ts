import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  compare,
  concat,
  equal,
  fromBase64,
  fromBase64Url,
  fromHex,
  toBase64,
  toBase64Url,
  toHex,
  u16,
  u32,
  u64,
  utf8,
} from '../../src/kernel/bytes.ts'

const bytes = fc.uint8Array({ maxLength: 80 })

// RFC 4648 section 10.
test.for([
  ['', '', ''],
  ['f', 'Zg==', '66'],
  ['fo', 'Zm8=', '666f'],
  ['foo', 'Zm9v', '666f6f'],
  ['foob', 'Zm9vYg==', '666f6f62'],
  ['fooba', 'Zm9vYmE=', '666f6f6261'],
  ['foobar', 'Zm9vYmFy', '666f6f626172'],
] as const)('%j is %j in base64', ([text, base64, hex]) => {
  expect([toBase64(utf8(text)), toHex(utf8(text))]).toEqual([base64, hex])
  const bytes = new TextEncoder().encode(text)
  expect([fromBase64(base64), fromHex(hex)]).toEqual([bytes, bytes])
})

test('hex, base64 and base64url are what Node writes, and read back to the same bytes', () => {
  fc.assert(
    fc.property(bytes, (data) => {
      const buffer = Buffer.from(data)
      expect([toHex(data), toBase64(data), toBase64Url(data)]).toEqual([
        buffer.toString('hex'),
        buffer.toString('base64'),
        buffer.toString('base64url'),
      ])
      expect([fromHex(toHex(data)), fromBase64(toBase64(data)), fromBase64Url(toBase64Url(data))]).toEqual([
        data,
        data,
        data,
      ])
    }),
  )
})

test('what is longer than one chunk of characters comes whole', () => {
  const data = new Uint8Array(3 * 0x8000 + 1).map((_, i) => i * 7)
  expect(toBase64(data)).toBe(Buffer.from(data).toString('base64'))
  expect(fromBase64(toBase64(data))).toEqual(data)
})

test('every byte string has one text in each alphabet: nothing else is read', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ABZabgz019+/-_= \n'), maxLength: 9 })
  fc.assert(
    fc.property(text, (one) => {
      expect(fromBase64(one) !== undefined).toBe(Buffer.from(one, 'base64').toString('base64') === one)
      expect(fromBase64Url(one) !== undefined).toBe(Buffer.from(one, 'base64url').toString('base64url') === one)
    }),
    { numRuns: 3_000 },
  )
})

test.for([
  ['padding', 'Zg=='],
  ['half the padding', 'Zg='],
  ['loose bits in the last character', 'Zh'],
  ['loose bits after two bytes', 'Zm9'],
  ['a single character', 'Z'],
  ['a plus sign', 'Zg+A'],
  ['a slash', 'Zg/A'],
  ['a space', 'Zm 9v'],
  ['a newline at the end', 'Zm9v\n'],
  ['another alphabet', 'Ｚｍ９ｖ'],
] as const)('base64url with %s is refused', ([, text]) => {
  expect(fromBase64Url(text)).toBeUndefined()
})

test.for([
  ['no padding', 'Zg'],
  ['too much padding', 'Zm9v===='],
  ['padding within', 'Zg==Zg=='],
  ['loose bits', 'Zh=='],
  ['the alphabet of URLs', 'Zg-_'],
  ['a line break', 'Zm9v\nZm9v'],
] as const)('base64 with %s is refused', ([, text]) => {
  expect(fromBase64(text)).toBeUndefined()
})

test.for(['a', 'ABCD', 'aB', '0g', ' 00', '00 ', '00\n', '0x00', '٠٠'])('%j is no hex', (text) => {
  expect(fromHex(text)).toBeUndefined()
})

test('compare orders as memcmp and then by length, and equal is its zero', () => {
  const short = fc.uint8Array({ maxLength: 4, max: 3 })
  fc.assert(
    fc.property(short, short, (a, b) => {
      expect(Math.sign(compare(a, b))).toBe(Buffer.compare(a, b))
      expect(equal(a, b)).toBe(Buffer.compare(a, b) === 0)
    }),
    { numRuns: 1_000 },
  )
  expect(compare(Uint8Array.of(0x80), Uint8Array.of(0x7f))).toBeGreaterThan(0)
})

test('concat joins any number of parts and shares no memory with them', () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 5 }), (parts) => {
      const joined = concat(...parts)
      expect(joined).toEqual(new Uint8Array(Buffer.concat(parts)))
      for (const part of parts) part.fill(255)
      expect(concat(joined)).toEqual(joined)
    }),
  )
  const part = Uint8Array.of(1)
  const joined = concat(part)
  part[0] = 2
  expect(joined).toEqual(Uint8Array.of(1))
})

test('numbers are big-endian and unsigned', () => {
  expect([toHex(u16(0x0102)), toHex(u16(0xffff))]).toEqual(['0102', 'ffff'])
  expect([toHex(u32(0x01020304)), toHex(u32(0xffff_ffff))]).toEqual(['01020304', 'ffffffff'])
  expect([toHex(u64(1n)), toHex(u64(2n ** 64n - 1n))]).toEqual(['0000000000000001', 'ffffffffffffffff'])
})

import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor } from '../../src/kernel/cursor.ts'
import type { Uuid } from '../../src/kernel/ids.ts'

const KEY = Buffer.alloc(32, 1)
const PEARS = '01890a5d-ac96-774b-bcce-b302099a8057' as Uuid
const PLUMS = '01890a5d-ac96-774b-bcce-b302099a8058' as Uuid
const INVALID = expect.objectContaining({ code: 'invalid-cursor' })

const bytesOf = (text: string): Buffer => Buffer.from(text, 'base64url')

test('a cursor comes back as it was made', () => {
  fc.assert(
    fc.property(
      fc.uuid(),
      fc.bigInt(0n, 2n ** 63n - 1n),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      (id, seq, key) => {
        const cursor = { feed: id as Uuid, seq }
        expect(decodeCursor(key, encodeCursor(key, cursor))).toEqual(cursor)
      },
    ),
  )
})

test('its bytes are feed, sequence and the first half of the HMAC', () => {
  const body = Buffer.from('01890a5dac96774bbcceb302099a80570000000000000102', 'hex')
  const mac = createHmac('sha256', KEY).update(body).digest().subarray(0, 16)
  expect(bytesOf(encodeCursor(KEY, { feed: PEARS, seq: 258n }))).toEqual(Buffer.concat([body, mac]))
})

test('a cursor that another key made is refused', () => {
  const other = encodeCursor(Buffer.alloc(32, 2), { feed: PEARS, seq: 7n })
  expect(() => decodeCursor(KEY, other)).toThrow(INVALID)
})

test('the place of one feed under the code of another is refused', () => {
  const pears = bytesOf(encodeCursor(KEY, { feed: PEARS, seq: 7n }))
  const plums = bytesOf(encodeCursor(KEY, { feed: PLUMS, seq: 7n }))
  const mixed = Buffer.concat([plums.subarray(0, 24), pears.subarray(24)])
  expect(() => decodeCursor(KEY, mixed.toString('base64url'))).toThrow(INVALID)
})

test('a cursor with any bit turned is refused', () => {
  const good = bytesOf(encodeCursor(KEY, { feed: PEARS, seq: 7n }))
  for (let bit = 0; bit < 8 * good.length; bit++) {
    const turned = Buffer.from(good)
    turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(() => decodeCursor(KEY, turned.toString('base64url'))).toThrow(INVALID)
  }
})

test('a cursor that is cut or lengthened anywhere is refused', () => {
  const good = encodeCursor(KEY, { feed: PEARS, seq: 7n })
  for (let n = 0; n < good.length; n++) {
    expect(() => decodeCursor(KEY, good.slice(0, n))).toThrow(INVALID)
    expect(() => decodeCursor(KEY, good.slice(n + 1))).toThrow(INVALID)
  }
  for (const more of ['A', 'AA', 'AAA', 'AAAA', '=', '==', ' ', '\n'])
    expect(() => decodeCursor(KEY, `${good}${more}`)).toThrow(INVALID)
})

test('another text of the same bytes is refused', () => {
  const good = encodeCursor(KEY, { feed: PEARS, seq: 7n })
  expect(good).toHaveLength(54)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet[alphabet.indexOf(good.slice(-1)) + 1] ?? ''
  const twin = good.slice(0, -1) + last
  expect(bytesOf(twin)).toEqual(bytesOf(good))
  expect(() => decodeCursor(KEY, twin)).toThrow(INVALID)
})

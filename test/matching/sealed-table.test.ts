import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TAG_BYTES } from '../../src/matching/sealed.ts'
import { createSealedTable } from '../../src/matching/sealed-table.ts'

const STRIDE = 24
const AT = 8
const records = (tags: readonly Uint8Array[]): Buffer => Buffer.concat(tags.flatMap((tag) => [randomBytes(AT), tag]))

describe('a table of sealed entries', () => {
  test('finds every record of a tag, in order, and no other', () => {
    // Few different tags, and their first bytes alike: long runs of taken slots.
    const tag = fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 1, max: 9 })).map(([head, tail]) => {
      const bytes = new Uint8Array(TAG_BYTES)
      bytes[3] = head
      bytes[TAG_BYTES - 1] = tail
      return bytes
    })
    fc.assert(
      fc.property(fc.array(tag, { maxLength: 200 }), tag, (tags, asked) => {
        const table = createSealedTable(records(tags), { stride: STRIDE, at: AT })
        const expected = tags.flatMap((one, i) => (Buffer.compare(one, asked) === 0 ? [i * STRIDE] : []))
        expect(table.find(asked)).toEqual(expected)
        expect(table.size).toBe(tags.length)
      }),
    )
  })
  test('takes many records of one tag, each in the time of one', () => {
    const [tag, n] = [randomBytes(TAG_BYTES), 200_000]
    const bytes = Buffer.alloc(n * STRIDE, Buffer.concat([Buffer.alloc(AT), tag]))
    const table = createSealedTable(bytes, { stride: STRIDE, at: AT })
    // By slots side by side it would take a minute, which no test may.
    expect(table.find(tag)).toHaveLength(n)
  })
  test('passes over what was taken away, and a record that is cut off', () => {
    const tag = randomBytes(TAG_BYTES)
    const bytes = Buffer.concat([records([tag, new Uint8Array(TAG_BYTES), tag]), Buffer.alloc(5)])
    const table = createSealedTable(bytes, { stride: STRIDE, at: AT })
    expect([table.size, table.find(tag), table.find(new Uint8Array(TAG_BYTES))]).toEqual([2, [0, 2 * STRIDE], []])
  })
})

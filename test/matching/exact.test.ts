import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { buildTable, openTable, slotsFor, tableBytes } from '../../src/matching/exact.ts'
import { drawSecret, KEY_BYTES, tagOf } from '../../src/matching/tag.ts'

const secret = drawSecret(() => randomBytes(4).readUInt32LE())
const places = (n: number): Uint32Array => Uint32Array.from({ length: n }, (_, i) => i)

/** A table of the keys, and what it finds of others: the entry, or undefined, for each. */
function finder(keys: readonly Uint8Array[], { stride = KEY_BYTES } = {}) {
  const bytes = new Uint8Array(keys.length * stride)
  keys.forEach((key, i) => {
    bytes.set(key, i * stride)
  })
  const table = openTable(buildTable({ bytes, stride }, places(keys.length), secret), secret)
  return (asked: readonly Uint8Array[]): (number | undefined)[] => {
    const found: (number | undefined)[] = asked.map(() => undefined)
    const is = (place: number, entry: number) =>
      Buffer.from(asked[place] ?? []).equals(keys[entry] ?? new Uint8Array(0))
    table.find(Buffer.concat(asked), is, (place, entry) => {
      found[place] = entry
    })
    return found
  }
}

const keysArb = fc.uniqueArray(fc.uint8Array({ minLength: KEY_BYTES, maxLength: KEY_BYTES }), {
  selector: (key) => Buffer.from(key).toString('hex'),
  maxLength: 300,
})

describe('a table', () => {
  test('finds just the keys that it was made of, as a map does', () => {
    fc.assert(
      fc.property(keysArb, keysArb, (keys, others) => {
        const map = new Map(keys.map((key, i) => [Buffer.from(key).toString('hex'), i]))
        const asked = [...keys, ...others]
        expect(finder(keys)(asked)).toEqual(asked.map((key) => map.get(Buffer.from(key).toString('hex'))))
      }),
    )
  })

  test('reads keys that stand apart', () => {
    const keys = Array.from({ length: 50 }, () => randomBytes(KEY_BYTES))
    expect(finder(keys, { stride: 96 })(keys)).toEqual(keys.map((_, i) => i))
  })

  test('finds nothing where there is nothing', () => {
    expect(finder([])([randomBytes(KEY_BYTES)])).toEqual([undefined])
  })

  test('finds every key of more than are read ahead at once', () => {
    const keys = Array.from({ length: 1_000 }, () => randomBytes(KEY_BYTES))
    expect(finder(keys)(keys)).toEqual(keys.map((_, i) => i))
  })

  test('takes no tag for a key: one that is not confirmed is passed over', () => {
    const keys = [randomBytes(KEY_BYTES), randomBytes(KEY_BYTES)]
    const table = openTable(buildTable({ bytes: Buffer.concat(keys), stride: KEY_BYTES }, places(2), secret), secret)
    const asked: number[] = []
    const found: number[] = []
    const never = (_: number, entry: number): boolean => {
      asked.push(entry)
      return false
    }
    table.find(Buffer.concat(keys), never, (_, entry) => found.push(entry))
    expect([asked, found]).toEqual([[0, 1], []])
  })

  test('keeps two keys with one tag apart', () => {
    const [first, second] = [randomBytes(KEY_BYTES), randomBytes(KEY_BYTES)]
    const bytes = Buffer.concat([first, second])
    const tag = new Int32Array(2)
    tagOf(tag, secret, first, 0)
    const table = buildTable({ bytes, stride: KEY_BYTES }, places(2), secret)
    const at = table.findIndex((word, i) => i % 3 === 2 && word === 2) - 2
    const from = table.findIndex((word, i) => i % 3 === 2 && word === 1) - 2
    // The second key as it would stand if its tag were the first one's: in the next slot.
    table.fill(0, at, at + 3)
    table.set([tag[0] ?? 0, tag[1] ?? 0, 2], (from + 3) % table.length)
    const found: number[] = []
    openTable(table, secret).find(
      first,
      (_, entry) => entry === 1,
      (_, entry) => found.push(entry),
    )
    expect(found).toEqual([1])
  })

  test.for([10_000, 10_000_000])('of %i keys takes at most 24 bytes a key', (n) => {
    expect(tableBytes(slotsFor(n)) / n).toBeLessThanOrEqual(24)
  })

  test('keeps short ways for keys that were chosen to follow one another', () => {
    const n = 20_000
    const bytes = new Uint8Array(n * KEY_BYTES)
    const view = new DataView(bytes.buffer)
    for (let i = 0; i < n; i++) view.setUint32(i * KEY_BYTES, i)
    const table = buildTable({ bytes, stride: KEY_BYTES }, places(n), secret)
    let [longest, run] = [0, 0]
    for (let at = 2; at < table.length; at += 3) {
      run = table[at] === 0 ? 0 : run + 1
      longest = Math.max(longest, run)
    }
    expect(longest).toBeLessThan(400)
  })

  test.for([
    ['without a free slot', new Int32Array(3).fill(1)],
    ['of broken slots', new Int32Array(4)],
    ['of no slot', new Int32Array(0)],
  ] as const)('%s is refused: a look-up would not end', ([, table]) => {
    expect(() => openTable(table, secret)).toThrow(RangeError)
  })
})

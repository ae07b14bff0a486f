import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { drawSecret, KEY_BYTES, keptSecret, type TagSecret, tagOf } from '../../src/matching/tag.ts'

const PRIME = 4_294_967_291n

const secretArb = fc
  .array(fc.integer({ min: 0, max: Number(PRIME) - 1 }), { minLength: 32, maxLength: 32 })
  .map((numbers) => Float64Array.from(numbers))
const keyArb = fc.uint8Array({ minLength: KEY_BYTES, maxLength: KEY_BYTES })

function tag(secret: TagSecret, key: Uint8Array): [number, number] {
  const out = new Int32Array(2)
  tagOf(out, secret, key, 0)
  return [(out[0] ?? 0) >>> 0, (out[1] ?? 0) >>> 0]
}

/** The definition, in integers of any size. */
function defined(secret: TagSecret, key: Uint8Array): [number, number] {
  const row = (first: number): number => {
    const sum = Array.from({ length: 16 }, (_, i) => {
      const half = BigInt((key[2 * i] ?? 0) + 256 * (key[2 * i + 1] ?? 0))
      return half * BigInt(secret[first + i] ?? 0)
    }).reduce((a, b) => a + b, 0n)
    return mixed(sum % PRIME)
  }
  return [row(0), row(16)]
}

/** MurmurHash3's fmix32. */
function mixed(sum: bigint): number {
  const word = (n: bigint): bigint => n & 0xffff_ffffn
  let bits = word(sum)
  bits = word((bits ^ (bits >> 16n)) * 0x85ebca6bn)
  bits = word((bits ^ (bits >> 13n)) * 0xc2b2ae35n)
  return Number(bits ^ (bits >> 16n))
}

describe('a tag', () => {
  test('is the one that is defined, for every secret and key', () => {
    fc.assert(
      fc.property(secretArb, keyArb, (secret, key) => {
        expect(tag(secret, key)).toEqual(defined(secret, key))
      }),
    )
  })

  test('is exact at the largest sums', () => {
    const [secret, key] = [new Float64Array(32).fill(Number(PRIME) - 1), new Uint8Array(KEY_BYTES).fill(255)]
    expect(tag(secret, key)).toEqual(defined(secret, key))
  })

  test('differs between keys and between secrets', () => {
    const secret = drawSecret(() => Math.floor(Math.random() * 2 ** 32))
    const other = drawSecret(() => Math.floor(Math.random() * 2 ** 32))
    const keys = Array.from({ length: 20_000 }, (_, i) => {
      const key = new Uint8Array(KEY_BYTES)
      new DataView(key.buffer).setUint32(28, i)
      return key
    })
    const tags = new Set(keys.flatMap((key) => [String(tag(secret, key)), String(tag(other, key))]))
    // The key of zeros has the tag of zeros under each secret.
    expect(tags.size).toBe(2 * keys.length - 1)
  })
})

describe('a secret', () => {
  test('has 32 numbers below the prime; what is drawn beyond it is drawn again', () => {
    const drawn = [2 ** 32 - 1, Number(PRIME), Number(PRIME) - 1, ...Array.from({ length: 31 }, (_, i) => i)]
    expect([...drawSecret(() => drawn.shift() ?? Number.NaN)]).toEqual([
      Number(PRIME) - 1,
      ...Array.from({ length: 31 }, (_, i) => i),
    ])
  })

  test.for<[string, number[]]>([
    ['too few', Array.from({ length: 31 }, () => 1)],
    ['too large', Array.from({ length: 32 }, () => Number(PRIME))],
    ['negative', Array.from({ length: 32 }, () => -1)],
    ['broken', Array.from({ length: 32 }, () => 0.5)],
  ])('is not kept as numbers that are %s', ([, numbers]) => {
    expect(keptSecret(numbers)).toBeUndefined()
  })

  test('is read back as it was', () => {
    const secret = drawSecret(() => 7)
    expect(keptSecret([...secret])).toEqual(secret)
  })
})

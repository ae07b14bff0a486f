import { createHash, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, toHex } from '../../src/kernel/bytes.ts'
import {
  BITS_MAX,
  BUCKET_LEAST,
  bucketsOf,
  PADDING_MOST,
  prefixNumber,
  prefixOf,
  prefixText,
} from '../../src/matching/bucket.ts'
import { ENTRY_BYTES, TAG_BYTES } from '../../src/matching/sealed.ts'

const random = (n: number) => randomBytes(n)
/** An entry of the n-th identifier; its tag is as random as a real one. */
const entry = (n: number): Uint8Array =>
  concat(
    createHash('sha256').update(`tag ${n}`).digest().subarray(0, TAG_BYTES),
    new Uint8Array(ENTRY_BYTES - TAG_BYTES).fill(1),
  )
const entries = (n: number): Uint8Array => concat(...Array.from({ length: n }, (_, i) => entry(i)))
const recordsOf = (bytes: Uint8Array): Uint8Array[] =>
  Array.from({ length: bytes.length / ENTRY_BYTES }, (_, i) => bytes.subarray(ENTRY_BYTES * i, ENTRY_BYTES * (i + 1)))
const isEntry = (record: Uint8Array): boolean => record.subarray(TAG_BYTES).every((byte) => byte === 1)
const tagsIn = (records: readonly Uint8Array[]): Set<string> =>
  new Set(records.filter(isEntry).map((record) => toHex(record.subarray(0, TAG_BYTES))))

/** The longest prefix whose every bucket has so many different tags, by counting. */
function slowBits(all: Uint8Array): number {
  const tags = [...tagsIn(recordsOf(all))].map((tag) => Buffer.from(tag, 'hex'))
  const fits = (bits: number): boolean => {
    const n = new Map<number, number>()
    for (const tag of tags) n.set(prefixOf(tag, bits), (n.get(prefixOf(tag, bits)) ?? 0) + 1)
    return n.size === 2 ** bits && [...n.values()].every((own) => own >= BUCKET_LEAST)
  }
  return Array.from({ length: BITS_MAX }, (_, i) => BITS_MAX - i).find(fits) ?? 0
}

describe('the buckets of a set', () => {
  test('have the longest prefix with which the smallest still holds 256, whatever the size', () => {
    const size = fc.oneof(fc.nat(40), fc.integer({ min: 500, max: 560 }), fc.nat(9_000))
    fc.assert(
      fc.property(size, (n) => {
        const all = entries(n)
        const { bits, width, bucket } = bucketsOf(all, random)
        expect(bits).toBe(slowBits(all))
        const buckets = Array.from({ length: 2 ** bits }, (_, prefix) => recordsOf(bucket(prefix)))
        for (const [prefix, records] of buckets.entries()) {
          expect(records).toHaveLength(width)
          expect(records.every((record) => prefixOf(record, bits) === prefix)).toBe(true)
          if (bits > 0) expect(tagsIn(records).size).toBeGreaterThanOrEqual(BUCKET_LEAST)
        }
        expect(buckets.flat().filter(isEntry)).toHaveLength(n)
        expect(Math.max(...buckets.map((records) => records.filter(isEntry).length))).toBe(width)
      }),
      { numRuns: 30 },
    )
  })
  test.each([
    [10_000, 5],
    [100_000, 8],
  ])('of %i are %i bits, as the design counted', (n, bits) => {
    expect(bucketsOf(entries(n), random).bits).toBe(bits)
  })
  test('are one, with the whole set, while there are few', () => {
    const all = entries(255)
    const { bits, width, bucket } = bucketsOf(all, random)
    expect([bits, width]).toEqual([0, 255])
    expect(tagsIn(recordsOf(bucket(0)))).toEqual(tagsIn(recordsOf(all)))
    expect([bucketsOf(new Uint8Array(0), random).bits, bucketsOf(new Uint8Array(0), random).width]).toEqual([0, 0])
  })
  test('count one identifier once, however many sources name it', () => {
    const many = concat(...Array.from({ length: 5_000 }, (_, i) => entry(i % 300)))
    expect(bucketsOf(many, random)).toMatchObject({ bits: 0, width: 5_000 })
  })
  test('are together at most 4 times the entries, though many are of one identifier', () => {
    const [one, all] = [entry(0), entries(9_000)]
    expect(bucketsOf(all, random).bits).toBe(4)
    for (const named of [500, 3_000, 30_000]) {
      const many = concat(all, ...Array.from({ length: named }, () => one))
      const { bits, width, bucket } = bucketsOf(many, random)
      expect(width * 2 ** bits).toBeLessThanOrEqual(PADDING_MOST * (9_000 + named))
      expect(bucket(prefixOf(one, bits)).length).toBe(width * ENTRY_BYTES)
      // As long a prefix as that allows.
      expect(2 * width * 2 ** bits).toBeGreaterThan(9_000 + named)
    }
  })
  test('are padded with what has the look of their entries, and stands among them', () => {
    const { bits, bucket } = bucketsOf(entries(1_500), random)
    expect(bits).toBeGreaterThan(0)
    const padded = Array.from({ length: 2 ** bits }, (_, prefix) => recordsOf(bucket(prefix)))
    expect(padded.flat().some((record) => !isEntry(record))).toBe(true)
    for (const records of padded) {
      const tags = records.map((record) => toHex(record.subarray(0, TAG_BYTES)))
      expect(tags).toEqual(tags.toSorted())
    }
  })
})

describe('a prefix in a path', () => {
  test('has one writing, of one length for all of a snapshot', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: BITS_MAX }), fc.nat(65_535), (bits, n) => {
        const prefix = n % 2 ** bits
        const text = prefixText(prefix, bits)
        expect(text).toHaveLength(prefixText(0, bits).length)
        expect(prefixNumber(text, bits)).toBe(prefix)
        expect(prefixNumber(`0${text}`, bits)).toBeUndefined()
      }),
    )
  })
  test.each([
    ['20', 5],
    ['1', 0],
    ['A', 4],
    ['', 0],
    ['zz', 8],
    ['-1', 8],
  ])('%s is none of %i bits', (text, bits) => expect(prefixNumber(text, bits)).toBeUndefined())
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat } from '../../src/kernel/bytes.ts'
import { newId, type Uuid, uuidBytes, uuidFromBytes } from '../../src/kernel/ids.ts'
import {
  type BatchEntry,
  decodeBatch,
  decodeEntry,
  decodeRun,
  encodeBatch,
  idsInRun,
} from '../../src/provenance/batch.ts'
import { aHash } from './vectors.ts'

const anId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(uuidFromBytes)
const aSlug = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/)
const anEntry: fc.Arbitrary<BatchEntry> = fc.record({
  event_id: anId,
  participant_id: anId,
  c: aHash,
  entry: fc.uint8Array({ minLength: 33, maxLength: 33 }),
  chains: fc.array(
    fc.record({ party: aSlug, seq: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), salt: aHash, link: aHash }),
    { maxLength: 5 },
  ),
  decoys: fc.array(aHash, { maxLength: 4 }),
})

const ID = newId(new Date(0))
const withParties = (n: number, decoys = 0): BatchEntry => ({
  ...{ event_id: ID, participant_id: ID, c: new Uint8Array(32), entry: new Uint8Array(33) },
  chains: Array.from({ length: n }, (_, i) => ({
    party: `fruit-${i}`,
    seq: BigInt(i + 1),
    salt: new Uint8Array(32).fill(i),
    link: new Uint8Array(32).fill(i + 1),
  })),
  decoys: Array.from({ length: decoys }, (_, i) => new Uint8Array(32).fill(i)),
})

/** As the integrator has them: what an entry begins with is one piece of bytes. */
const encoded = (entries: readonly BatchEntry[]): Uint8Array =>
  encodeBatch(
    entries.map((entry) => ({
      ...entry,
      packed: concat(uuidBytes(entry.event_id), uuidBytes(entry.participant_id), entry.c),
    })),
  )

describe('a batch', () => {
  test('gives back its entries, all at once and each by its place', () => {
    fc.assert(
      fc.property(fc.array(anEntry, { minLength: 1, maxLength: 6 }), (entries) => {
        const data = encoded(entries)
        expect(decodeBatch(data, entries.length)).toEqual(entries)
        for (const [i, entry] of entries.entries()) expect(decodeEntry(data, i)).toEqual(entry)
      }),
    )
  })
  test('gives back neighbours out of the middle, from their own bytes alone', () => {
    const run = fc
      .array(anEntry, { minLength: 1, maxLength: 6 })
      .chain((entries) => fc.tuple(fc.constant(entries), fc.nat(entries.length - 1), fc.integer({ min: 1, max: 6 })))
    fc.assert(
      fc.property(run, ([entries, from, n]) => {
        const data = encoded(entries)
        const placed = (i: number): number =>
          i < entries.length ? new DataView(data.buffer, data.byteOffset).getUint32(4 * i) : data.length
        const to = Math.min(entries.length, from + n)
        const bytes = { offsets: data.slice(4 * from, 4 * to), entries: data.slice(placed(from), placed(to)) }
        expect(decodeRun(bytes)).toEqual(entries.slice(from, to))
        expect(idsInRun(bytes)).toEqual(
          entries.slice(from, to).map(({ event_id, participant_id }) => ({ event_id, participant_id })),
        )
      }),
    )
  })
  test('gives back its entries from a view into a larger buffer, as the driver hands them', () => {
    const entries = [withParties(2), withParties(1, 1)]
    const data = encoded(entries)
    const large = Buffer.concat([Buffer.alloc(5, 0xff), data, Buffer.alloc(5, 0xff)])
    expect(encoded(decodeBatch(large.subarray(5, 5 + data.length), 2))).toEqual(data)
  })
  test.for([255, 256, 300, 1_000])('holds an entry of %i parties, and as many decoys', (n) => {
    const data = encoded([withParties(n, n)])
    const entry = decodeEntry(data, 0)
    expect([entry.chains.length, entry.decoys.length]).toEqual([n, n])
    expect(entry.chains.at(-1)?.party).toBe(`fruit-${n - 1}`)
    expect(Buffer.compare(encoded([entry]), data)).toBe(0)
  })
  test('is not made of an entry with more of them than can be counted', () => {
    expect(decodeEntry(encoded([withParties(1, 65_535)]), 0).decoys.length).toBe(65_535)
    expect(() => encoded([withParties(1, 65_536)])).toThrow(RangeError)
  })
  test('is not made of an entry that begins with other bytes than ids and commitment', () => {
    const { entry, chains, decoys } = withParties(1)
    for (const length of [0, 63, 65]) {
      expect(() => encodeBatch([{ packed: new Uint8Array(length), entry, chains, decoys }])).toThrow(RangeError)
    }
  })
  test('that ends early, or has no such entry, is a RangeError', () => {
    const data = encoded([withParties(2, 1)])
    for (let length = 0; length < data.length; length++)
      expect(() => decodeEntry(data.slice(0, length), 0), String(length)).toThrow(RangeError)
    for (const i of [1, 1_000]) expect(() => decodeEntry(data, i), String(i)).toThrow(RangeError)
  })
  test('whose party is no text is a RangeError', () => {
    const entry = withParties(1)
    const data = encoded([entry])
    data[data.indexOf('f'.charCodeAt(0), 4 + 16 + 16 + 32 + 33)] = 0xff
    expect(() => decodeEntry(data, 0)).toThrow(RangeError)
  })
})

test('of nothing is nothing', () => {
  expect(encoded([])).toEqual(new Uint8Array(0))
  expect(decodeBatch(new Uint8Array(0), 0)).toEqual([] satisfies { event_id: Uuid }[])
})

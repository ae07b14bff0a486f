import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Uuid } from '../../src/kernel/ids.ts'
import { uuidFromBytes } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import {
  encodeMatchFile,
  PATTERN_KIND,
  PDQ_KIND,
  PREAMBLE_BYTES,
  readHeader,
  readPatterns,
  readPreamble,
  type SECTIONS,
} from '../../src/matching/match-file.ts'
import {
  createDictionary,
  decodeRecord,
  encodeRecord,
  type MatchRecord,
  RECORD_BYTES,
} from '../../src/matching/record.ts'
import { drawSecret } from '../../src/matching/tag.ts'

const uuidArb = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => uuidFromBytes(bytes) as Uuid)
const wordArb = fc.constantFrom('pear', 'plum', 'fig', 'quince')
const recordArb: fc.Arbitrary<MatchRecord> = fc.record({
  key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  ...{ signal: uuidArb, event: uuidArb, feed: uuidArb },
  seq: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  kind: fc.constantFrom('email email/1@spring', PDQ_KIND, PATTERN_KIND),
  ...{ source: wordArb, category: wordArb, severity: wordArb, handling: wordArb, tlp: wordArb, basis: wordArb },
  index: fc.nat({ max: 999 }),
  revision: fc.integer({ min: 1, max: 1_000_001 }),
  expires: fc.nat({ max: 2 ** 32 - 1 }),
  confidence: fc.nat({ max: 100 }),
  held: fc.boolean(),
})

describe('a record', () => {
  test('has 96 bytes and is read back as it was, beside others', () => {
    fc.assert(
      fc.property(fc.array(recordArb, { minLength: 1, maxLength: 5 }), (records) => {
        const dictionary = createDictionary()
        const all = records.map((record) => encodeRecord(record, dictionary) ?? new Uint8Array(0))
        expect(all.map(({ length }) => length)).toEqual(records.map(() => RECORD_BYTES))
        const joined = Buffer.concat(all)
        expect(records.map((_, i) => decodeRecord(joined, i * RECORD_BYTES, dictionary.words))).toEqual(records)
      }),
    )
  })

  test('is not made where a list of words is full, and not read where a word is missing', () => {
    const [record] = fc.sample(recordArb, 1)
    if (record === undefined) throw new Error('one record')
    const dictionary = createDictionary()
    for (let i = 0; i < 256; i++) encodeRecord({ ...record, handling: `handling ${i}` }, dictionary)
    expect(encodeRecord({ ...record, handling: 'one more' }, dictionary)).toBeUndefined()
    const known = encodeRecord({ ...record, handling: 'handling 7' }, dictionary)
    expect(known).toHaveLength(RECORD_BYTES)
    expect(decodeRecord(known ?? new Uint8Array(RECORD_BYTES), 0, createDictionary().words)).toBeUndefined()
  })
})

/** A file of these records, as they stand in it. */
function aFile(records: readonly MatchRecord[]) {
  const dictionary = createDictionary()
  const encoded = records.map((record) => Buffer.from(encodeRecord(record, dictionary) ?? [])).sort(Buffer.compare)
  const file = encodeMatchFile({
    ...{ programme: 'orchard', made_at: '2026-03-01T12:00:00.000Z', hash: sha256 },
    feeds: [{ feed: 'pears', seq: '12', bytes: 345 }],
    records: Buffer.concat(encoded),
    words: dictionary.words,
    patterns: new Map(records.map(({ key }) => [Buffer.from(key).toString('hex'), { of: 'pears' }])),
    secret: drawSecret(() => randomBytes(4).readUInt32LE()),
  })
  const preamble = readPreamble(file.subarray(0, PREAMBLE_BYTES), file.length)
  const length = preamble.outcome === 'ok' ? preamble.header : 0
  const text = Buffer.from(file.subarray(PREAMBLE_BYTES, PREAMBLE_BYTES + length)).toString()
  return { file, text, header: readHeader(text, file.length) }
}

/** A header as a test spoils it. */
interface Told {
  secret?: unknown
  counts: object
  sections: { pdq: object; table: object }
}

describe('a file', () => {
  test('has every part where its header says, whatever is in it', () => {
    fc.assert(
      fc.property(fc.array(recordArb, { maxLength: 20 }), (records) => {
        const { file, header } = aFile(records)
        const section = (name: (typeof SECTIONS)[number]): Buffer => {
          const { at, bytes } = header?.sections[name] ?? { at: 0, bytes: 0 }
          expect(at % 64).toBe(0)
          return Buffer.from(file.subarray(at, at + bytes))
        }
        const keys = records.map(({ key }) => Buffer.from(key).toString('hex'))
        const pdq = records.filter(({ kind }) => kind === PDQ_KIND)
        expect(header?.counts).toEqual({
          signals: records.length,
          keys: new Set(keys).size,
          pdq: pdq.length,
          patterns: records.filter(({ kind }) => kind === PATTERN_KIND).length,
        })
        const hashes = section('pdq')
        for (let i = 0; i < pdq.length; i++) {
          const record = hashes.readUInt32LE(pdq.length * 32 + 4 * i)
          const key = section('records').subarray(record * RECORD_BYTES, record * RECORD_BYTES + 32)
          expect(hashes.subarray(i * 32, (i + 1) * 32)).toEqual(key)
        }
        const patterns = readPatterns(section('patterns').toString(), records.length)
        expect(patterns?.every(({ value }) => JSON.stringify(value) === '{"of":"pears"}')).toBe(true)
      }),
    )
  })

  const { text, file } = aFile(fc.sample(recordArb, 6))
  const otherwise = (change: (header: Told) => unknown): string => {
    const header = JSON.parse(text) as Told
    change(header)
    return JSON.stringify(header)
  }
  test.for<[string, string]>([
    ['that is no JSON', text.slice(1)],
    ['of nothing', 'null'],
    ['without a secret', otherwise((header) => delete header.secret)],
    ['with a part behind the end', otherwise(({ sections }) => Object.assign(sections.pdq, { at: 6_400_000 }))],
    ['with a part of less than nothing', otherwise(({ sections }) => Object.assign(sections.table, { bytes: -12 }))],
    ['with more signals than records', otherwise(({ counts }) => Object.assign(counts, { signals: 7 }))],
    ['with half a signal', otherwise(({ counts }) => Object.assign(counts, { signals: 0.5 }))],
  ])('with a header %s is none', ([, wrong]) => {
    expect(readHeader(text, file.length)).toBeDefined()
    expect(readHeader(wrong, file.length)).toBeUndefined()
  })

  test.for([
    ['no JSON', '['],
    ['no list', '{}'],
    ['of a record that is not there', '[{"record":6}]'],
  ] as const)('with patterns that are %s has none', ([, wrong]) => {
    expect(readPatterns(wrong, 6)).toBeUndefined()
  })
})

import { describe, expect, test } from 'vitest'
import { type Manifest, manifestText, parseManifest, parseSums, sumsText } from '../../src/operations/manifest.ts'

const SUM = 'ab'.repeat(32)
const GOOD: Manifest = {
  ...{ format: 'aldis-backup/1', made_at: '2026-11-26T12:00:00.000Z', release: '0.1.0', schema: 4 },
  logs: [
    {
      ...{ log_id: 1, origin: 'node.example.org/provenance/1', size: '12', root: SUM },
      ...{ signed: '12', signed_root: SUM, newest: null },
    },
  ],
  tables: [{ table: 'programme', columns: ['slug'], rows: 1, file: 'tables/programme.copy' }],
  files: ['config/taxonomy.json'],
}
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

test('a manifest is read as it was written', () => {
  expect(parseManifest(Buffer.from(manifestText(GOOD)))).toEqual(GOOD)
})

describe('a manifest is refused', () => {
  test.each<[string, unknown]>([
    ['of another form', { ...GOOD, format: 'aldis-backup/2' }],
    ['with a member that is not known', { ...GOOD, more: 1 }],
    ['without its logs', { ...GOOD, logs: undefined }],
    ['that names a file outside the folder', { ...GOOD, files: ['../keys/log-1'] }],
    ['that names a file above a folder', { ...GOOD, files: ['keys/..'] }],
    ['that names an absolute path', { ...GOOD, files: ['/etc/passwd'] }],
    ['with a table that is no name', { ...GOOD, tables: [{ ...GOOD.tables[0], table: 'a; drop table b' }] }],
    ['with rows below none', { ...GOOD, tables: [{ ...GOOD.tables[0], rows: -1 }] }],
    ['of schema 0', { ...GOOD, schema: 0 }],
  ])('%s', (_what, value) => {
    expect(() => parseManifest(bytes(value))).toThrow(expect.objectContaining({ reason: 'damaged' }))
  })
  test('that is no JSON, or has a member twice', () => {
    for (const text of ['', '{', '{"format":1,"format":2}'])
      expect(() => parseManifest(Buffer.from(text))).toThrow(expect.objectContaining({ reason: 'damaged' }))
  })
})

test('sums are those of sha256sum(1), each file once', () => {
  const sums = new Map([
    ['tables/programme.copy', SUM],
    ['manifest.json', SUM],
  ])
  expect(sumsText(sums)).toBe(`${SUM}  tables/programme.copy\n${SUM}  manifest.json\n`)
  expect(parseSums(sumsText(sums))).toEqual(sums)
})

test.each([
  `${SUM}  manifest.json`,
  `${SUM} manifest.json\n`,
  `${SUM}  ../manifest.json\n`,
  `${SUM}  manifest.json\n${SUM}  manifest.json\n`,
  `${SUM.toUpperCase()}  manifest.json\n`,
  '\n',
])('sums are refused: %j', (text) => {
  expect(() => parseSums(text)).toThrow(expect.objectContaining({ reason: 'damaged' }))
})

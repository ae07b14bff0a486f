import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CELLS_MAX, type CsvRecord, csvRecords, RECORD_MAX } from '../../../src/client/imports/csv.ts'
import { DOCUMENT_MAX } from '../../../src/client/imports/list-file.ts'
import { type Imported, importMapIn, instantIn } from '../../../src/client/imports/row.ts'
import { type ImportOptions, importDigest, importRows } from '../../../src/client/imports/source.ts'
import { toStix } from '../../../src/interop/stix/to-stix.ts'
import { anItem, idOf, NOON, sha } from '../../signals/factory.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aldis-import-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

let made = 0
function aFile(text: string): string {
  made += 1
  const path = join(folder, `list-${made}`)
  writeFileSync(path, text)
  return path
}
const suiteOf = (kid: string) => (kid === 'spring' ? 'hmac-sha256' : undefined)
const how = (format: ImportOptions['format'], change: Partial<ImportOptions> = {}): ImportOptions => ({
  ...{ format, map: {}, otherwise: {}, suiteOf, ...change },
})
async function rowsOf(path: string, options: ImportOptions): Promise<Imported[]> {
  const rows: Imported[] = []
  for await (const row of importRows(path, options)) rows.push(row)
  return rows
}
const raw = (row: Imported | undefined) => (row?.outcome === 'raw' ? row.raw : row)
const SECRET = 'plum@mail.example'
const PDQ = 'ab'.repeat(32)

describe('CSV', () => {
  async function records(text: string, size = 7): Promise<CsvRecord[]> {
    const bytes = Buffer.from(text)
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    }
    const all: CsvRecord[] = []
    for await (const one of csvRecords(pieces())) all.push(one)
    return all
  }
  test('reads back whatever is written by its rules, wherever the bytes are cut', async () => {
    const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`
    const cells = fc.array(
      fc.string({ unit: 'grapheme' }).filter((cell) => !cell.includes('\ufffd')),
      {
        ...{ minLength: 1, maxLength: 5 },
      },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(cells, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 40 }),
        async (all, size) => {
          const text = all.map((one) => `${one.map(quoted).join(',')}\r\n`).join('')
          const read = await records(text, size)
          expect(read.map((one) => ('cells' in one ? one.cells : one.fault))).toEqual(all)
        },
      ),
      { numRuns: 100 },
    )
  })
  test.each<[string, string, CsvRecord[]]>([
    ['bare cells, empty ones too', 'a,,b\n', [{ line: 1, cells: ['a', '', 'b'] }]],
    [
      'a last line without its end',
      'a\nb',
      [
        { line: 1, cells: ['a'] },
        { line: 2, cells: ['b'] },
      ],
    ],
    [
      'lines within a cell',
      '"a\nb",c\nd,e',
      [
        { line: 1, cells: ['a\nb', 'c'] },
        { line: 3, cells: ['d', 'e'] },
      ],
    ],
    ['a mark of the byte order', '\ufeffa,b', [{ line: 1, cells: ['a', 'b'] }]],
    ['empty lines, which are none', '\na\n\n', [{ line: 2, cells: ['a'] }]],
    ['a number, which stays a text', '007,+1e3', [{ line: 1, cells: ['007', '+1e3'] }]],
    ['a quote within a cell', 'a"b""c\nd', [{ line: 1, fault: expect.any(String) as never }]],
    [
      'something behind a quote',
      '"a"b,c\nd',
      [
        { line: 1, fault: expect.any(String) as never },
        { line: 2, cells: ['d'] },
      ],
    ],
    [
      'a quote that is not closed',
      'x\n"a\nb\n',
      [
        { line: 1, cells: ['x'] },
        { line: 2, fault: 'a quote is not closed' },
      ],
    ],
  ])('%s', async (_what, text, expected) => {
    expect(await records(text)).toEqual(expected)
  })
  test('has bounds, and is not UTF-8 by chance', async () => {
    expect(await records('a,'.repeat(CELLS_MAX + 2))).toMatchObject([{ fault: expect.stringContaining('cells') }])
    expect(await records(`"${'a\n'.repeat(RECORD_MAX)}`, 4_096)).toMatchObject([{ line: 1, fault: expect.any(String) }])
    const all: CsvRecord[] = []
    for await (const one of csvRecords(
      (async function* () {
        yield Buffer.from([0x61, 0xff, 0x0a])
      })(),
    ))
      all.push(one)
    expect(all).toMatchObject([{ fault: 'the record is not UTF-8' }])
  })
})

describe('a list in CSV', () => {
  test('is read by our names', async () => {
    const path = aFile(
      `type,value,platform,category,severity,confidence,observed_at,tlp,ref\nemail,${SECRET},,grooming,HIGH,80,2026-02-01,amber,7\nusername,plum,Birdsong,,,,2026-02-01T10:00:00.123Z,,\n`,
    )
    expect((await rowsOf(path, how('csv'))).map(raw)).toEqual([
      {
        ...{ type: 'email', raw: SECRET, category: 'grooming', severity: 'high', confidence: 80, tlp: 'amber' },
        observed_at: '2026-02-01T00:00:00Z',
      },
      { type: 'username', raw: 'plum', service: 'birdsong', observed_at: '2026-02-01T10:00:00Z' },
    ])
  })
  test('is read by the names of a map', async () => {
    const map = importMapIn(
      JSON.stringify({
        columns: { Indicator: 'value', Kind: 'type', 'Seen on': 'platform', Comment: null, Label: 'category' },
        types: { 'IP address': 'ip', Image: 'media_hash:pdq', Handle: 'username' },
        categories: { 'child safety': 'grooming' },
        platforms: { 'Birdsong Ltd': 'birdsong' },
      }),
      'map.json',
    )
    const path = aFile(
      `Kind,Indicator,Seen on,Comment,Label\nIP address,192.0.2.7,,${SECRET},child safety\nImage,${PDQ},,,\nHandle,plum,Birdsong Ltd,,\n`,
    )
    const rows = await rowsOf(path, how('csv', { map }))
    expect(rows.map(raw)).toEqual([
      { type: 'ip', raw: '192.0.2.7', category: 'grooming' },
      { type: 'media_hash', algorithm: 'pdq', hash: PDQ },
      { type: 'username', raw: 'plum', service: 'birdsong' },
    ])
    expect(rows.map(({ from }) => from)).toEqual(['IP address', 'Image', 'Handle'])
  })
  test.each([
    ['a type that there is not', `type,value\nfruit,${SECRET}`],
    ['a pattern, which is written and not listed', `type,value\nkeyword_pattern,${SECRET}`],
    ['no value', 'type,value\nemail,'],
    ['a confidence that is none', `type,value,confidence\nemail,${SECRET},101`],
    ['a severity that is none', `type,value,severity\nemail,${SECRET},grave`],
    ['a day that is not there', `type,value,observed_at\nemail,${SECRET},2026-02-30`],
    ['a hash without its algorithm', `type,value\nmedia_hash,${PDQ}`],
    ['more cells than the header', `type,value\nemail,${SECRET},x`],
  ])('%s refuses the entry by its line, and never tells its value', async (_what, text) => {
    const rows = await rowsOf(aFile(text), how('csv'))
    expect(rows).toMatchObject([{ line: 2, outcome: 'refused', reason: expect.any(String) }])
    expect(JSON.stringify(rows)).not.toMatch(/plum|abab/)
  })
  test.each([
    ['no header', `email,${SECRET}\n`, /column 1 is none of/],
    ['no value', 'type,platform\n', /has to name value/],
    ['a column twice', 'value,value\n', /each column once/],
  ])('%s refuses the whole, by the place of the column', async (_what, text, says) => {
    const fault = await rowsOf(aFile(text), how('csv')).catch((error: unknown) => error as Error)
    expect(fault).toMatchObject({ name: 'StartRefused', message: expect.stringMatching(says) })
    expect(String(fault)).not.toContain(SECRET)
  })
  test('a map that is none is refused by its member', () => {
    expect(() => importMapIn('{"columns":{"a":"colour"}}', 'm')).toThrow(/m: \/columns\/a/)
    expect(() => importMapIn('[', 'm')).toThrow(/m: the map/)
  })
})

describe('NDJSON', () => {
  test('is as submit takes it, or has the names of a map', async () => {
    const path = aFile(`{"type":"email","raw":"${SECRET}"}\n\n[1]\n{"type":"ip"\n`)
    expect(await rowsOf(path, how('ndjson'))).toMatchObject([
      { line: 1, raw: { type: 'email', raw: SECRET } },
      { line: 3, outcome: 'refused' },
      { line: 4, outcome: 'refused' },
    ])
    const map = { columns: { kind: 'type', what: 'value', more: null } } as const
    const other = aFile(
      `{"kind":"ip","what":"192.0.2.7","more":{"a":1}}\n{"kind":"ip","what":["${SECRET}"]}\n{"x":"y"}\n`,
    )
    const rows = await rowsOf(other, how('ndjson', { map }))
    expect(rows).toMatchObject([
      { raw: { type: 'ip', raw: '192.0.2.7' } },
      { outcome: 'refused' },
      { outcome: 'refused' },
    ])
    expect(JSON.stringify(rows)).not.toContain(SECRET)
  })
})

describe('plain lists', () => {
  test('are of hashes, or of one other type', async () => {
    const path = aFile(`# a list\n${PDQ}\r\n\n ${sha('pear')} \n`)
    const hashes = how('hashes', { otherwise: { type: 'media_hash', algorithm: 'pdq' } })
    expect((await rowsOf(path, hashes)).map(raw)).toEqual([
      { type: 'media_hash', algorithm: 'pdq', hash: PDQ },
      { type: 'media_hash', algorithm: 'pdq', hash: sha('pear') },
    ])
    const domains = how('hashes', { otherwise: { type: 'domain' } })
    expect((await rowsOf(aFile('bad.example\n'), domains)).map(raw)).toEqual([{ type: 'domain', raw: 'bad.example' }])
  })
})

describe('a feed of MISP', () => {
  const one = (type: string, value: unknown, change: object = {}) => ({ type, value, to_ids: false, ...change })
  const event = (attributes: object[], change: object = {}) => ({ Event: { Attribute: attributes, ...change } })
  const ID = '0b9f3a0e-8a35-4c0e-9f0b-5d1b6a7c4e21'
  function aFeed(manifest: object, events: Record<string, object>): string {
    made += 1
    const path = join(folder, `feed-${made}`)
    mkdirSync(path)
    writeFileSync(join(path, 'manifest.json'), JSON.stringify(manifest))
    for (const [id, value] of Object.entries(events)) writeFileSync(join(path, `${id}.json`), JSON.stringify(value))
    return path
  }

  test('has the attributes of its events and of their objects, in the order of the ids', async () => {
    const other = ID.replace('0b', '0a')
    const path = aFeed(
      { [ID]: {}, [other]: {} },
      {
        [ID]: event([one('url', 'https://bad.example/a'), one('ip-dst', '192.0.2.7')], {
          Object: [{ Attribute: [one('filename|sha256', `a|b.png|${sha('pear')}`)] }],
          Tag: [{ name: 'tlp:green' }, { name: 'safety:minor' }],
        }),
        [other]: event([
          one('email-src', SECRET, { Tag: [{ name: 'tlp:red' }], timestamp: '1700000000' }),
          one('btc', '1BoatSLRHtKNngkdXEeobR76b53LETtpyT'),
          one('md5', 'ab'.repeat(16), { deleted: true }),
        ]),
      },
    )
    const rows = await rowsOf(path, how('misp', { map: { categories: { 'safety:minor': 'grooming' } } }))
    expect(rows.map(({ line, from }) => `${line} ${from}`)).toEqual([
      ...['1 email-src', '2 btc', '3 url', '4 ip-dst', '5 filename|sha256'],
    ])
    expect(rows.map(raw)).toEqual([
      { type: 'email', raw: SECRET, tlp: 'red', observed_at: '2023-11-14T22:13:20Z' },
      { type: 'payment_handle', raw: '1BoatSLRHtKNngkdXEeobR76b53LETtpyT', service: 'bitcoin' },
      { type: 'url', raw: 'https://bad.example/a', tlp: 'green', category: 'grooming' },
      { type: 'ip', raw: '192.0.2.7', tlp: 'green', category: 'grooming' },
      { type: 'media_hash', algorithm: 'sha256', hash: sha('pear'), tlp: 'green', category: 'grooming' },
    ])
  })
  test.each([
    ['tlp:red', 'tlp:green', 'red'],
    ['tlp:green', 'tlp:red', 'red'],
    ['tlp:amber+strict', 'tlp:amber', 'amber+strict'],
    ['tlp:clear', 'tlp:white', 'clear'],
  ])('of an event at %s an attribute at %s is shared at %s, the stricter level', async (whole, own, tlp) => {
    const value = event([one('ip-dst', '192.0.2.7', { Tag: [{ name: own }] })], { Tag: [{ name: whole }] })
    expect((await rowsOf(aFile(JSON.stringify(value)), how('misp'))).map(raw)).toEqual([
      { type: 'ip', raw: '192.0.2.7', tlp },
    ])
  })
  test("an attribute's category goes before its event's", async () => {
    const categories = { 'safety:minor': 'grooming', 'safety:money': 'sextortion_financial' }
    const own = one('ip-dst', '192.0.2.7', { Tag: [{ name: 'safety:money' }] })
    const value = event([own], { Tag: [{ name: 'safety:minor' }] })
    const rows = await rowsOf(aFile(JSON.stringify(value)), how('misp', { map: { categories } }))
    expect(rows.map(raw)).toMatchObject([{ category: 'sextortion_financial' }])
  })
  test.each(['target-email', 'attachment', 'text', 'comment', 'filename', 'x'.repeat(99), '__proto__'])(
    '%s is refused, and its value not told',
    async (type) => {
      const rows = await rowsOf(aFile(JSON.stringify(event([one(type, SECRET)]))), how('misp'))
      expect(rows).toMatchObject([{ line: 1, outcome: 'refused' }])
      expect(JSON.stringify(rows)).not.toContain(SECRET)
    },
  )
  test('names no other files than its own', async () => {
    const path = aFeed({ '../secret': {} }, {})
    await expect(rowsOf(path, how('misp'))).rejects.toThrow(/other ids than UUIDs/)
  })
  test.each(['{"Event":1}', '{}', '[]'])('%s has nothing', async (text) => {
    expect(await rowsOf(aFile(text), how('misp'))).toEqual([])
  })
})

describe('a bundle of STIX', () => {
  test('has its indicators, ours as they were', async () => {
    const item = anItem({}, 'email')
    const version = {
      ...{ type: 'signal.created' as const, source: 'apple', signal: item.signal, revision: 1, event: idOf(8), item },
      ...{ firstType: item.type, reason: undefined, created: NOON.getTime(), modified: NOON.getTime() + 1 },
    }
    const mapped = toStix(version, { suiteOf })
    const object = 'object' in mapped ? JSON.parse(mapped.object.text) : {}
    const text = JSON.stringify({
      type: 'bundle',
      id: 'b',
      objects: [{ type: 'identity' }, object, { type: 'malware' }],
    })
    expect(await rowsOf(aFile(text), how('stix'))).toMatchObject([
      { line: 2, outcome: 'raw', raw: { type: 'email', hashed: item.value, category: 'grooming' } },
      { line: 3, outcome: 'refused', reason: expect.stringMatching(/^stix-type-refused /) },
    ])
  })
  test.each([
    ['no bundle', '{"type":"indicator"}', /no bundle/],
    ['no JSON', '{', /invalid-json/],
    ['a key twice', '{"objects":[],"objects":[]}', /json-strict/],
  ])('%s refuses the whole', async (_what, text, says) => {
    await expect(rowsOf(aFile(text), how('stix'))).rejects.toThrow(says)
  })
})

test('a document that is larger than the most is refused unread', async () => {
  const path = aFile('{')
  truncateSync(path, DOCUMENT_MAX + 1)
  for (const format of ['stix', 'misp'] as const)
    await expect(rowsOf(path, how(format))).rejects.toThrow(`is larger than ${DOCUMENT_MAX} bytes`)
})

test('a list is known again by its bytes and by how it is read', async () => {
  const [path, same, other] = [aFile('value\na\n'), aFile('value\na\n'), aFile('value\nb\n')]
  const digest = await importDigest(path, how('csv'))
  expect(await importDigest(same, how('csv'))).toEqual(digest)
  expect(await importDigest(other, how('csv'))).not.toEqual(digest)
  expect(await importDigest(path, how('csv', { otherwise: { type: 'ip' } }))).not.toEqual(digest)
  await expect(importDigest(join(folder, 'none'), how('misp'))).rejects.toThrow(/is missing/)
})

test('an instant is to the second, and of a day that is there', () => {
  expect(['2026-02-28', '2026-02-28T10:00:00Z', '2026-02-28T10:00:00.5Z'].map(instantIn)).toEqual([
    ...['2026-02-28T00:00:00Z', '2026-02-28T10:00:00Z', '2026-02-28T10:00:00Z'],
  ])
  for (const text of ['2026-02-30', '2026-02-28T25:00:00Z', '2026-02-28T10:00:00+01:00', 'noon', ''])
    expect(instantIn(text)).toBe(undefined)
})

import { join } from 'node:path'
import type { SuiteOf } from '../../interop/stix/pattern.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { sha256 } from '../../kernel/sha256.ts'
import type { RawLine } from '../derive.ts'
import { linesOf } from '../lines.ts'
import { rawLineOf } from '../raw-line.ts'
import { type CsvRecord, csvRecords } from './csv.ts'
import { documentIn, fileOnDisk, isManifest, type ListFile, MANIFEST, statOf } from './list-file.ts'
import { eventsIn, mispRows } from './misp.ts'
import { type Imported, type ImportMap, MEMBERS, type Member, type Row, refused, rowOf } from './row.ts'
import { stixRows } from './stix.ts'

export const IMPORT_FORMATS = ['csv', 'ndjson', 'stix', 'misp', 'hashes'] as const
export type ImportFormat = (typeof IMPORT_FORMATS)[number]

export interface ImportOptions {
  format: ImportFormat
  map: ImportMap
  /** What holds of every entry that says nothing else: its type, and the algorithm of hashes. */
  otherwise: Pick<RawLine, 'algorithm'> & { type?: RawLine['type'] }
  suiteOf: SuiteOf
}

/** The path of a list, or its files as they were fetched. */
export type List = string | readonly ListFile[]

/** A list as raw lines, entry by entry. Nothing of it leaves: what is wrong with an entry is said without its value. */
export async function* importRows(list: List, options: ImportOptions): AsyncGenerator<Imported> {
  const files = await filesOf(list, options.format)
  if (options.format === 'misp') return yield* feedRows(files, options)
  const rows = { csv: csvRows, ndjson: objectRows, stix: bundleRows, hashes: plainRows }[options.format]
  for (const file of files) yield* rows(file, options)
}

/** The files that a list consists of, in their order. */
async function filesOf(list: List, format: ImportFormat): Promise<readonly ListFile[]> {
  if (typeof list !== 'string') return list
  if (format !== 'misp' || !statOf(list).isDirectory()) return [fileOnDisk(list)]
  const manifest = fileOnDisk(join(list, MANIFEST))
  return [manifest, ...(await eventsOf(manifest)).map((id) => fileOnDisk(join(list, `${id}.json`)))]
}

/** The events that a manifest names, which are files beside it. Throws `StartRefused` where it names anything else. */
export async function eventsOf(manifest: ListFile): Promise<string[]> {
  const ids = eventsIn(await documentIn(manifest))
  if (ids === undefined) throw new StartRefused(`${manifest.name}: names events by other ids than UUIDs`)
  return ids
}

/** Of all bytes of a list and of how it is read: what is imported again is known by it. */
export async function importDigest(list: List, { suiteOf: _, ...how }: ImportOptions): Promise<Buffer> {
  let digest = sha256(Buffer.from(JSON.stringify(how)))
  for (const file of await filesOf(list, how.format)) {
    digest = sha256(Buffer.concat([digest, Buffer.from('\0')]))
    for await (const piece of file.pieces()) digest = sha256(Buffer.concat([digest, sha256(piece)]))
  }
  return digest
}

/** Columns by their names, ours or those of the map. */
function memberOf(name: string, { columns }: ImportMap): Member | null | undefined {
  const key = name.trim()
  if (columns !== undefined && Object.hasOwn(columns, key)) return columns[key]
  return MEMBERS.find((member) => member === key.toLowerCase())
}

async function* csvRows({ name, pieces }: ListFile, options: ImportOptions): AsyncGenerator<Imported> {
  let members: readonly (Member | null)[] | undefined
  for await (const record of csvRecords(pieces())) {
    if ('cells' in record && members === undefined) members = headerOf(name, record.cells, options.map)
    else yield { line: record.line, ...csvRow(record, members ?? [], options) }
  }
}

function csvRow(
  record: CsvRecord,
  members: readonly (Member | null)[],
  { map, otherwise }: ImportOptions,
): Row & Pick<Imported, 'from'> {
  if ('fault' in record) return { from: 'unknown', ...refused(record.fault) }
  if (record.cells.length !== members.length)
    return { from: 'unknown', ...refused(`the record has not ${members.length} cells, as the header has`) }
  const cells = new Map<Member, string>()
  for (const [i, member] of members.entries()) if (member !== null) cells.set(member, record.cells[i] ?? '')
  return { from: labelOf(cells, map), ...rowOf(cells, map, otherwise) }
}

/** Told by its place: without a header, a first record may be a value. */
function headerOf(path: string, names: readonly string[], map: ImportMap): (Member | null)[] {
  const members = names.map((name) => memberOf(name, map))
  const unknown = members.indexOf(undefined)
  if (unknown >= 0)
    throw new StartRefused(`${path}: column ${unknown + 1} is none of ${MEMBERS.join(', ')}; --map names it`)
  const known = members.flatMap((member) => member ?? [])
  if (new Set(known).size < known.length || !known.includes('value'))
    throw new StartRefused(`${path}: the header has to name value, and each column once`)
  return members.map((member) => member ?? null)
}

/** A word of theirs for a type, where it is one of ours or of the map. */
function labelOf(cells: ReadonlyMap<Member, string>, { types = {} }: ImportMap): string {
  const word = cells.get('type')?.trim() ?? ''
  return Object.hasOwn(types, word) || /^[a-z_]{1,20}(:[a-z0-9_]{1,20})?$/.test(word) ? word : 'value'
}

/** Lines as `aldis submit` takes them; or objects of others, whose members the map names. */
async function* objectRows({ pieces }: ListFile, { map, otherwise }: ImportOptions): AsyncGenerator<Imported> {
  let line = 0
  for await (const text of linesOf(pieces())) {
    line += 1
    if (text.trim() === '') continue
    const object = objectIn(text)
    if (object === undefined) yield { line, from: 'unknown', ...refused('the line is no object of JSON') }
    else if (map.columns === undefined) yield { line, from: 'line', ...rawLineOf({ ...otherwise, ...object }) }
    else yield { line, ...foreignRow(object, map, otherwise) }
  }
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as never) : undefined
  } catch {
    return undefined
  }
}

function foreignRow(object: Record<string, unknown>, map: ImportMap, otherwise: ImportOptions['otherwise']) {
  const cells = new Map<Member, string>()
  for (const [name, value] of Object.entries(object)) {
    const member = memberOf(name, map)
    if (member === null) continue
    const isPlain = typeof value === 'string' || typeof value === 'number'
    if (member === undefined || cells.has(member) || !isPlain)
      return { from: 'unknown', ...refused('a member is not named in the map, stands twice or is no text') }
    cells.set(member, String(value))
  }
  return { from: labelOf(cells, map), ...rowOf(cells, map, otherwise) }
}

async function* bundleRows(file: ListFile, { suiteOf }: ImportOptions): AsyncGenerator<Imported> {
  const rows = stixRows(await documentIn(file), suiteOf)
  if (rows === undefined) throw new StartRefused(`${file.name}: is no bundle and no envelope of STIX`)
  yield* rows
}

async function* feedRows(files: readonly ListFile[], { map }: ImportOptions): AsyncGenerator<Imported> {
  let line = 1
  for (const file of files.filter((one) => !isManifest(one))) {
    for (const row of mispRows(await documentIn(file), map, line)) {
      yield row
      line = row.line + 1
    }
  }
}

/** One value a line; empty lines and those that begin with # are none. */
async function* plainRows({ pieces }: ListFile, { map, otherwise }: ImportOptions): AsyncGenerator<Imported> {
  let line = 0
  for await (const text of linesOf(pieces())) {
    line += 1
    const value = text.trim()
    if (value !== '' && !value.startsWith('#'))
      yield { line, from: 'value', ...rowOf(new Map([['value', value]]), map, otherwise) }
  }
}

import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { StartRefused } from '../../kernel/errors.ts'
import { firstFault } from '../../kernel/schema.ts'
import {
  BASIS,
  HANDLING_NUMBER,
  MEDIA_ALGORITHM,
  SEVERITY,
  SIGNAL_TYPE,
  type SignalType,
  TLP,
} from '../../signals/schema.ts'
import type { RawLine } from '../derive.ts'

/** What becomes of one entry of a list; `from` is what it was there, in a word of the format and never a value. */
export type Imported = { line: number; from: string } & Row
export type Row = { outcome: 'raw'; raw: RawLine } | { outcome: 'refused'; reason: string }

/** What a column, or a member of an object, may be. */
export const MEMBERS = [
  ...(['type', 'value', 'platform', 'region', 'algorithm', 'category', 'severity', 'confidence', 'basis'] as const),
  ...(['handling', 'tlp', 'observed_at', 'expires_at', 'ref'] as const),
] as const
export type Member = (typeof MEMBERS)[number]

const closed = { additionalProperties: false } as const
const Words = Type.Record(Type.String(), Type.String({ minLength: 1, maxLength: 64 }))

/** A file that says how a list is read. */
export const ImportMap = Type.Object(
  {
    /** By the names that columns or members have there; null passes one over. */
    columns: Type.Optional(Type.Record(Type.String(), Type.Union([Type.Enum([...MEMBERS]), Type.Null()]))),
    /** Their words for types: one of ours, or `media_hash:<algorithm>`. */
    types: Type.Optional(Words),
    /** Their words, or tags, for categories of the taxonomy. */
    categories: Type.Optional(Words),
    /** Their words for services. */
    platforms: Type.Optional(Words),
  },
  closed,
)
export type ImportMap = Static<typeof ImportMap>
const MAP = Compile(ImportMap)

/** Throws `StartRefused` with the member that is wrong. */
export function importMapIn(text: string, path: string): ImportMap {
  const value = jsonIn(text)
  if (MAP.Check(value)) return value as ImportMap
  const { pointer, detail } = firstFault(MAP, value)
  throw new StartRefused(`${path}: ${pointer === '' ? 'the map' : pointer}: ${detail}`)
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const wordIn = (words: Readonly<Record<string, string>> | undefined, word: string): string | undefined =>
  words !== undefined && Object.hasOwn(words, word) ? words[word] : undefined

/** Types that a list may have: others are written, not listed. */
export const LISTED: readonly string[] = Object.keys(SIGNAL_TYPE).filter(
  (type) => !['keyword_pattern', 'tactic', 'relation'].includes(type),
)

/** The cells of one entry, by what they are. Empty ones are as if they were not there. */
export function rowOf(cells: ReadonlyMap<Member, string>, map: ImportMap, otherwise: Partial<RawLine>): Row {
  const cell = (name: Member): string | undefined => {
    const text = cells.get(name)?.trim()
    return text === '' ? undefined : text
  }
  const value = cell('value')
  if (value === undefined) return refused('the entry has no value')
  const kind = kindOf(cell('type'), map, otherwise.type)
  if (kind === undefined) return refused(`type is none of ${LISTED.join(', ')}; --map names others`)
  const said = saidOf(cell, map)
  if ('reason' in said) return said
  const line = { ...otherwise, ...kind, ...said.line }
  if (kind.type !== 'media_hash') return { outcome: 'raw', raw: { ...line, raw: value } }
  const algorithm = kind.algorithm ?? cell('algorithm')?.toLowerCase() ?? otherwise.algorithm
  return hashRow(value, algorithm, line)
}

export function hashRow(hash: string, algorithm: string | undefined, line: Partial<RawLine>): Row {
  if (algorithm === undefined || !MEDIA_ALGORITHM.some((one) => one === algorithm))
    return refused(`algorithm is none of ${MEDIA_ALGORITHM.join(', ')}`)
  return { outcome: 'raw', raw: { ...line, type: 'media_hash', algorithm, hash } }
}

export const refused = (reason: string): Extract<Row, { outcome: 'refused' }> => ({ outcome: 'refused', reason })

function kindOf(
  word: string | undefined,
  map: ImportMap,
  otherwise: SignalType | undefined,
): { type: SignalType; algorithm?: string } | undefined {
  const named = word === undefined ? otherwise : (wordIn(map.types, word) ?? word)
  const [type = '', algorithm, ...more] = named?.split(':') ?? []
  if (!LISTED.includes(type) || more.length > 0 || (algorithm !== undefined && type !== 'media_hash')) return undefined
  return { type: type as SignalType, ...(algorithm === undefined ? {} : { algorithm }) }
}

/** A cell as it stands in a raw line, or why it does not. */
type Reading = (text: string, map: ImportMap) => { value: string | number } | { reason: string }

const oneOf =
  (name: string, words: readonly string[]): Reading =>
  (text) =>
    words.includes(text.toLowerCase())
      ? { value: text.toLowerCase() }
      : { reason: `${name} is none of ${words.join(', ')}` }
const asInstant: Reading = (text) => {
  const value = instantIn(text)
  return value === undefined ? { reason: 'a time is no instant in UTC, nor a day' } : { value }
}

/** What an entry says beside its value, and under which name a raw line has it. */
const SAID: readonly (readonly [member: Member, as: keyof RawLine, read: Reading])[] = [
  ['severity', 'severity', oneOf('severity', SEVERITY)],
  ['basis', 'basis', oneOf('basis', BASIS)],
  ['tlp', 'tlp', oneOf('tlp', TLP)],
  ['handling', 'handling', oneOf('handling', Object.keys(HANDLING_NUMBER))],
  ['observed_at', 'observed_at', asInstant],
  ['expires_at', 'expires_at', asInstant],
  [
    'confidence',
    'confidence',
    (text) =>
      /^(?:100|[0-9]{1,2})$/.test(text) ? { value: Number(text) } : { reason: 'confidence is none from 0 to 100' },
  ],
  ['category', 'category', (text, { categories }) => ({ value: wordIn(categories, text) ?? text })],
  ['platform', 'service', (text, { platforms }) => ({ value: wordIn(platforms, text) ?? text.toLowerCase() })],
  ['region', 'region', (text) => ({ value: text })],
]

type Cell = (name: Member) => string | undefined

function saidOf(cell: Cell, map: ImportMap): { line: Partial<RawLine> } | ReturnType<typeof refused> {
  const line: Record<string, string | number> = {}
  for (const [member, as, read] of SAID) {
    const text = cell(member)
    const told = text === undefined ? undefined : read(text, map)
    if (told !== undefined && 'reason' in told) return refused(told.reason)
    if (told !== undefined) line[as] = told.value
  }
  return { line: line as Partial<RawLine> }
}

const INSTANT = /^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?Z)?$/

/** To the second; a day begins at midnight. Undefined for days that are not there. */
export function instantIn(text: string): string | undefined {
  const [, day, time = '00:00:00'] = INSTANT.exec(text) ?? []
  const instant = `${day}T${time}Z`
  const ms = day === undefined ? Number.NaN : Date.parse(instant)
  return Number.isNaN(ms) || `${new Date(ms).toISOString().slice(0, 19)}Z` !== instant ? undefined : instant
}

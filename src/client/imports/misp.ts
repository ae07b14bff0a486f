import type { RawLine } from '../derive.ts'
import { hashRow, type Imported, type ImportMap, type Row, refused, wordIn } from './row.ts'

/** An attribute of a MISP event, as far as it is read. */
interface Attribute {
  type?: unknown
  value?: unknown
  deleted?: unknown
  timestamp?: unknown
  first_seen?: unknown
  Tag?: unknown
}

const RAW: Readonly<Record<string, RawLine['type']>> = {
  ...{ url: 'url', uri: 'url', domain: 'domain', hostname: 'domain', email: 'email', 'email-src': 'email' },
  ...{ 'phone-number': 'phone', 'ip-src': 'ip', 'ip-dst': 'ip' },
}
const HASHES: ReadonlySet<string> = new Set(['md5', 'sha1', 'sha256'])
/** Ours for theirs. */
const LEDGER: Readonly<Record<string, string>> = { btc: 'bitcoin', xmr: 'monero' }

/**
 * The attributes of one event and of its objects. Comments are not read, nor are attachments, texts, and what is said of victims
 * (`target-*`): those are refused. Deleted ones are none. Entries are counted from `first` on.
 */
export function* mispRows(value: unknown, map: ImportMap, first: number): Generator<Imported> {
  let line = first
  const event = recordIn(recordIn(value)?.['Event']) ?? {}
  const own = listIn(event['Tag'])
  const objects = listIn(event['Object']).flatMap((one) => listIn(recordIn(one)?.['Attribute']))
  for (const attribute of [...listIn(event['Attribute']), ...objects]) {
    const read = (recordIn(attribute) ?? {}) as Attribute
    if (read.deleted === true || read.deleted === '1') continue
    yield {
      line,
      from: wordOf(read.type),
      ...attributeRow(read, { ...tagsOf([...listIn(read.Tag), ...own], map), ...seenIn(read) }),
    }
    line += 1
  }
}

/** A type is a word of MISP's; anything else is not told again. */
const wordOf = (type: unknown): string =>
  typeof type === 'string' && /^[a-z][a-z0-9|-]{0,40}$/.test(type) ? type : 'unknown'

function attributeRow({ type, value }: Attribute, said: Partial<RawLine>): Row {
  if (typeof type !== 'string' || typeof value !== 'string') return refused('an attribute has type and value as texts')
  const [name = '', hash, ...more] = type.split('|')
  if (HASHES.has(type)) return hashRow(value.trim(), type, said)
  if (name === 'filename' && hash !== undefined && HASHES.has(hash) && more.length === 0)
    // The name is somebody's own.
    return hashRow(value.slice(value.lastIndexOf('|') + 1).trim(), hash, said)
  const raw = Object.hasOwn(RAW, type) ? RAW[type] : undefined
  if (raw !== undefined) return { outcome: 'raw', raw: { ...said, type: raw, raw: value } }
  const service = Object.hasOwn(LEDGER, type) ? LEDGER[type] : undefined
  if (service !== undefined) return { outcome: 'raw', raw: { ...said, type: 'payment_handle', raw: value, service } }
  return refused('attributes of this type are not taken')
}

/** Level and category of an attribute's tags and its event's behind them: of two levels the stricter one, of two categories the first. */
function tagsOf(tags: readonly unknown[], map: ImportMap): Partial<RawLine> {
  const names = tags.flatMap((tag) => {
    const name = recordIn(tag)?.['name']
    return typeof name === 'string' ? [name] : []
  })
  const levels = names.flatMap((name) => LEVELS.get(name.toLowerCase().replaceAll('"', '')) ?? [])
  const [tlp] = [...LEVELS.values()].reverse().filter((level) => levels.includes(level))
  const category = names.map((name) => wordIn(map.categories, name)).find((slug) => slug !== undefined)
  return { ...(tlp === undefined ? {} : { tlp }), ...(category === undefined ? {} : { category }) }
}

/** In the order of their strictness. */
const LEVELS: ReadonlyMap<string, NonNullable<RawLine['tlp']>> = new Map([
  ['tlp:white', 'clear'],
  ['tlp:clear', 'clear'],
  ['tlp:green', 'green'],
  ['tlp:amber', 'amber'],
  ['tlp:amber+strict', 'amber+strict'],
  ['tlp:red', 'red'],
])

/** When it was seen, or else written down: seconds since 1970 as a text. */
function seenIn({ first_seen, timestamp }: Attribute): Partial<RawLine> {
  const seen = typeof first_seen === 'string' ? Date.parse(first_seen) : Number.NaN
  const ms = Number.isNaN(seen) && /^[0-9]{9,10}$/.test(String(timestamp)) ? Number(timestamp) * 1_000 : seen
  return Number.isNaN(ms) ? {} : { observed_at: `${new Date(ms).toISOString().slice(0, 19)}Z` }
}

const recordIn = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const EVENT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The events that a manifest names: their ids are names of files beside it, and nothing else is. */
export function eventsIn(manifest: unknown): string[] | undefined {
  const ids = Object.keys(recordIn(manifest) ?? {})
  return recordIn(manifest) !== undefined && ids.every((id) => EVENT_ID.test(id)) ? ids.sort() : undefined
}

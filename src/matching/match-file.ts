import { type Hash, toHex, utf8 } from '../kernel/bytes.ts'
import { buildTable } from './exact.ts'
import { PDQ_BYTES } from './pdq.ts'
import { RECORD_BYTES, WORDS, type Words } from './record.ts'
import type { MatchFault } from './refused.ts'
import { KEY_BYTES, keptSecret, type TagSecret } from './tag.ts'

/** How far the mirror of a feed had come when its signals were taken in. */
export interface FeedPlace {
  feed: string
  seq: string
  /** Of its file. */
  bytes: number
}

/** The parts behind the header, in this order. */
export const SECTIONS = ['records', 'table', 'pdq', 'patterns'] as const
export type Section = (typeof SECTIONS)[number]

export interface MatchFileHeader {
  programme: string
  made_at: string
  /** Signals, different keys of them, PDQ hashes and keyword patterns. */
  counts: { signals: number; keys: number; pdq: number; patterns: number }
  feeds: FeedPlace[]
  /** The numbers that tags are made with. */
  secret: number[]
  words: Words
  sections: Record<Section, { at: number; bytes: number }>
}

/** Signals that one file may have: the largest one stays below what is written at once. */
export const SIGNALS_MOST = 12_000_000
const MATCH_FILE_VERSION = 1
/** Magic, version, length of the header, size of the file, digest. */
export const PREAMBLE_BYTES = 56
/** What the digest is not of: itself. */
export const DIGEST = [24, 56] as const
/** A header with every list full is smaller. */
const HEADER_MOST = 64 * 1024 * 1024

const MAGIC = utf8('aldis-mf')
const ALIGNED = 64

/** A keyword pattern as its source shared it, and the record that it belongs to. */
export interface PatternEntry {
  record: number
  value: unknown
}

export interface Contents {
  programme: string
  made_at: string
  feeds: FeedPlace[]
  /** Sorted by key. */
  records: Uint8Array
  words: Words
  /** By the hex of its key, the value of each keyword pattern. */
  patterns: ReadonlyMap<string, unknown>
  secret: TagSecret
  hash: Hash
}

export function encodeMatchFile(contents: Contents): Uint8Array {
  const { records, words, programme, made_at, feeds, secret, hash } = contents
  const firsts = firstsOf(records)
  const table = buildTable({ bytes: records, stride: RECORD_BYTES }, firsts, secret)
  const chosen = chosenBy(records, words)
  const pdq = pdqSection(records, chosen.pdq)
  const patterns = patternSection(records, chosen.patterns, contents.patterns)
  const parts: Record<Section, Uint8Array> = { records, table: new Uint8Array(table.buffer), pdq, patterns }
  const counts = {
    signals: records.length / RECORD_BYTES,
    keys: firsts.length,
    ...{ pdq: chosen.pdq.length, patterns: chosen.patterns.length },
  }
  return joined({ programme, made_at, counts, feeds, secret: [...secret], words }, parts, hash)
}

/** The header stands before the sections whose places it names: it is made twice, its length is the same. */
function joined(
  about: Omit<MatchFileHeader, 'sections'>,
  parts: Readonly<Record<Section, Uint8Array>>,
  hash: Hash,
): Uint8Array {
  const header = (from: number): { text: Uint8Array; end: number } => {
    let end = from
    const sections = Object.fromEntries(
      SECTIONS.map((name) => {
        const at = end
        end = aligned(at + parts[name].length)
        return [name, { at, bytes: parts[name].length }]
      }),
    )
    return { text: utf8(JSON.stringify({ ...about, sections })), end }
  }
  // Places have at most twelve digits more than those of a file that begins at 0.
  const room = aligned(PREAMBLE_BYTES + header(0).text.length + 12 * SECTIONS.length)
  const { text, end } = header(room)
  const file = new Uint8Array(end)
  const view = new DataView(file.buffer)
  file.set(MAGIC)
  view.setUint32(8, MATCH_FILE_VERSION, true)
  view.setUint32(12, text.length, true)
  view.setBigUint64(16, BigInt(end), true)
  file.set(text, PREAMBLE_BYTES)
  let at = room
  for (const name of SECTIONS) {
    file.set(parts[name], at)
    at = aligned(at + parts[name].length)
  }
  // While its own bytes are zero.
  file.set(hash(file), DIGEST[0])
  return file
}

const aligned = (at: number): number => Math.ceil(at / ALIGNED) * ALIGNED

/** The first record of each key. */
function firstsOf(records: Uint8Array): Uint32Array {
  const firsts: number[] = []
  for (let i = 0; i * RECORD_BYTES < records.length; i++) {
    if (i === 0 || !sameKey(records, (i - 1) * RECORD_BYTES, records, i * RECORD_BYTES)) firsts.push(i)
  }
  return Uint32Array.from(firsts)
}

export function sameKey(a: Uint8Array, at: number, b: Uint8Array, bt: number): boolean {
  for (let i = 0; i < KEY_BYTES; i++) if (a[at + i] !== b[bt + i]) return false
  return true
}

/** The kinds that are matched otherwise than by their key. */
export const PDQ_KIND = 'media_hash pdq'
export const PATTERN_KIND = 'keyword_pattern'

function chosenBy(records: Uint8Array, { kind }: Words): { pdq: number[]; patterns: number[] } {
  const [pdq, patterns]: [number[], number[]] = [[], []]
  const [ofPdq, ofPatterns] = [kind.indexOf(PDQ_KIND), kind.indexOf(PATTERN_KIND)]
  for (let at = WORDS.kind; at < records.length; at += RECORD_BYTES) {
    const number = (records[at] ?? 0) | ((records[at + 1] ?? 0) << 8)
    if (number === ofPdq) pdq.push((at - WORDS.kind) / RECORD_BYTES)
    else if (number === ofPatterns) patterns.push((at - WORDS.kind) / RECORD_BYTES)
  }
  return { pdq, patterns }
}

/** The hashes, joined, and then the number of each one's record. */
function pdqSection(records: Uint8Array, chosen: readonly number[]): Uint8Array {
  const section = new Uint8Array(chosen.length * (PDQ_BYTES + 4))
  const view = new DataView(section.buffer)
  chosen.forEach((record, i) => {
    section.set(records.subarray(record * RECORD_BYTES, record * RECORD_BYTES + PDQ_BYTES), i * PDQ_BYTES)
    view.setUint32(chosen.length * PDQ_BYTES + 4 * i, record, true)
  })
  return section
}

function patternSection(
  records: Uint8Array,
  chosen: readonly number[],
  values: ReadonlyMap<string, unknown>,
): Uint8Array {
  const entries = chosen.map((record): PatternEntry => {
    const at = record * RECORD_BYTES
    return { record, value: values.get(toHex(records.subarray(at, at + KEY_BYTES))) }
  })
  return utf8(JSON.stringify(entries))
}

export type Preamble = { outcome: 'ok'; header: number; size: number } | { outcome: 'refused'; reason: MatchFault }

/** What the first bytes say; `size` is that of the file as it is. */
export function readPreamble(bytes: Uint8Array, size: number): Preamble {
  const refused = (reason: MatchFault): Preamble => ({ outcome: 'refused', reason })
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) return refused('no-match-file')
  if (bytes.length < PREAMBLE_BYTES) return refused('truncated')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(8, true) !== MATCH_FILE_VERSION) return refused('version-other')
  const [header, whole] = [view.getUint32(12, true), Number(view.getBigUint64(16, true))]
  if (size < whole) return refused('truncated')
  if (size !== whole || header > HEADER_MOST || PREAMBLE_BYTES + header > size) return refused('damaged')
  // Tables are read as they stand.
  if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) return refused('byte-order')
  return { outcome: 'ok', header, size }
}

/** The header of a file of `size` bytes; undefined if it is none, or names what is not in the file. */
export function readHeader(text: string, size: number): MatchFileHeader | undefined {
  const header = parsed(text)
  if (header === undefined || keptSecret(header.secret) === undefined) return undefined
  const { counts, sections } = header
  const fits = SECTIONS.every((name) => {
    const { at, bytes } = sections[name]
    return at % ALIGNED === 0 && bytes >= 0 && at + bytes <= size
  })
  const whole =
    sections.records.bytes === counts.signals * RECORD_BYTES && sections.pdq.bytes === counts.pdq * (PDQ_BYTES + 4)
  return fits && whole ? header : undefined
}

function parsed(text: string): MatchFileHeader | undefined {
  try {
    const header = JSON.parse(text) as MatchFileHeader
    // Whoever can write here could also write the digest: it tells damage, not malice. Still nothing is taken on trust.
    const numbers = [
      ...Object.values(header.counts),
      ...SECTIONS.flatMap((name) => Object.values(header.sections[name])),
    ]
    return numbers.every(Number.isSafeInteger) && Array.isArray(header.secret) ? header : undefined
  } catch {
    return undefined
  }
}

/** The keyword patterns of a file of so many signals; undefined if they are none. */
export function readPatterns(text: string, signals: number): PatternEntry[] | undefined {
  try {
    const entries = JSON.parse(text) as PatternEntry[]
    const fits = entries.every(({ record }) => Number.isInteger(record) && record >= 0 && record < signals)
    return fits ? entries : undefined
  } catch {
    return undefined
  }
}

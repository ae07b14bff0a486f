import type { Uuid } from '../kernel/ids.ts'
import { uuidBytes, uuidFromBytes } from '../kernel/ids.ts'
import { KEY_BYTES } from './tag.ts'

/** What of a mirrored signal a match file keeps, in 96 bytes, numbers little-endian. */
export interface MatchRecord {
  /** 32 bytes; of a keyword pattern the SHA-256 of its value. */
  key: Uint8Array
  signal: Uuid
  /** The submission that the source signed, which is an event of the log, and the place of the item in it. */
  event: Uuid
  index: number
  /** Where the mirror has it. */
  feed: string
  seq: bigint
  source: string
  /** Type and profile, as look-ups name them. */
  kind: string
  category: string
  revision: number
  /** Seconds since 1970. */
  expires: number
  severity: string
  handling: string
  confidence: number
  tlp: string
  basis: string
  held: boolean
}

export const RECORD_BYTES = 96
/** Where the bytes are by which a signal is known again: its id, its source and the feed. */
export const IDENTITY = [KEY_BYTES, KEY_BYTES + 20] as const
const HELD_AT = 95

/** The lists that records take their words from, by their members; a word's number is its place. */
export const WORDS = {
  source: 48,
  feed: 50,
  kind: 52,
  category: 54,
  severity: 90,
  handling: 91,
  tlp: 93,
  basis: 94,
} as const
export type WordList = keyof typeof WORDS

/** Lists that grow as words are met. */
export type Words = Readonly<Record<WordList, string[]>>

const NARROW_FROM = 90
/** Words that a list may have, by the bytes of a number in it. */
const wordsMost = (list: WordList): number => (WORDS[list] < NARROW_FROM ? 65_536 : 256)

const noWords = (): Words => ({
  ...{ source: [], feed: [], kind: [], category: [] },
  ...{ severity: [], handling: [], tlp: [], basis: [] },
})

export interface Dictionary {
  readonly words: Words
  /** The number of a word, which it gets if it has none; undefined where the list is full. */
  number(list: WordList, word: string): number | undefined
}

const LISTS = Object.keys(WORDS) as WordList[]

export function createDictionary(words: Words = noWords()): Dictionary {
  const numbers = Object.fromEntries(
    LISTS.map((list) => [list, new Map(words[list].map((word, i) => [word, i]))]),
  ) as Record<WordList, Map<string, number>>
  return {
    words,
    number(list, word) {
      const known = numbers[list].get(word)
      if (known !== undefined) return known
      const next = words[list].length
      if (next === wordsMost(list)) return undefined
      words[list].push(word)
      numbers[list].set(word, next)
      return next
    },
  }
}

/** Records that share one buffer: to make one for each takes longer than to fill it. */
const TOGETHER = 4_096
let shared = new Uint8Array(0)

function blank(): Uint8Array {
  if (shared.length === 0) shared = new Uint8Array(TOGETHER * RECORD_BYTES)
  const one = shared.subarray(0, RECORD_BYTES)
  shared = shared.subarray(RECORD_BYTES)
  return one
}

/** A record of which no more is known than whose it is. Undefined as `encodeRecord`. */
export function encodeIdentity(
  { signal, source, feed }: Pick<MatchRecord, 'signal' | 'source' | 'feed'>,
  dictionary: Dictionary,
): Uint8Array | undefined {
  const [s, f] = [dictionary.number('source', source), dictionary.number('feed', feed)]
  if (s === undefined || f === undefined) return undefined
  const bytes = blank()
  bytes.set(uuidBytes(signal), KEY_BYTES)
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_BYTES)
  view.setUint16(WORDS.source, s, true)
  view.setUint16(WORDS.feed, f, true)
  return bytes
}

/** Undefined where a list of the dictionary is full. */
export function encodeRecord(record: MatchRecord, dictionary: Dictionary): Uint8Array | undefined {
  const bytes = blank()
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_BYTES)
  bytes.set(record.key)
  bytes.set(uuidBytes(record.signal), 32)
  bytes.set(uuidBytes(record.event), 56)
  view.setBigUint64(72, record.seq, true)
  view.setUint32(80, record.revision, true)
  view.setUint32(84, record.expires, true)
  view.setUint16(88, record.index, true)
  bytes[92] = record.confidence
  for (const list of LISTS) {
    const number = dictionary.number(list, record[list])
    if (number === undefined) return undefined
    const at = WORDS[list]
    if (at < NARROW_FROM) view.setUint16(at, number, true)
    else bytes[at] = number
  }
  setHeld(bytes, 0, record.held)
  return bytes
}

/** Puts the numbers that these words have in another dictionary in the place of those that a record has: by list and former number. */
export function renumber(bytes: Uint8Array, at: number, numbers: Readonly<Record<WordList, readonly number[]>>): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, RECORD_BYTES)
  for (const list of LISTS) {
    const place = WORDS[list]
    if (place < NARROW_FROM) view.setUint16(place, numbers[list][view.getUint16(place, true)] ?? 0, true)
    else view.setUint8(place, numbers[list][view.getUint8(place)] ?? 0)
  }
}

/** The numbers of another dictionary's words in this one; undefined where a list of it is full. */
export function numbersIn(dictionary: Dictionary, words: Words): Record<WordList, number[]> | undefined {
  const numbers = LISTS.map((list) => [list, words[list].map((word) => dictionary.number(list, word))] as const)
  if (numbers.some(([, all]) => all.includes(undefined))) return undefined
  return Object.fromEntries(numbers) as Record<WordList, number[]>
}

/** The record at `at`; undefined if it names a word that is not in the lists. */
export function decodeRecord(bytes: Uint8Array, at: number, words: Words): MatchRecord | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, RECORD_BYTES)
  const word = (list: WordList): string | undefined => {
    const place = WORDS[list]
    return words[list][place < NARROW_FROM ? view.getUint16(place, true) : view.getUint8(place)]
  }
  const found = Object.fromEntries(LISTS.map((list) => [list, word(list)]))
  if (Object.values(found).includes(undefined)) return undefined
  return {
    ...(found as Record<WordList, string>),
    key: new Uint8Array(bytes.subarray(at, at + KEY_BYTES)),
    signal: uuidFromBytes(bytes.subarray(at + 32, at + 48)),
    event: uuidFromBytes(bytes.subarray(at + 56, at + 72)),
    index: view.getUint16(88, true),
    seq: view.getBigUint64(72, true),
    revision: view.getUint32(80, true),
    expires: view.getUint32(84, true),
    confidence: view.getUint8(92),
    held: isHeld(bytes, at),
  }
}

export const isHeld = (bytes: Uint8Array, at: number): boolean => bytes[at + HELD_AT] === 1

export function setHeld(bytes: Uint8Array, at: number, held: boolean): void {
  bytes[at + HELD_AT] = held ? 1 : 0
}

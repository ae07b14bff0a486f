import { compare, fromHex, toHex, utf8 } from '../kernel/bytes.ts'
import { isUuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { PATTERN_KIND } from '../matching/match-file.ts'
import {
  createDictionary,
  type Dictionary,
  encodeIdentity,
  encodeRecord,
  IDENTITY,
  isHeld,
  numbersIn,
  RECORD_BYTES,
  renumber,
  setHeld,
  type Words,
} from '../matching/record.ts'
import type { Received } from './client.ts'
import { mediaKey } from './derive.ts'
import { ENDS } from './ends.ts'

type Event = Received['event']
type Item = Readonly<Record<string, unknown>>

/** What became of one signal since: its newest record if it got one, whether it ended, whether it is held if that was said. */
interface Change {
  record: Uint8Array | undefined
  ended: boolean
  held: boolean | undefined
}

const UNCHANGED: Change = { record: undefined, ended: false, held: undefined }

/** What an event does to the record of its signal; `nothing` of what cannot be matched. */
type Act = 'record' | 'end' | 'hold' | 'release' | 'nothing'
const ACTS: readonly Act[] = ['record', 'end', 'hold', 'release', 'nothing']

/** What happened to signals, gathered event by event until it is merged into the records that are there. */
export interface Changes {
  readonly size: number
  /** False where the dictionary has no room for a word of it. */
  take(event: Event, item: Item | undefined): boolean
  takeRows(rows: MatchRows): boolean
  /** The records with these changes, sorted by key. */
  mergedInto(records: Uint8Array): Uint8Array
}

/** Events as what they do to a match file, with words of their own: what a thread hands over in the place of events. */
export interface MatchRows {
  /** The sequence of the first event. */
  first: string
  /** Of each event its place in `ACTS`. */
  acts: Uint8Array<ArrayBuffer>
  /** Of each event its record; of what has none no more than whose it is. */
  records: Uint8Array<ArrayBuffer>
  words: Words
  /** Values of keyword patterns, by the hex of their key. */
  patterns: Map<string, unknown>
}

/** Undefined for what is not to be had in rows: more words than a dictionary holds, or a signal whose name is no UUID. */
export function matchRowsOf(events: readonly { event: Event; item: Item | undefined }[]): MatchRows | undefined {
  const dictionary = createDictionary()
  const patterns = new Map<string, unknown>()
  const acts = new Uint8Array(events.length)
  const records = new Uint8Array(events.length * RECORD_BYTES)
  for (const [i, { event, item }] of events.entries()) {
    if (!isUuid(event.signal)) return undefined
    const { act, bytes } = encoded(event, item, { dictionary, patterns })
    if (bytes === undefined) return undefined
    acts[i] = ACTS.indexOf(act)
    records.set(bytes, i * RECORD_BYTES)
  }
  return { first: events[0]?.event.seq ?? '0', acts, records, words: dictionary.words, patterns }
}

interface Into {
  dictionary: Dictionary
  patterns: Map<string, unknown>
}

/** Without bytes where the dictionary is full. */
function encoded(
  event: Event,
  item: Item | undefined,
  { dictionary, patterns }: Into,
): { act: Act; bytes: Uint8Array | undefined } {
  const act = actOf(event)
  const key = act !== 'record' || item === undefined ? undefined : matchKeyOf(item)
  if (item === undefined || key === undefined)
    return { act: act === 'record' ? 'nothing' : act, bytes: encodeIdentity(event, dictionary) }
  if (key.kind === PATTERN_KIND) patterns.set(toHex(key.key), item['value'])
  return { act, bytes: encodeRecord({ ...wordsOf(item), ...key, ...numbersOf(event, item) }, dictionary) }
}

function actOf({ type }: Event): Act {
  if (ENDS.has(type)) return 'end'
  if (!HOLDS.has(type)) return 'record'
  return type === 'signal.held' ? 'hold' : 'release'
}

function changed(known: Change, act: Act, record: Uint8Array): Change {
  if (act === 'end') return { record: undefined, ended: true, held: false }
  if (act === 'record') return { ...known, record, ended: false }
  return act === 'nothing' ? known : { ...known, held: act === 'hold' }
}

/** `patterns` gets the values of keyword patterns, by the hex of their key. */
export function changesOf(dictionary: Dictionary, patterns: Map<string, unknown>): Changes {
  const changes = new Map<string, Change>()
  /** A signal's id is its source's choice, so that two sources may choose one. */
  const change = (identity: string, act: Act, record: Uint8Array): void => {
    changes.set(identity, changed(changes.get(identity) ?? UNCHANGED, act, record))
  }
  return {
    get size() {
      return changes.size
    },
    take(event, item) {
      // The node speaks of nothing that could be here.
      if (item === undefined && !isUuid(event.signal)) return true
      const { act, bytes } = encoded(event, item, { dictionary, patterns })
      if (bytes === undefined) return false
      change(identityIn(bufferOver(bytes), 0), act, bytes)
      return true
    },
    takeRows(rows) {
      const numbers = numbersIn(dictionary, rows.words)
      if (numbers === undefined) return false
      for (const [key, value] of rows.patterns) patterns.set(key, value)
      const all = bufferOver(rows.records)
      for (const [i, act] of rows.acts.entries()) {
        const at = i * RECORD_BYTES
        renumber(all, at, numbers)
        change(identityIn(all, at), ACTS[act] ?? 'nothing', rows.records.subarray(at, at + RECORD_BYTES))
      }
      return true
    },
    mergedInto: (records) => merged(records, changes),
  }
}

const bufferOver = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

const HOLDS: ReadonlySet<string> = new Set(['signal.held', 'signal.released'])

const identityIn = (records: Buffer, at: number): string => records.toString('hex', at + IDENTITY[0], at + IDENTITY[1])

/** Walks both in the order of keys. */
function merged(records: Uint8Array, changes: ReadonlyMap<string, Change>): Uint8Array {
  const held = bufferOver(records)
  const kept: number[] = []
  const wasHeld = new Set<string>()
  for (let at = 0; at < records.length; at += RECORD_BYTES) {
    const identity = changes.size === 0 ? '' : identityIn(held, at)
    const change = changes.get(identity)
    if (change === undefined) kept.push(at)
    else if (!change.ended && change.record === undefined) {
      setHeld(records, at, change.held ?? isHeld(records, at))
      kept.push(at)
    } else if (isHeld(records, at)) wasHeld.add(identity)
  }
  const fresh = [...changes]
    .flatMap(([identity, { record, held: said }]) => {
      if (record === undefined) return []
      setHeld(record, 0, said ?? wasHeld.has(identity))
      return [record]
    })
    .sort((a, b) => compare(a, b))
  return interleaved(records, kept, fresh)
}

function interleaved(records: Uint8Array, kept: readonly number[], fresh: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array((kept.length + fresh.length) * RECORD_BYTES)
  let [old, at] = [0, 0]
  const put = (record: Uint8Array): void => {
    out.set(record, at)
    at += RECORD_BYTES
  }
  const oldAt = (i: number): Uint8Array | undefined => {
    const from = kept[i]
    return from === undefined ? undefined : records.subarray(from, from + RECORD_BYTES)
  }
  for (const record of fresh) {
    for (let one = oldAt(old); one !== undefined && compare(one, record) < 0; one = oldAt(old)) {
      put(one)
      old += 1
    }
    put(record)
  }
  for (let one = oldAt(old); one !== undefined; one = oldAt(old)) {
    put(one)
    old += 1
  }
  return out
}

/** Kind and key of what can be matched; undefined for tactics, relations and types of later versions. */
function matchKeyOf({ type, value }: Item): { kind: string; key: Uint8Array } | undefined {
  if (typeof type !== 'string' || typeof value !== 'object' || value === null) return undefined
  if (type === PATTERN_KIND) return { kind: PATTERN_KIND, key: sha256(utf8(JSON.stringify(value))) }
  const { profile, kid, token, sha256: link, algorithm, hash } = value as Record<string, unknown>
  const media = typeof algorithm === 'string' && typeof hash === 'string' ? mediaKey(algorithm, hash) : undefined
  const hex = token ?? link ?? media
  const key = typeof hex === 'string' ? fromHex(hex) : undefined
  const name = media === undefined ? profile : algorithm
  if (key?.length !== 32 || typeof name !== 'string') return undefined
  return { kind: `${type} ${name}${token === undefined ? '' : `@${String(kid)}`}`, key }
}

const wordsOf = (item: Item) => ({
  category: String(item['category']),
  severity: String(item['severity']),
  handling: String(item['handling']),
  tlp: String(item['tlp']),
  basis: String(item['basis']),
})

const numbersOf = (event: Event, item: Item) => ({
  ...{ signal: event.signal, event: event.event, feed: event.feed, source: event.source },
  ...{ seq: BigInt(event.seq), index: event.index ?? 0, revision: event.revision, held: false },
  expires: Math.floor(Date.parse(String(item['expires_at'])) / 1_000),
  confidence: Number(item['confidence']),
})

import { compare, fromHex, toHex, utf8 } from '../kernel/bytes.ts'
import { sha256 } from '../kernel/sha256.ts'
import { PATTERN_KIND } from '../matching/match-file.ts'
import { type Dictionary, encodeRecord, IDENTITY, isHeld, RECORD_BYTES, setHeld } from '../matching/record.ts'
import type { Received } from './client.ts'
import { mediaKey } from './derive.ts'
import { ENDS } from './mirror.ts'

type Event = Received['event']
type Item = Readonly<Record<string, unknown>>

/** What became of one signal since: its newest record if it got one, whether it ended, whether it is held if that was said. */
interface Change {
  record: Uint8Array | undefined
  ended: boolean
  held: boolean | undefined
}

const UNCHANGED: Change = { record: undefined, ended: false, held: undefined }

/** What happened to signals, gathered event by event until it is merged into the records that are there. */
export interface Changes {
  readonly size: number
  /** False where the dictionary has no room for a word of it. */
  take(event: Event, item: Item | undefined): boolean
  /** The records with these changes, sorted by key. */
  mergedInto(records: Uint8Array): Uint8Array
}

/** `patterns` gets the values of keyword patterns, by the hex of their key. */
export function changesOf(dictionary: Dictionary, patterns: Map<string, unknown>): Changes {
  const changes = new Map<string, Change>()

  let whose = { source: '', feed: '', hex: '' }
  /** As `identityIn` reads it; a signal's id is its source's choice, so that two sources may choose one. */
  const identityOf = ({ signal, source, feed }: Event): string | undefined => {
    // Events of one source come together.
    if (whose.source !== source || whose.feed !== feed) {
      const [s, f] = [dictionary.number('source', source), dictionary.number('feed', feed)]
      if (s === undefined || f === undefined) return undefined
      const numbers = Buffer.alloc(4)
      numbers.writeUInt16LE(s)
      numbers.writeUInt16LE(f, 2)
      whose = { source, feed, hex: numbers.toString('hex') }
    }
    return `${signal.replaceAll('-', '')}${whose.hex}`
  }

  const recorded = (known: Change, event: Event, item: Item): Change | undefined => {
    const key = matchKeyOf(item)
    if (key === undefined) return known
    const record = encodeRecord({ ...wordsOf(item), ...key, ...numbersOf(event, item) }, dictionary)
    if (record === undefined) return undefined
    if (key.kind === PATTERN_KIND) patterns.set(toHex(key.key), item['value'])
    return { ...known, record, ended: false }
  }

  /** Undefined where the dictionary is full. */
  const changed = (known: Change, event: Event, item: Item | undefined): Change | undefined => {
    if (ENDS.has(event.type)) return { record: undefined, ended: true, held: false }
    if (HOLDS.has(event.type)) return { ...known, held: event.type === 'signal.held' }
    return item === undefined ? known : recorded(known, event, item)
  }

  return {
    get size() {
      return changes.size
    },
    take(event, item) {
      const identity = identityOf(event)
      if (identity === undefined) return false
      const change = changed(changes.get(identity) ?? UNCHANGED, event, item)
      if (change !== undefined) changes.set(identity, change)
      return change !== undefined
    },
    mergedInto: (records) => merged(records, changes),
  }
}

const HOLDS: ReadonlySet<string> = new Set(['signal.held', 'signal.released'])

const identityIn = (records: Buffer, at: number): string => records.toString('hex', at + IDENTITY[0], at + IDENTITY[1])

/** Walks both in the order of keys. */
function merged(records: Uint8Array, changes: ReadonlyMap<string, Change>): Uint8Array {
  const held = Buffer.from(records.buffer, records.byteOffset, records.length)
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

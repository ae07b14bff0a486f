import { fromHex, toHex } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { openTable } from '../matching/exact.ts'
import { type MatchFileHeader, PATTERN_KIND, PDQ_KIND, sameKey } from '../matching/match-file.ts'
import { PDQ_BYTES } from '../matching/pdq.ts'
import { decodeRecord, type MatchRecord, RECORD_BYTES } from '../matching/record.ts'
import { MatchFileRefused } from '../matching/refused.ts'
import { KEY_BYTES, keptSecret } from '../matching/tag.ts'
import type { SignalItem, SignalType } from '../signals/schema.ts'
import { type LookupKey, lookupKeys } from './derive.ts'
import { type MatchReader, openMatchFile } from './match-reader.ts'
import { HITS_MOST, type PdqHits, pdqThread } from './pdq-thread.ts'

/** A live signal that matches, as far as the mirror knows it. */
export interface Match {
  signal: Uuid
  revision: number
  type: SignalType
  /** As in look-ups: profile and key epoch, or the algorithm. */
  profile: string
  source: string
  category: string
  severity: SignalItem['severity']
  confidence: number
  handling: SignalItem['handling']
  tlp: SignalItem['tlp']
  basis: SignalItem['basis']
  expires_at: string
  held: boolean
  /** Bits in which a PDQ hash differs; 0 for everything else. */
  distance: number
  /** By what it can be proven: the submission, an event of the log, and the item's place in it; and where it is mirrored. */
  provenance: { event: Uuid; index: number; feed: Uuid; seq: string }
}

export interface Matches {
  matches: Match[]
  /** Whether there are more than are told: 65,536 of a key, or as many PDQ hashes; or as many as are told at most. */
  more: boolean
  /** How many match and are not to be told, of those that were looked at. */
  withheld?: number
}

/** What is met: an identifier by its token, a link, or the hash of a file. */
export type MatchQuery =
  | { type: Exclude<SignalType, LinkType | 'media_hash'>; profile: string; kid: string; token: string }
  | { type: LinkType; raw: string }
  | { type: 'media_hash'; algorithm: string; hash: string }
type LinkType = 'url' | 'domain'

export interface PatternSignal extends Match {
  /** As the source shared it. */
  value: Extract<SignalItem, { type: 'keyword_pattern' }>['value']
}

export interface Matcher {
  readonly header: MatchFileHeader
  /** Throws a `Refusal` where the query is malformed, `MatcherFailed` where the index of PDQ hashes ended. */
  match(query: MatchQuery): Promise<Matches>
  /** The same for keys, as `lookupKeys` makes them. */
  matchKeys(keys: readonly LookupKey[]): Promise<Matches>
  /** The live keyword patterns; texts are matched by them elsewhere. */
  patterns(): PatternSignal[]
  /** Ends the thread and closes the file. */
  close(): Promise<void>
}

export interface MatcherOptions {
  /** The programme that the file must be of, if it is known here. */
  programme?: string
  /** Whether signals that the programme holds match too. */
  held?: boolean
  /** Signals that are told of one query: of PDQ hashes the nearest. All unless given. */
  most?: number
  /** Which signals are told, the others being counted (`withheld`): all unless given. */
  tells?(match: Match): boolean
  now?(): Date
}

/** Records that are read at once where several have one key. */
const RUN = 4

/**
 * Matches against one file, made by `aldis sync`, without the node: nothing is asked and nothing recorded. Ended and expired
 * signals do not match. Throws `MatchFileRefused`. Open it anew after a sync: until then it stays as it was.
 */
export function createMatcher(path: string, options: MatcherOptions = {}): Matcher {
  const reader = openMatchFile(path)
  const { header } = reader
  const secret = keptSecret(header.secret)
  if (secret === undefined) throw new MatchFileRefused('damaged', path)
  if (options.programme !== undefined && options.programme !== header.programme) {
    reader.close()
    throw new MatchFileRefused('other-programme', path)
  }
  const table = openTable(new Int32Array(reader.section('table').buffer), secret)
  const live = liveRecords(reader, options)
  const pdq = reader.section('pdq')
  const hashes = header.counts.pdq * PDQ_BYTES
  const thread = pdqThread(pdq.subarray(0, hashes))
  const records = new DataView(pdq.buffer, hashes)

  const exact = (keys: readonly Uint8Array[]): number[] => {
    const joined = Buffer.concat(keys)
    const found: number[] = []
    const is = (place: number, record: number): boolean =>
      sameKey(joined, place * KEY_BYTES, reader.records(record * RECORD_BYTES, KEY_BYTES), 0)
    table.find(joined, is, (_place, record) => found.push(record))
    return found
  }

  const near = async (key: Uint8Array, into: Gathering): Promise<void> => {
    if (header.counts.pdq === 0) return
    const { hits, more }: PdqHits = await thread.search(key)
    if (more) into.isMore()
    // At once, so that of many questions no more stays in memory than what is told.
    for (const { entry, distance } of hits) {
      const found = live.at(records.getUint32(4 * entry, true))
      if (found !== undefined && !into.take(matchOf(found, distance))) return
    }
  }

  const same = (first: number, isAsked: (record: MatchRecord) => boolean, into: Gathering): void => {
    for (const record of live.run(first, into.isMore)) if (isAsked(record) && !into.take(matchOf(record, 0))) return
  }

  const matchKeys = async (keys: readonly LookupKey[]): Promise<Matches> => {
    const asked = askedOf(keys)
    const into = gathering(options)
    const isAsked = ({ key, kind }: MatchRecord): boolean => asked.exact.get(toHex(key))?.kinds.has(kind) === true
    for (const first of exact([...asked.exact.values()].map(({ key }) => key))) same(first, isAsked, into)
    // The thread answers in order, and so they are gathered.
    await Promise.all(asked.pdq.map((key) => near(key, into)))
    return into.all()
  }

  return {
    header,
    matchKeys,
    match: async (query) => matchKeys(keysOf(query)),
    patterns: () =>
      reader.patterns().flatMap(({ record, value }) => {
        const found = live.at(record)
        return found === undefined ? [] : [{ ...matchOf(found, 0), value: value as PatternSignal['value'] }]
      }),
    async close() {
      await thread.close()
      reader.close()
    },
  }
}

/** Records that match now: neither expired, nor held unless that is wanted. */
function liveRecords(reader: MatchReader, { held = false, now = () => new Date() }: MatcherOptions) {
  const { counts, words } = reader.header
  const decoded = (bytes: Uint8Array, at: number): MatchRecord => {
    const record = decodeRecord(bytes, at, words)
    if (record === undefined) throw new MatchFileRefused('damaged', 'the match file')
    return record
  }
  const lives = (record: MatchRecord): boolean => record.expires * 1_000 > now().getTime() && (held || !record.held)
  return {
    at(record: number): MatchRecord | undefined {
      if (record >= counts.signals) throw new MatchFileRefused('damaged', 'the match file')
      const found = decoded(reader.records(record * RECORD_BYTES, RECORD_BYTES), 0)
      return lives(found) ? found : undefined
    },
    /** The live ones of the key that begins at a record. */
    *run(first: number, isMore: () => void): Generator<MatchRecord> {
      let seen = 0
      for (const record of sameKeyed(reader, first)) {
        if (seen === HITS_MOST) return isMore()
        seen += 1
        const one = decoded(record, 0)
        if (lives(one)) yield one
      }
    },
  }
}

/** What is told of one query. */
interface Gathering {
  /** False where as many are told as may be: there are more. */
  take(match: Match): boolean
  isMore(): void
  all(): Matches
}

function gathering({ most = Number.POSITIVE_INFINITY, tells = () => true }: MatcherOptions): Gathering {
  const matches: Match[] = []
  let more = false
  let withheld = 0
  return {
    take(match) {
      if (!tells(match)) withheld += 1
      else if (matches.length < most) matches.push(match)
      else more = true
      return !more || matches.length < most
    },
    isMore() {
      more = true
    },
    all: () => ({ matches, more, ...(withheld === 0 ? {} : { withheld }) }),
  }
}

/** The records that have the key of the one where they begin. */
function* sameKeyed(reader: MatchReader, first: number): Generator<Uint8Array> {
  let key: Uint8Array | undefined
  for (let record = first; ; record += RUN) {
    // The reader's buffer is its next call's too.
    const bytes = reader.records(record * RECORD_BYTES, RUN * RECORD_BYTES).slice()
    if (bytes.length === 0) return
    key ??= bytes.slice(0, KEY_BYTES)
    for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
      if (!sameKey(bytes, at, key, 0)) return
      yield bytes.subarray(at, at + RECORD_BYTES)
    }
  }
}

function matchOf(record: MatchRecord, distance: number): Match {
  const { kind, signal, revision, source, category, confidence, held, event, index, feed, seq } = record
  const { severity, handling, tlp, basis, expires } = record
  const space = kind.indexOf(' ')
  const [type, profile] = kind === PATTERN_KIND ? [kind, ''] : [kind.slice(0, space), kind.slice(space + 1)]
  return {
    ...{ signal, revision, type: type as SignalType, profile, source, category },
    severity: severity as Match['severity'],
    confidence,
    handling: handling as Match['handling'],
    tlp: tlp as Match['tlp'],
    basis: basis as Match['basis'],
    expires_at: `${new Date(expires * 1_000).toISOString().slice(0, 19)}Z`,
    ...{ held, distance },
    provenance: { event, index, feed: feed as Uuid, seq: String(seq) },
  }
}

/** Links and media hashes have no token. */
const NO_TOKENS = { kid: '', tokens: new Map<string, string>() }
/** Hex digits of a media hash; of a PDQ hash exactly so many. */
const HASH = /^([0-9a-fA-F]{2}){16,2048}$/
const PDQ_DIGITS = 2 * PDQ_BYTES

function keysOf(query: MatchQuery): LookupKey[] {
  if ('token' in query) {
    const { type, profile, kid, token } = query
    return [{ type, profile: `${profile}@${kid}`, key: token }]
  }
  if ('hash' in query && (!HASH.test(query.hash) || (query.algorithm === 'pdq' && query.hash.length !== PDQ_DIGITS)))
    throw malformed('the hash has not the hex digits of its algorithm')
  const found = lookupKeys(query, NO_TOKENS)
  if (found.outcome === 'refused') throw malformed(found.reason)
  // What is shared of a whole domain stands for every link into it.
  const domains = query.type === 'url' ? found.keys.map(({ key }): LookupKey => ({ ...DOMAIN, key })) : []
  return [...found.keys, ...domains]
}

const DOMAIN = { type: 'domain', profile: 'domain/1' } as const

interface Asked {
  /** By its hex, each key once, with the kinds it is asked for. */
  exact: Map<string, { key: Uint8Array; kinds: Set<string> }>
  pdq: Uint8Array[]
}

function askedOf(keys: readonly LookupKey[]): Asked {
  const asked: Asked = { exact: new Map(), pdq: [] }
  for (const { type, profile, key: hex } of keys) {
    const key = fromHex(hex.toLowerCase())
    if (key?.length !== KEY_BYTES) throw malformed('a match key has 64 hex digits')
    const kind = `${type} ${profile}`
    const known = asked.exact.get(toHex(key))
    if (kind === PDQ_KIND) asked.pdq.push(key)
    else if (known === undefined) asked.exact.set(toHex(key), { key, kinds: new Set([kind]) })
    else known.kinds.add(kind)
  }
  return asked
}

const malformed = (detail: string): Refusal => new Refusal('validation-failed', { detail })

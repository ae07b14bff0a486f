import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '../kernel/bytes.ts'
import { writeDurably } from '../kernel/durable.ts'
import { sha256 } from '../kernel/sha256.ts'
import { type Contents, encodeMatchFile, type FeedPlace, SIGNALS_MOST } from '../matching/match-file.ts'
import { createDictionary, type Dictionary, RECORD_BYTES } from '../matching/record.ts'
import { MatchFileRefused } from '../matching/refused.ts'
import { drawSecret, KEY_BYTES } from '../matching/tag.ts'
import { changesOf, type MatchRows } from './match-changes.ts'
import { type MatchReader, openMatchFile } from './match-reader.ts'
import { type MirroredFeed, mirroredEvents, mirroredFeeds } from './mirror-reader.ts'
import type { VerifiedEvent } from './verify.ts'

export const matchFileOf = (home: string): string => join(home, 'match.bin')

export interface MatchFileOptions {
  /** The folder of a participant: `feeds/` is read, `match.bin` is written. */
  home: string
  programme: string
  now: Date
  /** Bytes of the mirror that were read, of those that are new. */
  onProgress?(bytes: number, all: number): void
}

export interface Refreshed {
  outcome: 'made' | 'extended' | 'unchanged'
  signals: number
}

/** Changes that are gathered before they are merged: so much memory, whatever the mirror has. */
const GATHERED = 200_000

/** A match file on its way to where the mirror is. */
export interface MatchUpdate {
  /**
   * Events that were verified and came to the mirror of a feed, behind so many bytes of it and up to a place: they need not be read from
   * there; or as rows. Those that do not follow what the file has are. Throws nothing of the match file: the mirror goes on without one.
   */
  take(came: readonly Mirrorable[] | MatchRows, from: number, to: FeedPlace): void
  /**
   * Reads from the mirror what was not taken, and writes the file. The old one is there until the new one is on the disk. Throws
   * `MatchFileRefused` where the mirror cannot be read, or words or signals are too many.
   */
  finish(): Promise<Refreshed>
}

/**
 * Brings the match file of a home to where its mirror stands: what is new is merged into the one that is there, which is read
 * anew from the first event where it does not fit the mirror.
 */
export const refreshMatchFile = (options: MatchFileOptions): Promise<Refreshed> => updateMatchFile(options).finish()

/** As `refreshMatchFile`, for a mirror that is about to grow. Nothing is read before something came. */
export function updateMatchFile(options: MatchFileOptions): MatchUpdate {
  const { home } = options
  const dir = join(home, 'feeds')
  let extension: Extension | undefined
  let refused: MatchFileRefused | undefined
  const begun = (): Extension => {
    extension ??= extensionOf(home, keptState(options))
    return extension
  }
  return {
    take(came, from, to) {
      if (firstSeq(came) === undefined || refused !== undefined) return
      try {
        begun().take(came, from, to)
      } catch (error) {
        if (!(error instanceof MatchFileRefused)) throw error
        refused = error
      }
    },
    async finish() {
      if (refused !== undefined) throw refused
      const feeds = mirroredFeeds(dir)
      const first = begun()
      if (first.isKept && feeds.every(({ feed, bytes }) => first.bytesOf(feed) === bytes) && !first.hasTaken())
        return { outcome: 'unchanged', signals: first.signals() }
      const extended = await finished(options, feeds, first).catch((error: unknown) => {
        // The mirror was written anew behind the place that the file names: all of it is read again.
        if (first.isKept && error instanceof MatchFileRefused && error.reason === 'mirror-damaged') return undefined
        throw error
      })
      if (extended !== undefined) return { outcome: first.isKept ? 'extended' : 'made', signals: extended }
      return { outcome: 'made', signals: await finished(options, feeds, extensionOf(home, undefined)) }
    },
  }
}

interface State {
  records: Uint8Array
  dictionary: Dictionary
  patterns: Map<string, unknown>
  at: Map<string, FeedPlace>
}

const nothing = (): State => ({
  records: new Uint8Array(0),
  dictionary: createDictionary(),
  patterns: new Map(),
  at: new Map(),
})

/** What the present file has; undefined where there is none that fits the mirror, a part of which may be about to be taken anew. */
function keptState({ home, programme }: MatchFileOptions): State | undefined {
  const path = matchFileOf(home)
  if (!existsSync(path)) return undefined
  try {
    const feeds = mirroredFeeds(join(home, 'feeds'))
    const reader = openMatchFile(path)
    try {
      const { header } = reader
      const at = new Map(header.feeds.map((place) => [place.feed, place]))
      const follows = header.feeds.every(({ feed, bytes }) =>
        feeds.some((one) => one.feed === feed && one.bytes >= bytes),
      )
      if (header.programme !== programme || !follows) return undefined
      const records = reader.allRecords()
      return {
        ...{ records, at },
        dictionary: createDictionary(header.words),
        patterns: patternsOf(reader, records),
      }
    } finally {
      reader.close()
    }
  } catch (error) {
    // It is made of the mirror, and made again.
    if (error instanceof MatchFileRefused) return undefined
    throw error
  }
}

const patternsOf = (reader: MatchReader, records: Uint8Array): Map<string, unknown> =>
  new Map(
    reader.patterns().map(({ record, value }) => {
      const at = record * RECORD_BYTES
      return [toHex(records.subarray(at, at + KEY_BYTES)), value]
    }),
  )

/** An event with what a source signed of it. */
type Mirrorable = Pick<VerifiedEvent, 'event' | 'item'>

/** Records with what came since, in memory. */
interface Extension {
  /** Whether it began with a file that was there. */
  isKept: boolean
  hasTaken(): boolean
  bytesOf(feed: string): number
  placeOf(feed: string): FeedPlace | undefined
  signals(): number
  take: MatchUpdate['take']
  add(one: Mirrorable): void
  /** What a file is made of, for the feeds as they stand. */
  contents(): Pick<Contents, 'records' | 'words' | 'patterns'>
}

function extensionOf(home: string, kept: State | undefined): Extension {
  const { dictionary, patterns, at, ...from } = kept ?? nothing()
  let { records } = from
  let changes = changesOf(dictionary, patterns)
  let taken = false
  const merge = (): void => {
    records = changes.mergedInto(records)
    changes = changesOf(dictionary, patterns)
    if (records.length > SIGNALS_MOST * RECORD_BYTES) throw new MatchFileRefused('too-many', home)
  }
  const added = (hasRoom: boolean): void => {
    if (!hasRoom) throw new MatchFileRefused('too-many-words', home)
    if (changes.size >= GATHERED) merge()
  }
  const add = ({ event, item }: Mirrorable): void => added(changes.take(event, item))
  const bytesOf = (feed: string): number => at.get(feed)?.bytes ?? 0
  return {
    isKept: kept !== undefined,
    hasTaken: () => taken,
    bytesOf,
    placeOf: (feed) => at.get(feed),
    signals: () => records.length / RECORD_BYTES,
    take(came, begin, to) {
      const first = firstSeq(came)
      if (first === undefined || begin !== bytesOf(to.feed) || !follows(at.get(to.feed), first)) return
      if ('acts' in came) added(changes.takeRows(came))
      else for (const one of came) add(one)
      at.set(to.feed, to)
      taken = true
    },
    add,
    contents() {
      merge()
      return { records, words: dictionary.words, patterns }
    },
  }
}

/** Undefined of nothing. */
const firstSeq = (came: readonly Mirrorable[] | MatchRows): string | undefined =>
  'acts' in came ? came.first : came[0]?.event.seq

/** Whether an event is the next one; of a mirror that was taken anew the bytes alone may be as many. */
const follows = (place: FeedPlace | undefined, seq: string): boolean =>
  place === undefined || BigInt(seq) === BigInt(place.seq) + 1n

async function finished(
  options: MatchFileOptions,
  feeds: readonly MirroredFeed[],
  extension: Extension,
): Promise<number> {
  const { home, programme, now, onProgress } = options
  const all = feeds.reduce((sum, { feed, bytes }) => sum + bytes - extension.bytesOf(feed), 0)
  let done = 0
  for (const feed of feeds) {
    if (feed.bytes < extension.bytesOf(feed.feed)) throw new MatchFileRefused('mirror-damaged', feed.file)
    for await (const one of mirroredEvents(feed, { after: extension.placeOf(feed.feed), programme })) {
      extension.add(one)
      done += one.bytes
      onProgress?.(done, all)
    }
  }
  const file = encodeMatchFile({
    ...{ programme, made_at: now.toISOString(), ...extension.contents(), hash: sha256 },
    feeds: feeds.map(({ feed, seq, bytes }) => ({ feed, seq, bytes })),
    secret: drawSecret(() => randomBytes(4).readUInt32LE()),
  })
  writeDurably(matchFileOf(home), file, 0o600)
  return extension.signals()
}

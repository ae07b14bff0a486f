import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '../kernel/bytes.ts'
import { writeDurably } from '../kernel/durable.ts'
import { sha256 } from '../kernel/sha256.ts'
import { encodeMatchFile, type FeedPlace, SIGNALS_MOST } from '../matching/match-file.ts'
import { createDictionary, type Dictionary, RECORD_BYTES } from '../matching/record.ts'
import { MatchFileRefused } from '../matching/refused.ts'
import { drawSecret, KEY_BYTES } from '../matching/tag.ts'
import { changesOf } from './match-changes.ts'
import { type MatchReader, openMatchFile } from './match-reader.ts'
import { type MirroredFeed, mirroredEvents, mirroredFeeds } from './mirror-reader.ts'

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

/**
 * Brings the match file of a home to where its mirror stands: what is new is merged into the one that is there, which is read
 * anew from the first event where it does not fit the mirror. The old one is there until the new one is on the disk. Throws
 * `MatchFileRefused` where the mirror cannot be read.
 */
export async function refreshMatchFile(options: MatchFileOptions): Promise<Refreshed> {
  const feeds = mirroredFeeds(join(options.home, 'feeds'))
  const kept = keptState(options, feeds)
  if (kept !== undefined) {
    if (feeds.every((feed) => kept.at.get(feed.feed)?.bytes === feed.bytes))
      return { outcome: 'unchanged', signals: kept.records.length / RECORD_BYTES }
    const extended = await extend(options, feeds, kept).catch((error: unknown) => {
      // The mirror was written anew behind the place that the file names: all of it is read again.
      if (error instanceof MatchFileRefused && error.reason === 'mirror-damaged') return undefined
      throw error
    })
    if (extended !== undefined) return { outcome: 'extended', signals: extended }
  }
  return { outcome: 'made', signals: await extend(options, feeds, nothing()) }
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

/** What the present file has; undefined where there is none that fits. */
function keptState({ home, programme }: MatchFileOptions, feeds: readonly MirroredFeed[]): State | undefined {
  const path = matchFileOf(home)
  if (!existsSync(path)) return undefined
  try {
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

async function extend(options: MatchFileOptions, feeds: readonly MirroredFeed[], from: State): Promise<number> {
  const { home, programme, now, onProgress } = options
  const { dictionary, patterns, at } = from
  const all = feeds.reduce((sum, feed) => sum + feed.bytes - (at.get(feed.feed)?.bytes ?? 0), 0)
  let { records } = from
  let changes = changesOf(dictionary, patterns)
  let done = 0
  const merge = (): void => {
    records = changes.mergedInto(records)
    changes = changesOf(dictionary, patterns)
    if (records.length > SIGNALS_MOST * RECORD_BYTES) throw new MatchFileRefused('too-many', home)
  }
  for (const feed of feeds) {
    for await (const { event, item, bytes } of mirroredEvents(feed, { after: at.get(feed.feed), programme })) {
      if (!changes.take(event, item)) throw new MatchFileRefused('too-many-words', feed.file)
      done += bytes
      onProgress?.(done, all)
      if (changes.size >= GATHERED) merge()
    }
  }
  merge()
  const file = encodeMatchFile({
    ...{ programme, made_at: now.toISOString(), records, words: dictionary.words, patterns, hash: sha256 },
    feeds: feeds.map(({ feed, seq, bytes }) => ({ feed, seq, bytes })),
    secret: drawSecret(() => randomBytes(4).readUInt32LE()),
  })
  writeDurably(matchFileOf(home), file, 0o600)
  return records.length / RECORD_BYTES
}

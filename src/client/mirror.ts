import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FeedList } from '../feeds/schema.ts'
import { removeDurably, writeDurably } from '../kernel/durable.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'
import type { FeedPlace } from '../matching/match-file.ts'
import { type Client, receivedOf } from './client.ts'
import { AldisError, VerificationFailed } from './errors.ts'
import { readIfThere } from './files.ts'
import type { MatchRows } from './match-changes.ts'
import { type ErasedName, erasedNames, eraseInMirror, withoutItem } from './mirror-erase.ts'
import { syncSealed } from './sealed-mirror.ts'
import type { SegmentThreads } from './segment-threads.ts'
import { linesOf, type Run, runHere, type SegmentWork, segmentsHere } from './segment-work.ts'
import { verifiedSegments } from './segments-ahead.ts'
import type { VerifiedEvent, Verifier } from './verify.ts'

/** Where the mirror of one feed stands: after `seq`, with `bytes` of its file good. */
interface Place {
  cursor: string | undefined
  seq: string
  bytes: number
}

export interface Progress {
  feed: Uuid
  label: string
  /** Since the last time, and so far. */
  came: number
  events: number
  seq: bigint
  last: bigint
}

export interface SyncOptions {
  client: Client
  verifier: Verifier
  /** Asked where a source or its key is not known: goes by what the node lists since; undefined where it lists nothing new. */
  relisted?(): Promise<Verifier | undefined>
  /** Threads that verify segments beside this one, which then writes them; see `createSegmentThreads`. Without, this one does both. */
  threads?: SegmentThreads
  /** `feeds/<feed>.ndjson` and `.json` are kept here. */
  dir: string
  /** Seconds to wait for something new, in any feed, where nothing is. */
  wait?: number
  onProgress?(progress: Progress): void
  /** The name of each answer's entry in the read journal, with the digest of what came whole; nothing was given out where it is empty. */
  onRead?(read: string, digest?: string): void
  onEvents?(feed: Feed, events: readonly VerifiedEvent[]): void
  /** The same of a feed whose events are kept as they are, as rows where a thread made these, with where they stand in its file: behind so many bytes, up to a place. */
  onMirrored?(came: readonly VerifiedEvent[] | MatchRows, from: number, to: FeedPlace): void
  /** How many sealed entries came; what they are of is not known. */
  onSealed?(feed: Feed, entries: number): void
  /** A feed gives nothing out: two persons of the programme have paused it, and it goes on later where it stands. */
  onPaused?(feed: Feed): void
  signal?: AbortSignal
}

type Feed = FeedList['feeds'][number]

/** Feeds that are waited on at a time: a client's connections are eight, and other calls need some. */
const WAITING = 6

/**
 * Brings the mirror of every feed up to date: sealed segments first, then pages. Each event is verified before it is
 * written; the file is flushed before the place is moved, so a crash repeats events and loses none. All of it is on the disk when this
 * returns or throws. Answers how many came.
 */
export async function syncFeeds(options: SyncOptions): Promise<number> {
  const { feeds } = await options.client.feeds()
  const { wait = 0, ...atOnce } = options
  const paused = new Set<Feed>()
  const onPaused = (feed: Feed): void => {
    paused.add(feed)
    options.onPaused?.(feed)
  }
  let n = 0
  for (const feed of feeds) n += await syncOne({ ...atOnce, onPaused }, feed)
  const open = feeds.filter((feed) => !paused.has(feed))
  if (n > 0 || wait === 0 || open.length === 0) return n
  const groups = Math.ceil(open.length / WAITING)
  const seconds = Math.max(1, Math.floor(wait / groups))
  for (let i = 0; i < groups && n === 0; i++)
    n = await firstNews({ ...options, wait: seconds }, open.slice(i * WAITING, (i + 1) * WAITING))
  return n
}

/** One that two persons of the programme paused keeps nothing of the others. Who came since the sources were listed is no forger. */
async function syncOne(options: SyncOptions, feed: Feed): Promise<number> {
  let came = 0
  const run = async (of: Feed, by: Pick<SyncOptions, 'verifier' | 'threads'>): Promise<void> => {
    const before = came
    const onProgress = (progress: Progress): void => {
      came = before + progress.events
      options.onProgress?.({ ...progress, events: came })
    }
    await (of.mode === 'sealed' ? syncSealed : syncFeed)({ ...options, ...by, onProgress }, of)
  }
  try {
    await run(feed, options).catch(async (error: unknown) => {
      const verifier = isUnlisted(error) ? await options.relisted?.() : undefined
      if (verifier === undefined) throw error
      // As it stands now: the mirror may be further than the feed was.
      const { feeds } = await options.client.feeds()
      const now = feeds.find((one) => one.feed === feed.feed) ?? feed
      // The threads go by the former list.
      const { threads } = options
      await run(now, { verifier, ...(threads === undefined ? {} : { threads: { ...threads, least: Infinity } }) })
    })
  } catch (error) {
    if (!(error instanceof AldisError) || error.code !== 'feed-paused') throw error
    options.onPaused?.(feed)
  }
  return came
}

/** Or signed by nobody: the list tells. */
const isUnlisted = (error: unknown): boolean => error instanceof VerificationFailed && error.step === 'source'

/** Waits on all of these feeds; what comes in one ends the wait on the others. */
async function firstNews(options: SyncOptions, feeds: readonly Feed[]): Promise<number> {
  const enough = new AbortController()
  const signal = options.signal === undefined ? enough.signal : AbortSignal.any([options.signal, enough.signal])
  const waiting = feeds.map(async (feed) => {
    try {
      const n = await syncOne({ ...options, signal }, feed)
      if (n > 0) enough.abort()
      return n
    } catch (error) {
      const isEnough = enough.signal.aborted && error instanceof Error && error.name === 'AbortError'
      enough.abort()
      if (isEnough) return 0
      throw error
    }
  })
  // Each has closed its files before anything is said.
  await Promise.allSettled(waiting)
  return (await Promise.all(waiting)).reduce((sum, n) => sum + n, 0)
}

async function syncFeed(options: SyncOptions, feed: Feed): Promise<number> {
  const { client, signal, verifier } = options
  const file = openMirror(options.dir, feed)
  let n = 0
  try {
    const take = (run: Run, cursor: string): void => {
      const { erased } = run
      // Before the place moves on: a crash between the two repeats it.
      if (erased.length > 0) file.erase(erased)
      const names = erasedNames(erased)
      const withoutErased = () => linesOf(run.received().map((one) => withoutItem(one, names) ?? one))
      const from = file.bytes()
      file.append(erased.length === 0 ? run.lines() : withoutErased(), { cursor, seq: run.last })
      n += run.count
      options.onEvents?.(feed, run.events())
      const to = { feed: feed.feed, seq: String(file.seq()), bytes: file.bytes() }
      options.onMirrored?.(run.rows ?? run.events(), from, to)
      const { label, last_seq } = feed
      const at = { feed: feed.feed, label, seq: file.seq(), last: BigInt(last_seq) }
      options.onProgress?.({ ...at, came: run.count, events: n })
    }
    // A reader that was admitted later begins further on.
    const after = (): bigint => (file.seq() === 0n ? BigInt(feed.from_seq) - 1n : file.seq())
    const segments = { client, feed, after: after(), work: workFor(options, feed, after()) }
    for await (const { run, cursor } of verifiedSegments({ ...options, ...segments })) take(run, cursor)
    for (;;) {
      const query = { cursor: file.cursor() ?? feed.start, limit: 1_000, wait: options.wait ?? 0 }
      const page = await client.events(feed.feed, query, signal)
      if (page.read !== '') options.onRead?.(page.read, page.digest)
      take(runHere([...receivedOf(page)], { feed, after: after() }, verifier), page.next_cursor)
      if (!page.more) return n
    }
  } finally {
    file.close()
  }
}

/** Threads, where there are any and as many events are to come as are worth one. */
function workFor({ threads, verifier }: SyncOptions, feed: Feed, after: bigint): SegmentWork {
  const events = Number(BigInt(feed.sealed_seq) - after)
  return threads !== undefined && events >= threads.least ? threads : segmentsHere(verifier)
}

interface Mirror {
  seq(): bigint
  cursor(): string | undefined
  /** Of its file. */
  bytes(): number
  /** Writes, and from time to time puts what was written on the disk and moves the place. */
  append(lines: Uint8Array, place: { cursor: string; seq: string | undefined }): void
  /** Takes the items of these signals out of what is there. */
  erase(names: readonly ErasedName[]): void
  /** With the place moved to what was written. */
  close(): void
}

const START: Place = { cursor: undefined, seq: '0', bytes: 0 }

/** What may be written before it is put on the disk: so much, or for so long, comes again after a crash. */
const UNFLUSHED_BYTES = 33_554_432
const UNFLUSHED_MS = 2_000

function openMirror(dir: string, { feed, last_seq }: Pick<Feed, 'feed' | 'last_seq'>): Mirror {
  // The node chose the name; a path in it would write elsewhere.
  if (!isUuid(feed)) throw new VerificationFailed('feed', 'its name is not a UUID')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const path = join(dir, `${feed}.ndjson`)
  const statePath = join(dir, `${feed}.json`)
  const kept = readIfThere(statePath)
  let noted = kept === undefined ? START : (JSON.parse(kept) as Place)
  let notedAt = performance.now()
  let handle = openSync(path, 'a', 0o600)
  // What was noted is not there: to truncate would fill it up with zeros. Nor is it there once other bytes are as many. And what
  // the feed no longer reaches comes to say something else there: a backup was restored.
  if (fstatSync(handle).size < noted.bytes || BigInt(noted.seq) > BigInt(last_seq)) {
    removeDurably(statePath)
    noted = START
  }
  // What a crash left behind the noted place comes again.
  truncateSync(path, noted.bytes)
  let place = noted
  const flush = (): void => {
    if (place === noted) return
    if (place.bytes > noted.bytes) fsyncSync(handle)
    writeDurably(statePath, JSON.stringify(place))
    noted = place
    notedAt = performance.now()
  }
  return {
    seq: () => BigInt(place.seq),
    cursor: () => place.cursor,
    bytes: () => place.bytes,
    append(lines, { cursor, seq = place.seq }) {
      if (lines.length > 0) writeFileSync(handle, lines)
      place = { cursor, seq, bytes: place.bytes + lines.length }
      if (place.bytes - noted.bytes >= UNFLUSHED_BYTES || performance.now() - notedAt >= UNFLUSHED_MS) flush()
    },
    erase(names) {
      eraseInMirror(path, names)
      const anew = openSync(path, 'a', 0o600)
      closeSync(handle)
      handle = anew
    },
    close() {
      try {
        flush()
      } finally {
        closeSync(handle)
      }
    },
  }
}

import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FeedList } from '../feeds/schema.ts'
import { removeDurably, writeDurably } from '../kernel/durable.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'
import type { FeedPlace } from '../matching/match-file.ts'
import { type Client, type Received, receivedOf, type Segment } from './client.ts'
import { AldisError, VerificationFailed } from './errors.ts'
import { readIfThere } from './files.ts'
import { type ErasedName, eraseInMirror, withoutItem } from './mirror-erase.ts'
import { mirrorLines } from './mirror-lines.ts'
import { syncSealed } from './sealed-mirror.ts'
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
  events: number
  seq: bigint
  last: bigint
}

export interface SyncOptions {
  client: Client
  verifier: Verifier
  /** `feeds/<feed>.ndjson` and `.json` are kept here. */
  dir: string
  /** Seconds to wait for something new, in any feed, where nothing is. */
  wait?: number
  onProgress?(progress: Progress): void
  /** The name of each answer's entry in the read journal; nothing was given out where it is empty. */
  onRead?(read: string): void
  onEvents?(feed: Feed, events: readonly VerifiedEvent[]): void
  /** The same of a feed whose events are kept as they are, with where they stand in its file: behind so many bytes, up to a place. */
  onMirrored?(events: readonly VerifiedEvent[], from: number, to: FeedPlace): void
  /** How many sealed entries came; what they are of is not known. */
  onSealed?(feed: Feed, entries: number): void
  /** A feed gives nothing out: two persons of the programme have paused it, and it goes on later where it stands. */
  onPaused?(feed: Feed): void
  signal?: AbortSignal
}

type Feed = FeedList['feeds'][number]

/** Feeds that are waited on at a time: a client's connections are eight, and other calls need some. */
const WAITING = 6

/** Ends after which a recipient no longer uses a signal. */
export const ENDS: ReadonlySet<string> = new Set(['signal.withdrawn', 'signal.expired', 'signal.erased'])

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

/** One that two persons of the programme paused keeps nothing of the others. */
async function syncOne(options: SyncOptions, feed: Feed): Promise<number> {
  let came = 0
  const onEvents: SyncOptions['onEvents'] = (of, events) => {
    came += events.length
    options.onEvents?.(of, events)
  }
  try {
    return await (feed.mode === 'sealed' ? syncSealed : syncFeed)({ ...options, onEvents }, feed)
  } catch (error) {
    if (!(error instanceof AldisError) || error.code !== 'feed-paused') throw error
    options.onPaused?.(feed)
    return came
  }
}

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
  const { client, signal } = options
  const file = openMirror(options.dir, feed.feed)
  let n = 0
  try {
    const take = (received: readonly Received[], cursor: string): void => {
      const events = received.map((one) => belonging(feed, options.verifier.event(one)))
      const erased = events.flatMap(({ event }) => (event.type === 'signal.erased' ? [event] : []))
      // Before the place moves on: a crash between the two repeats it.
      if (erased.length > 0) file.erase(erased)
      const kept = erased.length === 0 ? received : received.map((one) => withoutItem(one, erased) ?? one)
      const from = file.bytes()
      file.append(kept, cursor)
      n += events.length
      options.onEvents?.(feed, events)
      options.onMirrored?.(events, from, { feed: feed.feed, seq: String(file.seq()), bytes: file.bytes() })
      const progress = { feed: feed.feed, label: feed.label, events: n, seq: file.seq(), last: BigInt(feed.last_seq) }
      options.onProgress?.(progress)
    }
    // A reader that was admitted later begins further on.
    const after = (): bigint => (file.seq() === 0n ? BigInt(feed.from_seq) - 1n : file.seq())
    await takeSegments(options, { feed, after, take })
    for (;;) {
      const query = { cursor: file.cursor() ?? feed.start, limit: 1_000, wait: options.wait ?? 0 }
      const page = await client.events(feed.feed, query, signal)
      if (page.read !== '') options.onRead?.(page.read)
      inOrder(after(), page.events)
      take([...receivedOf(page)], page.next_cursor)
      if (!page.more) return n
    }
  } finally {
    file.close()
  }
}

/** The source signed for whom an item is: the node cannot carry it into another audience's feed. */
function belonging(feed: Feed, verified: VerifiedEvent): VerifiedEvent {
  const { event, item } = verified
  if (event.feed !== feed.feed) throw new VerificationFailed('feed', 'an event of another feed')
  const audience = item?.['audience']
  if (audience !== undefined && audience !== feed.audience) {
    throw new VerificationFailed('feed', 'a signal that its source shared with another audience')
  }
  return verified
}

interface Taking {
  feed: Feed
  /** The sequence after which events are still to come. */
  after(): bigint
  take(received: readonly Received[], cursor: string): void
}

/**
 * Whole segments from the place of the mirror on, the next one asked for while one is verified; a segment that has just
 * begun there is read page by page instead.
 */
async function takeSegments(options: SyncOptions, { feed, after, take }: Taking): Promise<void> {
  const sealed = BigInt(feed.sealed_seq)
  let ahead: Asked | undefined
  try {
    for (let next = after() + 1n; next <= sealed; next = after() + 1n) {
      const segment = await (ahead ?? ask(options, feed.feed, next)).segment
      ahead = undefined
      // The mirror stands within a segment: pages bring it to the end.
      if (segment === undefined) return
      options.onRead?.(segment.read)
      const received = (await Array.fromAsync(segment.pieces)).flat()
      const events = received.map(({ event }) => event)
      inOrder(next - 1n, events)
      const last = events.at(-1)
      if (last === undefined) throw new VerificationFailed('feed', `the segment from ${next} on is empty`)
      if (BigInt(last.seq) < sealed) ahead = ask(options, feed.feed, BigInt(last.seq) + 1n)
      take(received, segment.cursor)
    }
  } finally {
    // What was asked for ahead and is not taken is not read either.
    await ahead?.segment.then(
      (segment) => segment?.cancel(),
      () => {},
    )
  }
}

interface Asked {
  segment: Promise<Segment | undefined>
}

function ask({ client }: SyncOptions, feed: Uuid, first: bigint): Asked {
  const segment = client.segment(feed, first).catch((error: unknown) => {
    if (error instanceof AldisError && error.code === 'not-found') return undefined
    throw error
  })
  // Whoever takes it hears of a failure; until then nobody does.
  segment.catch(() => {})
  return { segment }
}

/** Sequences are dense: one that is missing was withheld, or the node lost it. */
function inOrder(after: bigint, events: readonly { seq: string }[]): void {
  let seq = after
  for (const event of events) {
    if (BigInt(event.seq) !== seq + 1n) throw new VerificationFailed('feed', `an event after ${seq} is missing`)
    seq = BigInt(event.seq)
  }
}

interface Mirror {
  seq(): bigint
  cursor(): string | undefined
  /** Of its file. */
  bytes(): number
  /** Writes, and from time to time puts what was written on the disk and moves the place. */
  append(received: readonly Received[], cursor: string): void
  /** Takes the items of these signals out of what is there. */
  erase(names: readonly ErasedName[]): void
  /** With the place moved to what was written. */
  close(): void
}

const START: Place = { cursor: undefined, seq: '0', bytes: 0 }

/** What may be written before it is put on the disk: so much, or for so long, comes again after a crash. */
const UNFLUSHED_BYTES = 33_554_432
const UNFLUSHED_MS = 2_000

function openMirror(dir: string, feed: Uuid): Mirror {
  // The node chose the name; a path in it would write elsewhere.
  if (!isUuid(feed)) throw new VerificationFailed('feed', 'its name is not a UUID')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const path = join(dir, `${feed}.ndjson`)
  const statePath = join(dir, `${feed}.json`)
  const kept = readIfThere(statePath)
  let noted = kept === undefined ? START : (JSON.parse(kept) as Place)
  let notedAt = performance.now()
  let handle = openSync(path, 'a', 0o600)
  // What was noted is not there: to truncate would fill it up with zeros. Nor is it there once other bytes are as many.
  if (fstatSync(handle).size < noted.bytes) {
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
    append(received, cursor) {
      const lines = Buffer.from(mirrorLines(received))
      if (lines.length > 0) writeFileSync(handle, lines)
      place = { cursor, seq: received.at(-1)?.event.seq ?? place.seq, bytes: place.bytes + lines.length }
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

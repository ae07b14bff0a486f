import { closeSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { FeedList, SealedEventBody } from '../feeds/schema.ts'
import { concat, fromBase64Url, u64 } from '../kernel/bytes.ts'
import { removeDurably, writeDurably } from '../kernel/durable.ts'
import { isUuid } from '../kernel/ids.ts'
import { ENTRY_BYTES } from '../matching/sealed.ts'
import type { Received } from './client.ts'
import { VerificationFailed } from './errors.ts'
import { readIfThere } from './files.ts'
import type { SyncOptions } from './mirror.ts'
import { isSealedBody, type SealedDelta } from './sealed-feed.ts'
import type { VerifiedEvent } from './verify.ts'

/** A record of the mirror: `u64` sequence, entry; an entry that ended is zeros. */
export const RECORD_BYTES = 8 + ENTRY_BYTES
export const RECORD_TAG_AT = 8

/** Where the mirror of one sealed feed stands: after `seq`, with so many bytes of its two files good. */
interface Place {
  cursor: string | undefined
  seq: string
  entries: number
  ends: number
}

const ENDS: ReadonlySet<string> = new Set(['signal.withdrawn', 'signal.expired', 'signal.erased'])

/**
 * Brings the mirror of a sealed feed up to date: `<feed>.sealed` has the live entries, `<feed>.ndjson` the ends with what
 * their sources signed. Each answer's signature by the node is verified first, and noted in `<feed>.deltas.ndjson`. Answers
 * how many events came.
 */
export async function syncSealed(options: SyncOptions, feed: FeedList['feeds'][number]): Promise<number> {
  const { client, signal } = options
  const file = openSealedFiles(options.dir, feed)
  let n = 0
  try {
    const take = (delta: SealedDelta): void => {
      const ends = verified(options, { feed, delta, after: after() })
      if (delta.read !== '') options.onRead?.(delta.read, delta.digest)
      file.append(delta)
      n += delta.events.length
      options.onSealed?.(feed, delta.events.length - ends.length)
      options.onEvents?.(feed, ends)
      const at = { feed: feed.feed, label: feed.label, seq: file.seq(), last: BigInt(feed.last_seq) }
      options.onProgress?.({ ...at, came: delta.events.length, events: n })
    }
    // A reader that was admitted later begins further on.
    const after = (): bigint => (file.seq() === 0n ? BigInt(feed.from_seq) - 1n : file.seq())
    for (let next = after() + 1n; next <= BigInt(feed.sealed_seq); next = after() + 1n) {
      const delta = await client.sealedSegment(feed.feed, next)
      // The mirror stands within a segment: pages bring it to the end.
      if (delta === undefined) break
      if (delta.events.length === 0) throw new VerificationFailed('feed', `the segment from ${next} on is empty`)
      take(delta)
    }
    for (;;) {
      const query = { cursor: file.cursor() ?? feed.start, limit: 1_000, wait: options.wait ?? 0 }
      const delta = await client.sealedPage(feed.feed, query, signal)
      take(delta)
      if (!delta.more) return n
    }
  } finally {
    file.close()
  }
}

/** The ends of a delta, once everything of it is verified: no gap, the node's signature over it, and the sources'. */
function verified(
  { verifier }: SyncOptions,
  { feed, delta, after }: { feed: FeedList['feeds'][number]; delta: SealedDelta; after: bigint },
): VerifiedEvent[] {
  let seq = after
  for (const { event } of delta.events) {
    if (BigInt(event.seq) !== seq + 1n) throw new VerificationFailed('feed', `an event after ${seq} is missing`)
    if (event.feed !== feed.feed) throw new VerificationFailed('feed', 'an event of another feed')
    seq = BigInt(event.seq)
  }
  if (delta.events.length > 0) verifier.delta({ ...delta, feed: feed.feed })
  return delta.events.flatMap((one) => {
    if (isSealed(one)) {
      entryOf(one.event)
      return []
    }
    if (!ENDS.has(one.event.type)) throw new VerificationFailed('feed', 'a signal in the clear in a sealed feed')
    return [verifier.event(one)]
  })
}

/** An event of a sealed feed as it was received; ends have what proves them. */
export type SealedReceived = Received | { event: SealedEventBody; proof: undefined }

const isSealed = (one: SealedReceived): one is { event: SealedEventBody; proof: undefined } => isSealedBody(one.event)

/** Undefined for one that was erased, and for a signal that is held. */
function entryOf({ sealed, reason, seq }: SealedEventBody): Uint8Array | undefined {
  if (sealed === undefined && reason !== undefined) return undefined
  const entry = typeof sealed === 'string' ? fromBase64Url(sealed) : undefined
  if (entry?.length === ENTRY_BYTES) return entry
  throw new VerificationFailed('feed', `the entry at ${seq} is none`)
}

interface SealedFiles {
  seq(): bigint
  cursor(): string | undefined
  append(delta: SealedDelta): void
  close(): void
}

const START: Place = { cursor: undefined, seq: '0', entries: 0, ends: 0 }

function openSealedFiles(
  dir: string,
  { feed, last_seq }: Pick<FeedList['feeds'][number], 'feed' | 'last_seq'>,
): SealedFiles {
  // The node chose the name; a path in it would write elsewhere.
  if (!isUuid(feed)) throw new VerificationFailed('feed', 'its name is not a UUID')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const at = (end: string): string => join(dir, `${feed}.${end}`)
  const kept = readIfThere(at('json'))
  const [entries, ends, deltas] = [open(at('sealed')), open(at('ndjson')), openSync(at('deltas.ndjson'), 'a', 0o600)]
  let place = kept === undefined ? START : (JSON.parse(kept) as Place)
  // What was noted is not there: to truncate would fill it up with zeros. Nor is it there once other bytes are as many. And what
  // the feed no longer reaches comes to say something else there: a backup was restored.
  const lacks = fstatSync(entries).size < place.entries || fstatSync(ends).size < place.ends
  if (lacks || BigInt(place.seq) > BigInt(last_seq)) {
    removeDurably(at('json'))
    place = START
  }
  // What a crash left behind the noted place comes again.
  ftruncateSync(entries, place.entries)
  ftruncateSync(ends, place.ends)
  return {
    seq: () => BigInt(place.seq),
    cursor: () => place.cursor,
    append({ events, cursor, from, to, digest, signature }) {
      const records = events.flatMap((one) => {
        const entry = isSealed(one) ? entryOf(one.event) : undefined
        return entry === undefined ? [] : [concat(u64(BigInt(one.event.seq)), entry)]
      })
      const lines = events.flatMap((one) => (isSealed(one) ? [] : [`${JSON.stringify(one)}\n`]))
      const next = {
        entries: place.entries + write(entries, Buffer.concat(records), place.entries),
        ends: place.ends + write(ends, Buffer.from(lines.join('')), place.ends),
      }
      for (const { event } of events) {
        const over = isSealedBody(event) ? event.replaces : event.ends
        if (over !== undefined) forget(entries, next.entries, BigInt(over))
      }
      fsyncSync(entries)
      fsyncSync(ends)
      if (events.length > 0) write(deltas, Buffer.from(`${JSON.stringify({ from, to, digest, signature })}\n`), null)
      place = { ...next, cursor, seq: events.at(-1)?.event.seq ?? place.seq }
      writeDurably(at('json'), JSON.stringify(place))
    },
    close: () => [entries, ends, deltas].forEach(closeSync),
  }
}

/** For reading and writing at any place; made if it is not there. */
function open(path: string): number {
  closeSync(openSync(path, 'a', 0o600))
  return openSync(path, 'r+')
}

/** Writes on after a short write, which one call does not. */
function write(file: number, bytes: Buffer, at: number | null): number {
  for (let done = 0; done < bytes.length; )
    done += writeSync(file, bytes, done, bytes.length - done, at === null ? null : at + done)
  return bytes.length
}

/** Takes the entry of a sequence away, by halves: records rise. One that this reader never had is not there. */
function forget(file: number, bytes: number, seq: bigint): void {
  let [low, high] = [0, bytes / RECORD_BYTES]
  const head = Buffer.alloc(8)
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    readSync(file, head, 0, 8, middle * RECORD_BYTES)
    const found = head.readBigUInt64BE()
    if (found === seq) {
      write(file, Buffer.alloc(ENTRY_BYTES), middle * RECORD_BYTES + 8)
      return
    }
    if (found < seq) low = middle + 1
    else high = middle
  }
}

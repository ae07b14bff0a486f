import { type FeedList, SEGMENT_SIZE, SEGMENTS_MAX } from '../feeds/schema.ts'
import type { Client } from './client.ts'
import { AldisError } from './errors.ts'
import { answerDigest } from './recorded.ts'
import type { Segment, SegmentRun } from './segment-run.ts'
import type { Run, SegmentWork } from './segment-work.ts'

export interface SegmentsOptions {
  client: Client
  feed: FeedList['feeds'][number]
  /** The place from which they follow. */
  after: bigint
  work: SegmentWork
  onRead?(read: string, digest?: string): void
}

export interface VerifiedSegment {
  run: Run
  cursor: string
}

interface Ahead {
  /** The last sequence of the segment; undefined where there is none. */
  last: Promise<bigint | undefined>
  verified: Promise<VerifiedSegment | undefined>
}

/**
 * Whole segments, each verified, in their order. Each is asked for when the one before has come, and verified while those before are taken.
 * Ends where none begins: the place is within a segment, or behind all of them.
 */
export async function* verifiedSegments(options: SegmentsOptions): AsyncGenerator<VerifiedSegment> {
  const { feed, after, work } = options
  const sealed = BigInt(feed.sealed_seq)
  const fetching = createFetching(options)
  const begin = (place: Promise<bigint | undefined>): Ahead => {
    const fetched = place.then((at) => (at === undefined || at >= sealed ? undefined : fetching.after(at)))
    const verified = fetched.then(async (one) => {
      if (one === undefined) return undefined
      const { body, cursor } = one
      const run = await work.verify({ body, feed: { feed: feed.feed, audience: feed.audience }, after: one.after })
      return { run, cursor }
    })
    const last = fetched.then(async (one) => {
      if (one !== undefined && one.body.length > LARGE) await verified
      return one && lastSeqIn(one.body)
    })
    // Whoever takes it hears of a failure; until then nobody does.
    for (const promise of [last, verified]) promise.catch(() => {})
    return { last, verified }
  }
  const ahead = [begin(Promise.resolve(after))]
  try {
    for (let one = ahead.at(0); one !== undefined; one = ahead.at(0)) {
      for (let tip = ahead.at(-1) ?? one; ahead.length <= work.ahead; tip = ahead.at(-1) ?? one)
        ahead.push(begin(tip.last))
      const segment = await one.verified
      if (segment === undefined) return
      yield segment
      ahead.shift()
    }
  } finally {
    fetching.stop()
    await Promise.allSettled(ahead.map(({ verified }) => verified))
  }
}

/** Bytes of a segment beyond which the next is asked for once it is verified: what is held at a time has a bound. */
const LARGE = 33_554_432

interface Fetched {
  after: bigint
  body: Buffer
  cursor: string
}

/** One at a time, out of answers of several. */
function createFetching({ client, feed, onRead }: SegmentsOptions) {
  let run: SegmentRun | undefined
  let stopped = false
  const following = async (after: bigint): Promise<Segment | undefined> => {
    const next = await run?.next()
    if (next !== undefined) return next
    const left = (BigInt(feed.sealed_seq) - after - 1n) / BigInt(SEGMENT_SIZE) + 1n
    const count = Math.min(SEGMENTS_MAX, Number(left))
    run = await client.segments(feed.feed, after + 1n, count).catch(unlessNotFound)
    return run?.next()
  }
  return {
    async after(after: bigint): Promise<Fetched | undefined> {
      if (stopped) return undefined
      const segment = await following(after)
      if (segment === undefined) return undefined
      // What was asked for ahead and is not taken is not read either.
      if (stopped) segment.cancel()
      const noted = stopped ? undefined : onRead
      const body = await segment.body().catch((error: unknown) => {
        // Of what did not come whole there is a read all the same.
        noted?.(segment.read)
        throw error
      })
      noted?.(segment.read, answerDigest(body))
      return { after, body, cursor: segment.cursor }
    },
    stop(): void {
      stopped = true
      run?.cancel()
    },
  }
}

function unlessNotFound(error: unknown): undefined {
  if (error instanceof AldisError && error.code === 'not-found') return undefined
  throw error
}

/**
 * The sequence of the last event, read from the end: the next segment is asked for before this one is verified. Undefined where that cannot
 * be read: verifying says why.
 */
function lastSeqIn(body: Buffer): bigint | undefined {
  for (let end = body.length; end > 0; ) {
    const start = body.lastIndexOf('\n', end - 1) + 1
    const seq = start === end ? undefined : seqOf(body.toString('utf8', start, end))
    if (seq !== undefined) return seq
    end = start - 1
  }
  return undefined
}

function seqOf(line: string): bigint | undefined {
  try {
    const seq = (JSON.parse(line) as { seq?: unknown } | null)?.seq
    return typeof seq === 'string' && /^[0-9]{1,19}$/.test(seq) ? BigInt(seq) : undefined
  } catch {
    return undefined
  }
}

import { setImmediate } from 'node:timers/promises'
import type { FeedList } from '../feeds/schema.ts'
import type { Received } from './client.ts'
import { VerificationFailed } from './errors.ts'
import { type MatchRows, matchRowsOf } from './match-changes.ts'
import type { ErasedName } from './mirror-erase.ts'
import { mirrorLines, receivedOfLines } from './mirror-lines.ts'
import { receivedIn } from './segment-body.ts'
import { readVerified, type VerifiedEvent, type Verifier } from './verify.ts'

/** Where events must belong, and the sequence that they must follow. */
export interface Expected {
  feed: Pick<FeedList['feeds'][number], 'feed' | 'audience'>
  after: bigint
}

export interface SegmentJob extends Expected {
  /** NDJSON, as it was given out. */
  body: Uint8Array
}

/** Events in sequence, each verified. What a thread verified is read here no further than somebody asks. */
export interface Run {
  count: number
  /** The sequence of the last; undefined for none. */
  last: string | undefined
  erased: readonly ErasedName[]
  received(): readonly Received[]
  events(): readonly VerifiedEvent[]
  /** What a mirror has of them. */
  lines(): Uint8Array
  /** What a match file has of them, where a thread has made that. */
  rows: MatchRows | undefined
}

/** Verifies segments, here or in threads. */
export interface SegmentWork {
  /** Segments that are fetched or verified at most while one is written: so much memory. */
  ahead: number
  /** Throws `VerificationFailed`, the same in both. */
  verify(segment: SegmentJob): Promise<Run>
}

/** In this thread. */
export const segmentsHere = (verifier: Verifier): SegmentWork => ({
  ahead: 1,
  async verify(segment) {
    // What is asked for ahead leaves first.
    await setImmediate()
    return verifiedRun(segment, verifier)
  },
})

/** Throws `VerificationFailed` unless a segment is whole, in its place, and each event of it is what its source signed. */
function verifiedRun({ body, ...expected }: SegmentJob, verifier: Verifier): Run {
  const received = receivedIn(body)
  if (received.length === 0) throw new VerificationFailed('feed', `the segment from ${expected.after + 1n} on is empty`)
  return runHere(received, expected, verifier)
}

/** Throws `VerificationFailed` unless these follow without a gap, and each is what its source signed for this feed. */
export function runHere(received: readonly Received[], { feed, after }: Expected, verifier: Verifier): Run {
  inOrder(after, received)
  const events = received.map((one) => belonging(feed, verifier.event(one)))
  return {
    ...{ count: received.length, last: received.at(-1)?.event.seq, erased: erasedIn(received), rows: undefined },
    ...{ received: () => received, events: () => events, lines: () => linesOf(received) },
  }
}

const erasedIn = (received: readonly Received[]): ErasedName[] =>
  received.flatMap(({ event: { type, source, signal } }) => (type === 'signal.erased' ? [{ source, signal }] : []))

/** In bytes of their own, which a thread can hand over. */
export const linesOf = (received: readonly Received[]): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(mirrorLines(received))

/** Sequences are dense: one that is missing was withheld, or the node lost it. */
function inOrder(after: bigint, received: readonly Received[]): void {
  let seq = after
  for (const { event } of received) {
    if (BigInt(event.seq) !== seq + 1n) throw new VerificationFailed('feed', `an event after ${seq} is missing`)
    seq = BigInt(event.seq)
  }
}

/** The source signed for whom an item is: the node cannot carry it into another audience's feed. */
function belonging(feed: Expected['feed'], verified: VerifiedEvent): VerifiedEvent {
  const { event, item } = verified
  if (event.feed !== feed.feed) throw new VerificationFailed('feed', 'an event of another feed')
  const audience = item?.['audience']
  if (audience !== undefined && audience !== feed.audience) {
    throw new VerificationFailed('feed', 'a signal that its source shared with another audience')
  }
  return verified
}

/** What a thread answers: what is written as it is, and of the events no more; or what it threw. */
export type Outcome =
  | ({ outcome: 'verified'; lines: Uint8Array<ArrayBuffer> } & Pick<Run, 'count' | 'last' | 'erased' | 'rows'>)
  | { outcome: 'unverified'; step: string; detail: string }
  | { outcome: 'failed'; error: unknown; code: string | undefined }

export function workOn(segment: SegmentJob, verifier: Verifier): Outcome {
  try {
    const { count, last, erased, received, events } = verifiedRun(segment, verifier)
    const rows = matchRowsOf(events())
    return { outcome: 'verified', lines: linesOf(received()), count, last, erased, rows }
  } catch (error) {
    if (!(error instanceof VerificationFailed))
      return { outcome: 'failed', error, code: (error as { code?: string }).code }
    return { outcome: 'unverified', step: error.step, detail: error.detail }
  }
}

/** What a thread need not keep. */
export const handedOver = (outcome: Outcome): ArrayBuffer[] =>
  outcome.outcome === 'verified'
    ? [outcome.lines, outcome.rows?.acts, outcome.rows?.records].flatMap((bytes) => bytes?.buffer ?? [])
    : []

/** The same as there would have been without a thread. */
export function runOf(outcome: Outcome): Run {
  if (outcome.outcome === 'unverified') throw new VerificationFailed(outcome.step, outcome.detail)
  // An error comes out of a thread without its code.
  if (outcome.outcome === 'failed') throw Object.assign(outcome.error as Error, { code: outcome.code })
  const { count, last, erased, lines, rows } = outcome
  let read: readonly Received[] | undefined
  const received = (): readonly Received[] => {
    read ??= receivedOfLines(lines)
    return read
  }
  const events = (): VerifiedEvent[] => received().map(({ event }) => readVerified(event))
  return { count, last, erased, rows, received, events, lines: () => lines }
}

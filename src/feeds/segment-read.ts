import { Readable } from 'node:stream'
import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import { encodeCursor } from '../kernel/cursor.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { PreparedRead, ProvenanceService } from '../provenance/service.ts'
import type { Disclosed, Reader } from './answer.ts'
import { type ReadableFeed, refusePaused } from './directory.ts'
import { createPiecePool, type LentPieces } from './pieces.ts'
import { SEGMENT_SIZE } from './schema.ts'
import type { SegmentFiles } from './segment-files.ts'
import * as segmentStore from './segment-store.ts'
import { type DeltaSigning, signedDelta } from './signed-delta.ts'
import * as store from './store.ts'

export interface SegmentReads {
  /** A sealed segment: NDJSON under brotli, made once. */
  segment(by: Reader, feed: Uuid, first_seq: bigint): Promise<DisclosedSegment>
  /** Up to `count` segments that follow each other, journaled together: before each its head, a line of JSON. */
  segments(by: Reader, feed: Uuid, asked: AskedRun): Promise<DisclosedRun>
}

export interface AskedRun {
  first_seq: bigint
  count: number
  /** How many bytes of the body whoever sends it has taken and not written yet: by it memory is used again. */
  unsent?: () => number
}

export interface DisclosedSegment extends Omit<Disclosed, 'body'> {
  /** A stream must be read or destroyed. */
  body: Buffer | Readable
  /** Bytes of the body. */
  size: number
  cursor: string
}

export type DisclosedRun = Pick<DisclosedSegment, 'size'> & {
  body: Readable
  /** To be told once all of it is written. */
  written(): void
}

export interface SegmentReadsOptions extends DeltaSigning {
  db: Db
  directory: DeltaSigning['directory'] & Parameters<typeof refusePaused>[0]
  provenance: Pick<ProvenanceService, 'admit' | 'prepareSegmentRead' | 'insertReads'>
  segments: SegmentFiles
  cursorKey: Uint8Array
}

type Row = Awaited<ReturnType<typeof segmentStore.segmentsIn>>[number]
type Given = Pick<DisclosedSegment, 'cursor' | 'read' | 'signature'> & { row: Row }
interface Asked extends Pick<AskedRun, 'first_seq' | 'count'> {
  feed: Uuid
}
interface Run {
  by: Reader
  feed: Uuid
  pieces: LentPieces
}

export function createSegmentReads(
  options: SegmentReadsOptions,
  readable: (by: Reader, feed: Uuid) => ReadableFeed,
): SegmentReads {
  const { db, directory, segments } = options
  const pool = createPiecePool()
  const open = (by: Reader, feed: Uuid, row: Row, take?: () => Buffer): Promise<Buffer | Readable | undefined> =>
    segments.open(row, () => asParticipant(db, by.participant, (tx) => segmentStore.segmentBytes(tx, feed, row)), take)
  /** Its place in the feed, which nobody has while the feed is paused. */
  const placeOf = (by: Reader, feed: Uuid): ReadableFeed => {
    const place = readable(by, feed)
    refusePaused(directory, feed)
    return place
  }
  const journaled = (by: Reader, asked: Asked): Promise<Given[]> =>
    asParticipant(db, by.participant, (tx) =>
      journalSegments(options, tx, { by, asked, place: placeOf(by, asked.feed) }),
    )

  /** Begins to read one, and throws nothing: what came of it is told when its turn comes. */
  const begin = async ({ by, feed, pieces }: Run, row: Row): Promise<Opened> => {
    const [opened] = await Promise.allSettled([open(by, feed, row, pieces.take)])
    const stream = streamIn(opened)
    // Nobody listens yet: an error is told to whoever reads it on.
    stream?.on('error', () => {})
    stream?.read(0)
    return opened
  }

  /**
   * Each is opened while the one before it is sent, and given out if its reader still may: the answer ends at one that was
   * erased or withheld since.
   */
  async function* partsOf(run: Run, given: readonly Given[]): AsyncGenerator<Buffer> {
    let now: Promise<Opened> | undefined
    let ahead: Promise<Opened> | undefined
    try {
      for (const [i, one] of given.entries()) {
        placeOf(run.by, run.feed)
        now = ahead ?? begin(run, one.row)
        const body = bodyOf(await now)
        const next = given[i + 1]
        ahead = next && begin(run, next.row)
        yield headOf(one)
        if (body instanceof Readable) yield* body
        else yield body
      }
    } finally {
      for (const left of await Promise.all([now, ahead])) streamIn(left)?.destroy()
    }
  }

  async function* bytesOf(run: Run, given: readonly Given[]): AsyncGenerator<Buffer> {
    for await (const part of partsOf(run, given)) {
      yield part
      // Asked for the next one, and so this one was taken.
      run.pieces.passed(part)
    }
  }

  return {
    // Journaled first: a segment that then cannot be read counts as given out, and one that is given out is never missing.
    async segment(by, feed, first_seq) {
      const [one] = await journaled(by, { feed, first_seq, count: 1 })
      const body = one && (await open(by, feed, one.row))
      if (one === undefined || body === undefined) throw new Refusal('not-found')
      const { row, ...disclosed } = one
      return { ...disclosed, body, size: row.size }
    },
    async segments(by, feed, { first_seq, count, unsent = () => Number.POSITIVE_INFINITY }) {
      const given = await journaled(by, { feed, first_seq, count })
      const size = given.reduce((sum, one) => sum + headOf(one).length + one.row.size, 0)
      const pieces = pool.lend(() => body.readableLength + unsent())
      const body: Readable = Readable.from(bytesOf({ by, feed, pieces }, given), { objectMode: false })
      return { size, body, written: pieces.written }
    },
  }
}

type Opened = PromiseSettledResult<Buffer | Readable | undefined>

const streamIn = (opened: Opened | undefined): Readable | undefined =>
  opened?.status === 'fulfilled' && opened.value instanceof Readable ? opened.value : undefined

function bodyOf(opened: Opened): Buffer | Readable {
  if (opened.status === 'rejected') throw opened.reason
  if (opened.value === undefined) throw new Refusal('not-found')
  return opened.value
}

/** What the headers of a single one say, and how many bytes follow. */
function headOf({ row, cursor, read, signature }: Given): Buffer {
  const { first_seq, size } = row
  return Buffer.from(`${JSON.stringify({ first_seq: String(first_seq), size, cursor, read, signature })}\n`)
}

async function journalSegments(
  options: SegmentReadsOptions,
  tx: Tx<'participant'>,
  { by, asked, place }: { by: Reader; asked: Asked; place: ReadableFeed },
): Promise<Given[]> {
  const { provenance, cursorKey } = options
  const { feed, first_seq: from, count } = asked
  const found = await segmentStore.segmentsIn(tx, feed, { from, until: from + BigInt(count * SEGMENT_SIZE) })
  // Asked for after them: what came behind a leave is none of them.
  const until = await store.untilOf(tx, feed, by.participant)
  const own = found.filter((row) => row.first_seq >= place.from_seq && lastOf(row) <= (until ?? lastOf(row)))
  // As far as they follow each other.
  const rows = own.filter((row, i) => row.first_seq === from + BigInt(i * SEGMENT_SIZE))
  if (rows.length === 0) throw new Refusal('not-found')
  provenance.admit()
  const reads = await provenance.insertReads(
    tx,
    by.participant,
    rows.map((row) => preparedRead(provenance, row, { feed, route: by.route })),
  )
  return Promise.all(
    rows.map(async (row, i) => {
      const seq = lastOf(row)
      const delta = { feed, from: row.first_seq, to: seq, digest: toBase64Url(row.digest) }
      const signature = await signedDelta(options, delta)
      return { row, read: reads[i] ?? '', cursor: encodeCursor(cursorKey, { feed, seq }), signature }
    }),
  )
}

const lastOf = ({ first_seq, n }: Row): bigint => first_seq + BigInt(n) - 1n

function preparedRead(
  provenance: SegmentReadsOptions['provenance'],
  row: Row,
  { feed, route }: { feed: Uuid; route: string },
): PreparedRead {
  const sources = JSON.parse(row.sets) as [string, number, string][]
  return provenance.prepareSegmentRead({
    route,
    as_of: { feed, from: String(row.first_seq), to: String(lastOf(row)) },
    n: row.n,
    body: toBase64Url(row.digest),
    set_salt: row.set_salt,
    sources: sources.map(([party, n, root]) => ({ party, n, root })),
  })
}

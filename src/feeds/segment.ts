import { createHash, randomBytes } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { constants, createBrotliCompress } from 'node:zlib'
import { atFeed, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { collect, release } from '../kernel/collect.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { bySource } from './answer.ts'
import type { FeedDirectory } from './directory.ts'
import { SEGMENT_SIZE } from './schema.ts'
import { CLEAR_KINDS } from './seal.ts'
import * as segmentStore from './segment-store.ts'
import * as store from './store.ts'

export interface SealerOptions {
  db: Db
  provenance: ProvenanceService
  directory: FeedDirectory
}

/**
 * Seals full runs of a feed: the events' lines, each submission's line before its first event, compressed once, with the
 * read journal's per-source sets made once, so that a full sync is a read of stored bytes.
 */
export function createSealer({ db, provenance, directory }: SealerOptions): { round(): Promise<number> } {
  /** What is sealed is disclosed when it is opened; here it only counts. */
  const setsOf = async (feed_id: Uuid, { after, n, sealed }: Run, salt: Uint8Array) => {
    const names = sealed ? [] : await store.namesAfter(db, feed_id, { after, limit: n })
    return provenance
      .sourceSets(salt, bySource(names, directory.slugOf))
      .map(({ party, n: items, root }) => [party, items, root])
  }

  const seal = async ({ feed_id, sealed_seq: sealed, erasures }: Sealable): Promise<void> => {
    const first_seq = sealed + 1n
    const run = { after: sealed, n: SEGMENT_SIZE, sealed: directory.isSealed(feed_id) }
    const set_salt = randomBytes(32)
    const sets = await setsOf(feed_id, run, set_salt)
    const made = await segmentOf(db, feed_id, run)
    if (made === undefined) return
    const row = {
      feed_id,
      first_seq,
      generation: 0,
      n: SEGMENT_SIZE,
      set_salt,
      sets: JSON.stringify(sets),
      ...made,
    }
    await atFeed(db, feed_id, (tx) => segmentStore.insertSegment(tx, row, erasures))
  }

  let sealedSoFar = 0
  /** Whether the last round left something behind. */
  let left = false
  return {
    /** Seals at most one segment of each feed; answers how many. */
    async round() {
      const due = await segmentStore.sealable(db, SEGMENT_SIZE)
      if (due.length === 0 && left) release()
      left = due.length > 0
      for (const one of due) {
        await seal(one)
        sealedSoFar += 1
        if (sealedSoFar % COLLECT_EVERY === 0) collect()
      }
      return due.length
    },
  }
}

type Sealable = Awaited<ReturnType<typeof segmentStore.sealable>>[number]

/** Entries whose text is held at once, of a segment that is made: what is held for long is collected late. */
const PAGE = 256
/** Segments, after which what they were made of is collected: a full feed has hundreds, one after the other. */
const COLLECT_EVERY = 4
/** Of what is compressed, bytes. */
const CHUNK = 65_536

type Entry = Awaited<ReturnType<typeof store.entriesAfter>>[number]

interface Run {
  /** The sequence before the first entry. */
  after: bigint
  n: number
  /** Of a sealed feed, which cites submissions of ends alone. */
  sealed: boolean
}

/** The bytes of a segment over a run of a feed, and the digest of its text; undefined where the feed has less. */
export async function segmentOf(
  db: Db | Tx,
  feed_id: Uuid,
  run: Run,
): Promise<{ digest: Buffer; bytes: Buffer } | undefined> {
  const hash = createHash('sha256')
  const bytes: Buffer[] = []
  const told = new Set<Uuid>()
  let { after } = run
  let left = run.n
  async function* text(): AsyncGenerator<Buffer> {
    while (left > 0) {
      const page = await pageOf(db, feed_id, { after, n: Math.min(PAGE, left), sealed: run.sealed }, told)
      if (page === undefined) return
      after = page.last
      left -= page.n
      hash.update(page.lines)
      yield page.lines
    }
  }
  const params = { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 20 }
  await pipeline(text, createBrotliCompress({ params, chunkSize: CHUNK }), async (compressed) => {
    for await (const piece of compressed) bytes.push(piece as Buffer)
  })
  return left > 0 ? undefined : { digest: hash.digest(), bytes: Buffer.concat(bytes) }
}

/** The text of up to `n` entries, undefined behind the last; `told`: the submissions whose line stands before. */
async function pageOf(
  db: Db | Tx,
  feed_id: Uuid,
  { after, n, sealed }: Run,
  told: Set<Uuid>,
): Promise<{ n: number; last: bigint; lines: Buffer } | undefined> {
  const rows = await store.entriesAfter(db, feed_id, { after, until: null, limit: n })
  const last = rows.at(-1)
  if (last === undefined) return undefined
  const citing = sealed ? rows.filter(({ kind }) => CLEAR_KINDS.has(kind)) : rows
  const ids = [...new Set(citing.map(({ submission_id }) => submission_id))].filter((id) => !told.has(id))
  const found = ids.length === 0 ? [] : await store.submissionBodies(db, feed_id, ids)
  const proofs = new Map(found.map((row) => [row.submission_id, row.body]))
  return { n: rows.length, last: last.seq, lines: linesOf(rows, { proofs, told }) }
}

/** Each event's line, and before the first of a submission that is cited the line of that. */
function linesOf(
  rows: readonly Entry[],
  { proofs, told }: { proofs: ReadonlyMap<Uuid, string>; told: Set<Uuid> },
): Buffer {
  const lines: string[] = []
  for (const { submission_id, body } of rows) {
    const proof = proofs.get(submission_id)
    if (proof !== undefined && !told.has(submission_id)) {
      lines.push(`{"submission":${proof}}\n`)
      told.add(submission_id)
    }
    lines.push(body, '\n')
  }
  return Buffer.from(lines.join(''))
}

import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import { atFeed } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { bySource } from './answer.ts'
import type { FeedDirectory } from './directory.ts'
import { SEGMENT_SIZE } from './schema.ts'
import { CLEAR_KINDS } from './seal.ts'
import * as segmentStore from './segment-store.ts'
import * as store from './store.ts'

const compress = promisify(brotliCompress)

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
  const seal = async ({ feed_id, sealed_seq: sealed, erasures }: Sealable): Promise<void> => {
    const first_seq = sealed + 1n
    const rows = await store.entriesAfter(db, feed_id, { after: sealed, until: null, limit: SEGMENT_SIZE })
    if (rows.length < SEGMENT_SIZE) return
    const sealedFeed = directory.isSealed(feed_id)
    const made = await segmentOf({ rows, sealed: sealedFeed }, (ids) => store.submissionBodies(db, feed_id, ids))
    const set_salt = randomBytes(32)
    const sets = provenance
      // What is sealed is disclosed when it is opened; here it only counts.
      .sourceSets(set_salt, sealedFeed ? [] : bySource(rows, directory.slugOf))
      .map(({ party, n, root }) => [party, n, root])
    const row = {
      feed_id,
      first_seq,
      generation: 0,
      n: rows.length,
      set_salt,
      sets: JSON.stringify(sets),
      ...made,
    }
    await atFeed(db, feed_id, (tx) => segmentStore.insertSegment(tx, row, erasures))
  }

  return {
    /** Seals at most one segment of each feed; answers how many. */
    async round() {
      const due = await segmentStore.sealable(db, SEGMENT_SIZE)
      for (const one of due) await seal(one)
      return due.length
    },
  }
}

type Sealable = Awaited<ReturnType<typeof segmentStore.sealable>>[number]

interface Line {
  kind: number
  submission_id: Uuid
  body: string
}

/** The bytes of a segment over these entries, and the digest of its text; a sealed feed cites submissions of ends alone. */
export async function segmentOf(
  { rows, sealed }: { rows: readonly Line[]; sealed: boolean },
  proofsOf: (ids: readonly Uuid[]) => Promise<readonly { submission_id: Uuid; body: string }[]>,
): Promise<{ digest: Buffer; bytes: Buffer }> {
  const cited = sealed ? rows.filter(({ kind }) => CLEAR_KINDS.has(kind)) : rows
  const ids = [...new Set(cited.map(({ submission_id }) => submission_id))]
  const proofs = new Map((await proofsOf(ids)).map((row) => [row.submission_id, row.body]))
  const text = linesOf(rows, proofs)
  const bytes = await compress(text, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 20 },
  })
  return { digest: sha256(text), bytes }
}

function linesOf(rows: readonly { submission_id: Uuid; body: string }[], proofs: ReadonlyMap<Uuid, string>): Buffer {
  const told = new Set<Uuid>()
  const lines: string[] = []
  for (const { submission_id, body } of rows) {
    const proof = proofs.get(submission_id)
    if (proof !== undefined && !told.has(submission_id)) lines.push(`{"submission":${proof}}\n`)
    told.add(submission_id)
    lines.push(body, '\n')
  }
  return Buffer.from(lines.join(''))
}

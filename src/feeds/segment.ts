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
import * as store from './store.ts'

/** Entries of a sealed segment. */
export const SEGMENT_SIZE = 4_096

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
  const seal = async (feed_id: Uuid, sealed: bigint): Promise<void> => {
    const first_seq = sealed + 1n
    const rows = await store.entriesAfter(db, feed_id, { after: sealed, until: null, limit: SEGMENT_SIZE })
    if (rows.length < SEGMENT_SIZE) return
    const ids = [...new Set(rows.map(({ submission_id }) => submission_id))]
    const proofs = new Map((await store.submissionBodies(db, feed_id, ids)).map((row) => [row.submission_id, row.body]))
    const text = linesOf(rows, proofs)
    const bytes = await compress(text, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 20 },
    })
    const set_salt = randomBytes(32)
    const sets = provenance
      .sourceSets(set_salt, bySource(rows, directory.slugOf))
      .map(({ party, n, root }) => [party, n, root])
    const row = {
      feed_id,
      first_seq,
      generation: 0,
      n: rows.length,
      digest: sha256(text),
      set_salt,
      sets: JSON.stringify(sets),
      bytes,
    }
    await atFeed(db, feed_id, (tx) => store.insertSegment(tx, row))
  }

  return {
    /** Seals at most one segment of each feed; answers how many. */
    async round() {
      const due = await store.sealable(db, SEGMENT_SIZE)
      for (const { feed_id, sealed_seq } of due) await seal(feed_id, sealed_seq)
      return due.length
    },
  }
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

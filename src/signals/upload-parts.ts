import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import * as store from './upload-job-store.ts'
import { PART_BYTES } from './upload-limits.ts'

/** What was sent, or its results, row by row: each is read by itself, so that a slow reader holds nothing. */
export async function* partsOf(db: Db, of: store.Named, kind: number): AsyncGenerator<Buffer> {
  for (let part = 0; ; part++) {
    const content = await asParticipant(db, of.participant_id, (tx) => store.partOf(tx, of, { kind, part }))
    if (content === undefined) return
    yield content
  }
}

/** In pieces that fit a row. What is in them is looked at by whoever works them off. */
export async function* piecesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    // A chunk's memory is shared.
    held.push(Buffer.from(chunk))
    size += chunk.length
    if (size < PART_BYTES) continue
    yield Buffer.concat(held)
    held = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(held)
}

/** Bytes and lines of pieces; a last line that is not ended is one too. */
export function createSize() {
  let [bytes, lines, last] = [0, 0, 0x0a]
  return {
    bytes: () => bytes,
    lines: () => (last === 0x0a ? lines : lines + 1),
    add(piece: Buffer): void {
      bytes += piece.length
      for (let at = piece.indexOf(0x0a); at >= 0; at = piece.indexOf(0x0a, at + 1)) lines += 1
      last = piece.at(-1) ?? last
    },
  }
}

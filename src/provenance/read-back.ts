import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { equal } from '../kernel/bytes.ts'
import { sha256 } from '../kernel/sha256.ts'
import { type Anchored, LogHalted } from './anchor.ts'
import { type BatchEntry, decodeBatch } from './batch.ts'
import { chainDigest, chainsHash, decoyDigest, entryOf } from './chain.ts'
import { appendLeaf, type CompactRange, leafHash, rangeRoot } from './merkle.ts'
import * as store from './store.ts'

/** Batches read back at once: between two reads the transaction is idle, which the database allows for 15 seconds. */
const BATCHES_AT_ONCE = 8

/** Up to the anchor's size, where the root must be the anchor's: it was moved, and the checkpoint not yet written. */
export async function readAnchored(
  tx: Tx,
  logId: number,
  before: CompactRange,
  anchored: Anchored | undefined,
): Promise<CompactRange> {
  if (anchored === undefined) return before
  const range = await readBack(tx, logId, { range: before, to: anchored.size })
  if (!equal(rangeRoot(sha256, range), anchored.root))
    throw new LogHalted('anchor-differs', `another root of size ${anchored.size} was signed`)
  return range
}

/**
 * Appends committed entries up to `to` to the range; they are recomputed, not believed: one by one and by OpenSSL, where the
 * integrator hashes rows in WebAssembly. A fault of either is found before anything is signed.
 */
export async function readBack(
  tx: Db | Tx,
  logId: number,
  at: { range: CompactRange; to: bigint },
): Promise<CompactRange> {
  let { range } = at
  while (range.size < at.to) {
    // The end of another history may lie within a batch.
    const from = (await store.batchAt(tx, logId, range.size))?.first_idx ?? range.size
    const rows = await store.batches(tx, logId, { from, to: at.to, limit: BATCHES_AT_ONCE })
    for (const row of rows) range = appendBatch(range, row, at.to)
    if (rows.length === 0) throw new LogHalted('root-differs', `the log ends at ${range.size}, the fence is ${at.to}`)
  }
  return range
}

function appendBatch(before: CompactRange, row: BatchRow, to: bigint): CompactRange {
  const skip = Number(before.size - row.first_idx)
  if (skip < 0 || skip >= row.n) throw new LogHalted('root-differs', `the log has no batch at ${before.size}`)
  return entriesOf(row)
    .slice(skip, Number(to - row.first_idx))
    .reduce((range, entry) => appendLeaf(sha256, range, leafHash(sha256, entry)), before)
}

interface BatchRow {
  first_idx: bigint
  n: number
  data: Uint8Array
}

/** The entries of a committed batch, made anew of their commitments and chains. */
function entriesOf({ first_idx, n, data }: BatchRow): Uint8Array[] {
  let stored: BatchEntry[]
  try {
    stored = decodeBatch(data, n)
  } catch (cause) {
    throw new LogHalted('root-differs', `the batch at ${first_idx} is malformed`, { cause })
  }
  return stored.map(({ c, chains, decoys, entry }, i) => {
    const digests = [
      ...chains.map((link) => chainDigest(sha256, link)),
      ...decoys.map((one) => decoyDigest(sha256, one)),
    ]
    const made = entryOf(sha256, c, chainsHash(sha256, digests))
    if (!equal(made, entry))
      throw new LogHalted('root-differs', `entry ${first_idx + BigInt(i)} is not made of its parts`)
    return made
  })
}

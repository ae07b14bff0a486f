import { atLog } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { equal, utf8 } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import { type BatchEntry, decodeBatch } from './batch.ts'
import { chainDigest, chainsHash, decoyDigest, entryOf } from './chain.ts'
import { checkpointText } from './checkpoint.ts'
import { appendLeaf, type CompactRange, decodeRange, encodeRange, leafHash, rangeRoot } from './merkle.ts'
import { formatNote, signatureLine } from './note.ts'
import * as store from './store.ts'

/** Batches read back at once. */
const BATCHES_AT_ONCE = 64

export interface SignerOptions {
  db: Db
  clock: Clock
  keys: KeyService
  logId: number
  origin: string
  /** The log key's id. */
  kid: string
  /** Milliseconds after which an unchanged log is signed again, so that its time is fresh. */
  refreshMs: number
}

export interface Signer {
  /** Reads back what is behind the fence, recomputes the root by another algorithm, and signs if both agree. */
  round(): Promise<boolean>
}

/** The tree in the database is not the one its rows make. Nothing is signed until a person has looked. */
export class RootMismatch extends Error {
  override readonly name = 'RootMismatch'
}

export function createSigner({ db, clock, keys, logId, origin, kid, refreshMs }: SignerOptions): Signer {
  const note = async (size: bigint, root: Uint8Array): Promise<string> => {
    const text = checkpointText({ origin, size, root })
    const signature = await keys.sign(kid, utf8(text))
    return formatNote(text, [signatureLine(sha256, { name: origin, publicKey: keys.publicKey(kid), signature })])
  }

  return {
    round: () =>
      atLog(db, logId, async (tx) => {
        const before = await store.lockSigned(tx, logId)
        const fence = await store.fence(tx, logId)
        if (before === undefined || fence === undefined) return false
        const at = clock()
        const grown = fence.size > before.size
        const stale = at.getTime() - before.at.getTime() >= refreshMs
        if (fence.size === 0n || !(grown || stale)) return false
        const range = await readBack(tx, logId, { range: decodeRange(before.range), from: before.size, to: fence.size })
        const root = rangeRoot(sha256, range)
        if (!equal(root, fence.root))
          throw new RootMismatch(`recomputed root of size ${fence.size} differs from the indexed one`)
        const signed = {
          log_id: logId,
          size: fence.size,
          root,
          range: encodeRange(range),
          at,
          note: await note(fence.size, root),
        }
        await store.insertCheckpoint(tx, signed)
        return true
      }),
  }
}

/** Appends the committed batches [from, to) to the range; entries are recomputed, not believed. */
async function readBack(
  tx: Parameters<typeof store.batches>[0],
  logId: number,
  at: { range: CompactRange; from: bigint; to: bigint },
): Promise<CompactRange> {
  let { range, from } = at
  while (from < at.to) {
    const rows = await store.batches(tx, logId, { from, to: at.to, limit: BATCHES_AT_ONCE })
    for (const row of rows) {
      if (row.first_idx !== from) throw new RootMismatch(`the log has no batch at ${from}`)
      for (const entry of entriesOf(row)) range = appendLeaf(sha256, range, leafHash(sha256, entry))
      from += BigInt(row.n)
    }
    if (rows.length === 0) throw new RootMismatch(`the log ends at ${from}, the fence is ${at.to}`)
  }
  return range
}

/** The entries of a committed batch, made anew of their commitments and chains. */
function entriesOf({ first_idx, n, data }: { first_idx: bigint; n: number; data: Uint8Array }): Uint8Array[] {
  let stored: BatchEntry[]
  try {
    stored = decodeBatch(data, n)
  } catch (cause) {
    throw new RootMismatch(`the batch at ${first_idx} is malformed`, { cause })
  }
  return stored.map(({ c, chains, decoys, entry }, i) => {
    const digests = [
      ...chains.map((link) => chainDigest(sha256, link)),
      ...decoys.map((one) => decoyDigest(sha256, one)),
    ]
    const made = entryOf(sha256, c, chainsHash(sha256, digests))
    if (!equal(made, entry)) throw new RootMismatch(`entry ${first_idx + BigInt(i)} is not made of its parts`)
    return made
  })
}

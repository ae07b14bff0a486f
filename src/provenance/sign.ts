import { atLog, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { equal, utf8 } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import { type Anchor, type Anchored, compareAnchor, LogHalted } from './anchor.ts'
import { type BatchEntry, decodeBatch } from './batch.ts'
import { chainDigest, chainsHash, decoyDigest, entryOf } from './chain.ts'
import { checkpointText, parseCheckpoint } from './checkpoint.ts'
import { appendLeaf, type CompactRange, decodeRange, encodeRange, leafHash, rangeRoot } from './merkle.ts'
import { formatNote, parseNote, signatureLine } from './note.ts'
import * as store from './store.ts'

/** Batches read back at once: between two reads the transaction is idle, which the database allows for 15 seconds. */
const BATCHES_AT_ONCE = 8

export interface SignerOptions {
  db: Db
  clock: Clock
  keys: KeyService
  anchor: Anchor
  logId: number
  origin: string
  /** The log key's id. */
  kid: string
  /** Milliseconds after which an unchanged log is signed again, so that its time is fresh. */
  refreshMs: number
}

export interface Signer {
  /**
   * Reads back what is behind the fence, recomputes the root by another algorithm, moves the anchor, and signs. Answers
   * whether it signed; throws `LogHalted` where a person has to look first.
   */
  round(): Promise<boolean>
  /** Throws `LogHalted` if the database is not where the anchor is; signs nothing. */
  check(): Promise<void>
}

type Tree = Pick<Anchored, 'size' | 'root'>

/** Where signing, the committed log and the anchor stand. */
interface Standing {
  signed: { size: bigint; root: Buffer; range: Buffer; at: Date }
  fence: { size: bigint; root: Buffer }
  anchored: Anchored | undefined
  place: ReturnType<typeof compareAnchor>
}

export function createSigner(options: SignerOptions): Signer {
  const { db, clock, keys, anchor, logId, origin, kid, refreshMs } = options
  const note = async ({ size, root }: Tree): Promise<string> => {
    const text = checkpointText({ origin, size, root })
    const signature = await keys.sign(kid, utf8(text))
    return formatNote(text, [signatureLine(sha256, { name: origin, publicKey: keys.publicKey(kid), signature })])
  }

  /** Never two roots of one size: whoever does not find the anchor where it was signs nothing. */
  const moveAnchor = async (anchored: Anchored | undefined, to: Tree): Promise<void> => {
    if (anchored?.size === to.size) return
    if ((await anchor.swap(anchored, { origin, ...to })) === 'lost')
      throw new Error('another signer moved the anchor: its checkpoint comes first')
  }

  /** In this order nothing that another signer does meanwhile looks like a database that was set back. */
  const compared = async <S extends Tree>(tx: Tx, signed: S) => {
    const closed = (await store.head(tx, logId))?.closed_size ?? null
    if (closed !== null) throw new LogHalted('closed', `the log ended at ${closed}`)
    const anchored = await anchor.read()
    const fence = await store.fence(tx, logId)
    if (fence === undefined) throw new Error(`there is no log ${logId}`)
    const place = compareAnchor(anchored, { origin, signed, fence })
    if (place === 'older') await expectSigned(tx, logId, anchored)
    return { signed, fence, anchored, place }
  }

  const check = async (tx: Tx): Promise<void> => {
    const signed = await store.signed(tx, logId)
    if (signed === undefined) throw new Error(`there is no log ${logId}`)
    await compared(tx, signed)
  }

  /** By another algorithm than the integrator's, from what is committed. */
  const recomputed = async (tx: Tx, { signed, fence, anchored, place }: Standing): Promise<CompactRange> => {
    const before = decodeRange(signed.range)
    const between = place === 'ahead' ? await readAnchored(tx, logId, before, anchored) : before
    const range = await readBack(tx, logId, { range: between, to: fence.size })
    if (equal(rangeRoot(sha256, range), fence.root)) return range
    throw new LogHalted('root-differs', `the root of size ${fence.size} was indexed as another`)
  }

  const isDue = ({ signed, fence }: Standing, at: Date): boolean => {
    const stale = at.getTime() - signed.at.getTime() >= refreshMs
    return fence.size > signed.size || (stale && fence.size > 0n)
  }

  return {
    check: () => atLog(db, logId, check),
    round: () =>
      atLog(db, logId, async (tx) => {
        const signed = await store.lockSigned(tx, logId)
        if (signed === undefined) {
          // Another signs just now, which does not tell that all is well.
          await check(tx)
          return false
        }
        const now = await compared(tx, signed)
        const at = clock()
        if (!isDue(now, at)) return false
        const range = await recomputed(tx, now)
        const tree = { size: range.size, root: rangeRoot(sha256, range) }
        await moveAnchor(now.anchored, tree)
        const row = { log_id: logId, ...tree, range: encodeRange(range), at, note: await note(tree) }
        await store.insertCheckpoint(tx, row)
        return true
      }),
  }
}

/** An anchor that was set back names a tree that we signed; else it is of another history. */
async function expectSigned(tx: Tx, logId: number, anchored: Anchored | undefined): Promise<void> {
  if (anchored === undefined || anchored.size === 0n) return
  const row = await store.checkpointOf(tx, logId, anchored.size)
  const known = parseCheckpoint(parseNote(row?.note ?? '')?.text ?? '')
  if (known === undefined || !equal(known.root, anchored.root))
    throw new LogHalted('anchor-differs', `the anchor of size ${anchored.size} is none that this log signed`)
}

/** Up to the anchor's size, where the root must be the anchor's: it was moved, and the checkpoint not yet written. */
async function readAnchored(
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

/** Appends committed entries up to `to` to the range; they are recomputed, not believed. */
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

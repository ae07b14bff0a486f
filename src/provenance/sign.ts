import { atLog, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { equal, utf8 } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import { type Anchor, type Anchored, compareAnchor, expectNewest, type LaterLog, LogHalted } from './anchor.ts'
import { checkpointText, parseCheckpoint } from './checkpoint.ts'
import { type Halts, haltKeeper } from './halts.ts'
import { type CompactRange, decodeRange, encodeRange, rangeRoot } from './merkle.ts'
import { formatNote, parseNote, signatureLine } from './note.ts'
import { readAnchored, readBack } from './read-back.ts'
import * as signStore from './sign-store.ts'
import * as store from './store.ts'

export interface SignerOptions {
  db: Db
  clock: Clock
  keys: KeyService
  anchor: Anchor
  /** The logs after this one that have an anchor: there are none unless the database was set back, or a rotation is under way. */
  later(): Promise<readonly LaterLog[]>
  halts: Halts
  /** Asks the witnesses what they hold, and throws `LogHalted` where this log is not that one; before the first signature. */
  askHeld(): Promise<void>
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
  /** Throws `LogHalted` if the database is not where anchor and witnesses are, or was found so before; signs nothing. */
  check(): Promise<void>
  /** As `check`, though the log was halted before: for who has put right what was found. */
  recheck(): Promise<void>
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
  const { db, clock, keys, anchor, halts, logId, origin, kid, refreshMs } = options
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

  const { compared, compare } = comparisonOf(options)
  const comparedWithAll = async (): Promise<void> => {
    await atLog(db, logId, compare)
    await options.askHeld()
  }
  const { remembered, unlessKept } = haltKeeper(halts, clock)
  let asked = false
  const unlessHalted = <T>(work: () => Promise<T>): Promise<T> =>
    unlessKept(async () => {
      if (!asked) await comparedWithAll()
      asked = true
      return work()
    })

  /**
   * Locked and compared; undefined where another signs just now, which does not tell that all is well. The first commit of
   * a round is waited for: all that it saw is on the standby before any of it is signed.
   */
  const due = (): Promise<Pick<Standing, 'fence'> | undefined> =>
    atLog(db, logId, async (tx) => {
      const signed = await signStore.lockSigned(tx, logId)
      if (signed === undefined) {
        await compare(tx)
        return undefined
      }
      const { fence } = await compared(tx, signed)
      if (!isDue({ signed, fence }, clock(), refreshMs)) return undefined
      await signStore.touchSigned(tx, logId)
      return { fence }
    })

  const signUpTo = ({ fence }: Pick<Standing, 'fence'>): Promise<boolean> =>
    atLog(db, logId, async (tx) => {
      const signed = await signStore.lockSigned(tx, logId)
      const at = clock()
      if (signed === undefined || !isDue({ signed, fence }, at, refreshMs)) return false
      const now = { ...(await compared(tx, signed)), fence }
      // Another signer was here meanwhile, or ended in the middle of it: its tree comes first.
      if (signed.size > fence.size || (now.anchored?.size ?? 0n) > fence.size) return false
      const range = await recomputed(tx, logId, now)
      const tree = { size: range.size, root: rangeRoot(sha256, range) }
      await moveAnchor(now.anchored, tree)
      const row = { log_id: logId, ...tree, range: encodeRange(range), at, note: await note(tree) }
      await signStore.insertCheckpoint(tx, row)
      return true
    })

  return {
    check: () => unlessHalted(() => atLog(db, logId, compare)),
    recheck: () => remembered(comparedWithAll),
    round: () =>
      unlessHalted(async () => {
        const found = await due()
        return found !== undefined && signUpTo(found)
      }),
  }
}

function comparisonOf({ anchor, later, logId, origin }: Pick<SignerOptions, 'anchor' | 'later' | 'logId' | 'origin'>) {
  /** In this order nothing that another signer does meanwhile looks like a database that was set back. */
  const compared = async <S extends Tree>(tx: Tx, signed: S) => {
    // A rotation closes this log before the next one has an anchor.
    const opened = await later()
    const closed = (await store.head(tx, logId))?.closed_size ?? null
    if (closed !== null) throw new LogHalted('closed', `the log ended at ${closed}`)
    const anchored = await anchor.read()
    const fence = await signStore.fence(tx, logId)
    if (fence === undefined) throw new Error(`there is no log ${logId}`)
    const place = compareAnchor(anchored, { origin, signed, fence })
    if (place === 'older') await expectSigned(tx, logId, anchored)
    expectNewest(opened)
    return { signed, fence, anchored, place }
  }
  const compare = async (tx: Tx): Promise<void> => {
    const signed = await signStore.signed(tx, logId)
    if (signed === undefined) throw new Error(`there is no log ${logId}`)
    await compared(tx, signed)
  }
  return { compared, compare }
}

function isDue({ signed, fence }: Pick<Standing, 'signed' | 'fence'>, at: Date, refreshMs: number): boolean {
  const stale = at.getTime() - signed.at.getTime() >= refreshMs
  return fence.size > signed.size || (stale && fence.size > 0n)
}

/** By another algorithm than the integrator's, from what is committed. */
async function recomputed(tx: Tx, logId: number, { signed, fence, anchored, place }: Standing): Promise<CompactRange> {
  const before = decodeRange(signed.range)
  const between = place === 'ahead' ? await readAnchored(tx, logId, before, anchored) : before
  const range = await readBack(tx, logId, { range: between, to: fence.size })
  if (equal(rangeRoot(sha256, range), fence.root)) return range
  throw new LogHalted('root-differs', `the root of size ${fence.size} was indexed as another`)
}

/** An anchor that was set back names a tree that we signed; else it is of another history. */
async function expectSigned(tx: Tx, logId: number, anchored: Anchored | undefined): Promise<void> {
  if (anchored === undefined || anchored.size === 0n) return
  const row = await signStore.checkpointOf(tx, logId, anchored.size)
  const known = parseCheckpoint(parseNote(row?.note ?? '')?.text ?? '')
  if (known === undefined || !equal(known.root, anchored.root))
    throw new LogHalted('anchor-differs', `the anchor of size ${anchored.size} is none that this log signed`)
}

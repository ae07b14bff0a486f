import { equal } from '../kernel/bytes.ts'
import type { Checkpoint } from './checkpoint.ts'

/** What an anchor holds: the newest tree that the node set out to sign, and how often it was moved. */
export interface Anchored extends Checkpoint {
  generation: bigint
}

/**
 * One small memory outside the database, in another failure domain: a database that was set back is older than it.
 * A driver keeps it in a file, an object store (conditional put) or a KMS; each method throws where it cannot be reached,
 * and then nothing is signed.
 */
export interface Anchor {
  /** Undefined before the first. */
  read(): Promise<Anchored | undefined>
  /** From exactly what was read to the next tree, durable before it resolves; `lost` where another was quicker. */
  swap(from: Anchored | undefined, to: Checkpoint): Promise<'moved' | 'lost'>
}

/** What the anchor of a log after the present one holds: who has it was set back to before a rotation. */
export interface LaterLog extends Checkpoint {
  logId: number
}

/** Why nothing is signed until a person has acted. */
export const HALTS = {
  'anchor-missing': 'the anchor is gone: find it, or name the newest checkpoint as the anchor with aldis log adopt',
  'anchor-foreign': 'the anchor is that of another log: ANCHOR_DIR names the wrong folder',
  'anchor-ahead':
    'the database is older than what was signed: restore a newer one, or open the next log with aldis log rotate',
  'anchor-differs': 'the database holds another tree than what was signed: open the next log with aldis log rotate',
  closed: 'the next log was opened meanwhile: start the node again',
  'root-differs':
    'the tree in the database is not the one that its rows make: restore it, or open the next log with aldis log rotate',
  'witness-ahead':
    'a witness holds more of the log than the database: restore a newer one, or open the next log with aldis log rotate',
  contradicted:
    'a witness holds a checkpoint under our key that contradicts the log: open the next log with aldis log rotate',
} as const

export type HaltReason = keyof typeof HALTS

/** What no comparison finds again once the process has ended: it is written down, and outlives it. */
export const LASTING: ReadonlySet<HaltReason> = new Set([
  'anchor-differs',
  'root-differs',
  'witness-ahead',
  'contradicted',
])

/** Signing, changes and disclosing reads end here; the tree is served on. */
export class LogHalted extends Error {
  override readonly name = 'LogHalted'
  readonly reason: HaltReason
  readonly found: string

  constructor(reason: HaltReason, found: string, options?: ErrorOptions) {
    super(`${found}; ${HALTS[reason]}`, options)
    this.reason = reason
    this.found = found
  }
}

/** Where the database stands: signed up to `signed`, committed up to `fence`. */
export interface Standing {
  origin: string
  signed: { size: bigint; root: Uint8Array }
  fence: { size: bigint }
}

/**
 * Throws `LogHalted` unless the database is at least where the anchor is. What it can't tell without the tree is answered:
 * `older`, the anchor names a tree signed before the newest; `ahead`, one beyond what is signed, which a crash between
 * the two leaves, and whose root has to be recomputed.
 */
export function compareAnchor(
  anchored: Anchored | undefined,
  { origin, signed, fence }: Standing,
): 'equal' | 'older' | 'ahead' {
  if (anchored === undefined) throw new LogHalted('anchor-missing', `the log is signed up to ${signed.size}`)
  if (anchored.origin !== origin) throw new LogHalted('anchor-foreign', `the log is named ${origin}`)
  const { size, root } = anchored
  if (size > fence.size)
    throw new LogHalted('anchor-ahead', `signed up to ${size}, and the database holds ${fence.size}`)
  if (size > signed.size) return 'ahead'
  if (size < signed.size) return 'older'
  if (!equal(root, signed.root)) throw new LogHalted('anchor-differs', `another root of size ${size} was signed`)
  return 'equal'
}

/** Throws `LogHalted` where a log was opened after the one that the database holds as its newest: that one had ended. */
export function expectNewest(later: readonly LaterLog[]): void {
  const newest = later.at(-1)
  if (newest === undefined) return
  const { origin, size } = newest
  throw new LogHalted('anchor-ahead', `the log ${origin} was opened, signed up to ${size}, and is not in the database`)
}

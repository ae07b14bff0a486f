import { type Hash, utf8 } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import { leafHash, treeHash } from './merkle.ts'

/** What one accepted item made of its signal. */
export interface SignalChange {
  /** The item's place in its submission. */
  index: number
  signal: Uuid
  revision: number
  state: string
  audience: Uuid
  type: string
  category: string
  expires_at: string
  /** Leaf hash of the item in its submission, base64url. */
  leaf: string
}

/** The root that a submission's event holds over its accepted items, in their order: which signals it changed, and to what. */
export const changesRoot = (hash: Hash, changes: readonly SignalChange[]): Uint8Array =>
  treeHash(
    hash,
    changes.map((change) => leafHash(hash, utf8(textOf(change)))),
  )

/** A JSON array in this order: the ids of signals are random, so it needs no salt. */
const textOf = ({ index, signal, revision, state, audience, type, category, expires_at, leaf }: SignalChange): string =>
  JSON.stringify([index, signal, revision, state, audience, type, category, expires_at, leaf])

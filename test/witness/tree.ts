import { utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { sha256Rows } from '../../src/kernel/sha256-rows.ts'
import { formatAddCheckpoint } from '../../src/provenance/add-checkpoint.ts'
import { leafHash, treeHash } from '../../src/provenance/merkle.ts'
import { consistencyProof } from '../../src/provenance/proof.ts'
import { emptyEdges, growTiles } from '../../src/provenance/tile.ts'
import { aKey } from '../provenance/signing.ts'

export const ORIGIN = 'node.example.org/provenance/1'
export const log = aKey(ORIGIN, new Uint8Array(32).fill(7))

/** A log of fewer than 256 entries, whose history differs from another's by its word. */
export function aTree(word = 'plum') {
  const entry = (i: number): Uint8Array => utf8(`${word} ${i}`)
  const root = (size: number): Uint8Array =>
    treeHash(
      sha256,
      Array.from({ length: size }, (_, i) => leafHash(sha256, entry(i))),
    )
  const proof = (from: number, to: number): Promise<Uint8Array[]> => {
    const entries = Array.from({ length: to }, (_, i) => entry(i))
    const { edges } = growTiles(sha256Rows, { size: 0n, edges: emptyEdges }, entries)
    return consistencyProof(sha256, async (level) => edges.levels[level] ?? new Uint8Array(), BigInt(from), BigInt(to))
  }
  const note = (size: number, key = log, origin = ORIGIN): string =>
    key.note({ origin, size: BigInt(size), root: root(size) })
  return {
    ...{ root, proof, note },
    /** The body of an `add-checkpoint`. */
    body: async (old: number, size: number): Promise<string> =>
      formatAddCheckpoint({ old: BigInt(old), path: await proof(old, size), checkpoint: note(size) }),
  }
}

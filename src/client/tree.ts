import { equal } from '../kernel/bytes.ts'
import { sha256 } from '../kernel/sha256.ts'
import { treeHash } from '../provenance/merkle.ts'
import { hashesOf, rootOfEdges, TILE_WIDTH, tilePath, tileWidth } from '../provenance/tile.ts'
import { VerificationFailed } from './errors.ts'
import type { KeptHead } from './verify.ts'

/** The tree under one signed head, read tile by tile; a hash that it answers is proven to be under that head. */
export interface VerifiedTree {
  /** The leaf hash at an index below the head's size. Throws `VerificationFailed` where a tile is not of this tree. */
  leaf(index: bigint): Promise<Uint8Array>
}

const HASH = 32
/** Tiles that are kept, 8 kB each: indices rise, so those of before are not asked for again. */
const TILES_KEPT = 512

/** Reads tiles below `/provenance/<log>/` by `fetchTile`; each is held against its parent, up to the signed root. */
export function createTree(head: KeptHead, fetchTile: (path: string) => Promise<Uint8Array>): VerifiedTree {
  const kept = new Map<string, Uint8Array>()
  let edges: Promise<Uint8Array[]> | undefined

  const fetched = async (level: number, n: bigint, width: number): Promise<Uint8Array> => {
    const tile = await fetchTile(tilePath(level, n, width))
    if (tile.length === width * HASH) return tile
    throw new VerificationFailed('tree', `the tile ${tilePath(level, n, width)} is not ${width} hashes`)
  }
  /** The partial tile of each level: all of them together make the root. */
  const right = async (): Promise<Uint8Array[]> => {
    const levels: Uint8Array[] = []
    for (let nodes = head.size; nodes > 0n; nodes /= BigInt(TILE_WIDTH)) {
      const width = Number(nodes % BigInt(TILE_WIDTH))
      const level = levels.length
      levels.push(width === 0 ? new Uint8Array(0) : await fetched(level, nodes / BigInt(TILE_WIDTH), width))
    }
    if (!equal(rootOfEdges(sha256, { edges: { bundle: new Uint8Array(0), levels } }), head.root))
      throw new VerificationFailed('tree', 'the tiles lead to another root than the one that is signed')
    return levels
  }
  const tile = async (level: number, n: bigint): Promise<Uint8Array> => {
    if (tileWidth(head.size, level, n) < TILE_WIDTH) {
      edges ??= right()
      return (await edges)[level] ?? new Uint8Array(0)
    }
    const name = `${level}/${n}`
    const known = kept.get(name)
    if (known !== undefined) return known
    const above = await tile(level + 1, n / BigInt(TILE_WIDTH))
    const own = await fetched(level, n, TILE_WIDTH)
    if (!equal(treeHash(sha256, hashesOf(own)), hashAt(above, n)))
      throw new VerificationFailed('tree', `the tile ${tilePath(level, n)} is not under the signed root`)
    const [oldest] = kept.keys()
    if (oldest !== undefined && kept.size >= TILES_KEPT) kept.delete(oldest)
    kept.set(name, own)
    return own
  }

  return {
    async leaf(index) {
      if (index < 0n || index >= head.size) throw new RangeError('beyond the head')
      return hashAt(await tile(0, index / BigInt(TILE_WIDTH)), index)
    },
  }
}

function hashAt(tile: Uint8Array, n: bigint): Uint8Array {
  const at = HASH * Number(n % BigInt(TILE_WIDTH))
  return tile.subarray(at, at + HASH)
}

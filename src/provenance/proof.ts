import type { Hash } from '../kernel/bytes.ts'
import { emptyRoot, treeHash } from './merkle.ts'
import { hashesOf, tileWidth } from './tile.ts'

/** Reads a tile with at least `width` hashes; a wider one serves too, since a partial tile is a prefix of the full. */
export type ReadTile = (level: number, n: bigint, width: number) => Promise<Uint8Array>

/** The audit path of an entry in the tree of `size`, from tiles alone. */
export async function inclusionProof(hash: Hash, read: ReadTile, index: bigint, size: bigint): Promise<Uint8Array[]> {
  if (index < 0n || index >= size) throw new RangeError('no such entry')
  const tree = subtrees(hash, read, size)
  const path: Uint8Array[] = []
  // RFC 6962 section 2.1.1, from the root down; the path is told from the leaf up.
  for (let start = 0n, end = size; end - start > 1n; ) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      path.unshift(await tree(middle, end))
      end = middle
    } else {
      path.unshift(await tree(start, middle))
      start = middle
    }
  }
  return path
}

/** The consistency path between two sizes, from tiles alone (RFC 6962 section 2.1.2). */
export async function consistencyProof(hash: Hash, read: ReadTile, from: bigint, to: bigint): Promise<Uint8Array[]> {
  if (from < 0n || from > to) throw new RangeError('no such sizes')
  if (from === 0n || from === to) return []
  const tree = subtrees(hash, read, to)
  const path: Uint8Array[] = []
  let start = 0n
  let end = to
  let whole = true
  for (let m = from; m !== end - start; ) {
    const k = splitOf(end - start)
    if (m <= k) {
      path.unshift(await tree(start + k, end))
      end = start + k
    } else {
      path.unshift(await tree(start, start + k))
      start += k
      m -= k
      whole = false
    }
  }
  return whole ? path : [await tree(start, end), ...path]
}

/** The root that the tree had at the size `part`, from the tiles of `size`. */
export async function prefixRoot(hash: Hash, read: ReadTile, part: bigint, size: bigint): Promise<Uint8Array> {
  if (part < 0n || part > size) throw new RangeError('no such size')
  return part === 0n ? emptyRoot(hash) : subtrees(hash, read, size)(0n, part)
}

/** MTH of the leaves [start, end), where start is a multiple of the largest power of two below the width. */
function subtrees(hash: Hash, read: ReadTile, size: bigint): (start: bigint, end: bigint) => Promise<Uint8Array> {
  const cache = new Map<string, Promise<Uint8Array>>()
  const tile = (level: number, n: bigint): Promise<Uint8Array> => {
    const key = `${level}/${n}`
    const known = cache.get(key) ?? read(level, n, tileWidth(size, level, n))
    cache.set(key, known)
    return known
  }
  const complete = async (start: bigint, width: bigint): Promise<Uint8Array> => {
    let level = 0
    while (width >> BigInt(8 * (level + 1)) > 0n) level += 1
    const unit = 1n << BigInt(8 * level)
    const first = start / unit
    const at = Number(first % 256n)
    const hashes = hashesOf(await tile(level, first / 256n)).slice(at, at + Number(width / unit))
    return treeHash(hash, hashes)
  }
  return async (start, end) => {
    const parts: Uint8Array[] = []
    for (let at = start; at < end; ) {
      const width = largestPower(end - at)
      parts.push(await complete(at, width))
      at += width
    }
    return foldRight(hash, parts)
  }
}

/** Complete subtrees of falling width fold from the right. */
function foldRight(hash: Hash, parts: readonly Uint8Array[]): Uint8Array {
  const last = parts.at(-1)
  if (last === undefined) throw new RangeError('an empty subtree')
  return parts.slice(0, -1).reduceRight((right, left) => treeHash(hash, [left, right]), last)
}

const largestPower = (n: bigint): bigint => 1n << BigInt(n.toString(2).length - 1)
/** The largest power of two smaller than n. */
const splitOf = (n: bigint): bigint => largestPower(n - 1n)

import { concat, equal, type Hash, type HashRows, u64 } from '../kernel/bytes.ts'
import { hashAll } from '../kernel/hash-rows.ts'

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)
const EMPTY = new Uint8Array(0)
const DIGEST = 32
/** What is hashed next: a hash keeps nothing of it. */
const room = new Uint8Array(256)
const pair = room.subarray(0, 65)

/** SHA-256(0x00 || entry), RFC 6962 section 2.1. */
export const leafHash = (hash: Hash, entry: Uint8Array): Uint8Array => hash(leafOf(entry))

function leafOf(entry: Uint8Array): Uint8Array {
  if (entry.length >= room.length) return concat(LEAF, entry)
  room[0] = 0
  room.set(entry, 1)
  return room.subarray(0, 1 + entry.length)
}

/** `leafHash` of each entry, one after the other. */
export const leafHashes = (rows: HashRows, entries: readonly Uint8Array[]): Uint8Array => hashAll(rows, entries, leafOf)

/** The same of entries of `width` bytes that stand one after the other. */
export const leafHashesOf = (rows: HashRows, entries: Uint8Array, width: number): Uint8Array =>
  rows(LEAF, entries, width)

/** `nodeHash` of each two neighbours of a level that has an even number of them. */
export const nodesAbove = (rows: HashRows, level: Uint8Array): Uint8Array => rows(NODE, level, 64)

/** SHA-256(0x01 || left || right), RFC 6962 section 2.1; both are 32 bytes. */
export function nodeHash(hash: Hash, left: Uint8Array, right: Uint8Array): Uint8Array {
  room[0] = 1
  room.set(left, 1)
  room.set(right, 33)
  return hash(pair)
}

/** The root of the tree without leaves: SHA-256(""). */
export const emptyRoot = (hash: Hash): Uint8Array => hash(EMPTY)

/** MTH over leaf hashes, RFC 6962 section 2.1: pairing level by level, an odd last node rising unchanged. */
export function treeHash(hash: Hash, leafHashes: readonly Uint8Array[]): Uint8Array {
  let level = leafHashes
  while (level.length > 1) level = parents(hash, level)
  return level[0] ?? emptyRoot(hash)
}

/** The same over leaf hashes that stand one after the other. */
export function treeHashOf(hash: Hash, rows: HashRows, leafHashes: Uint8Array): Uint8Array {
  let level = leafHashes
  while (level.length > DIGEST) {
    const even = level.length - (level.length % (2 * DIGEST))
    const above = nodesAbove(rows, level.subarray(0, even))
    level = even === level.length ? above : concat(above, level.subarray(even))
  }
  return level.length === 0 ? emptyRoot(hash) : level
}

/** The audit path of leaf `index`, leaf side first (RFC 6962 section 2.1.1); throws a RangeError outside the tree. */
export function auditPath(hash: Hash, leafHashes: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!Number.isInteger(index) || index < 0 || index >= leafHashes.length) throw new RangeError('no such leaf')
  const path: Uint8Array[] = []
  let at = index
  for (let level = leafHashes; level.length > 1; level = parents(hash, level)) {
    const sibling = level[at % 2 === 0 ? at + 1 : at - 1]
    if (sibling !== undefined) path.push(sibling)
    at = Math.floor(at / 2)
  }
  return path
}

/** The root that a leaf hash and its audit path make; undefined if the path does not fit (RFC 9162 section 2.1.3.2). */
export function rootFromPath(
  hash: Hash,
  proof: { leaf: Uint8Array; index: bigint; size: bigint; path: readonly Uint8Array[] },
): Uint8Array | undefined {
  const { leaf, index, size, path } = proof
  if (index < 0n || index >= size) return undefined
  let at: Place = { fn: index, sn: size - 1n }
  let r = leaf
  for (const p of path) {
    if (p.length !== 32 || at.sn === 0n) return undefined
    r = isRight(at) ? nodeHash(hash, p, r) : nodeHash(hash, r, p)
    at = above(at)
  }
  return at.sn === 0n ? r : undefined
}

export interface ConsistencyClaim {
  size1: bigint
  size2: bigint
  root1: Uint8Array
  root2: Uint8Array
  path: readonly Uint8Array[]
}

/** Whether the first tree is a prefix of the second (RFC 9162 section 2.1.4.2); from size 0 and between equals, without path. */
export function verifyConsistency(hash: Hash, claim: ConsistencyClaim): boolean {
  const { size1, size2, root1, root2, path } = claim
  if (size1 < 0n || size1 > size2 || path.some((node) => node.length !== 32)) return false
  if (size1 === size2) return path.length === 0 && equal(root1, root2)
  if (size1 === 0n) return path.length === 0 && equal(root1, emptyRoot(hash))
  const made = rootsFromPath(hash, claim)
  return made !== undefined && equal(made.fr, root1) && equal(made.sr, root2)
}

/** The roots of both trees that a path makes, where 0 < size1 < size2; undefined if it does not fit. */
function rootsFromPath(
  hash: Hash,
  { size1, size2, root1, path }: ConsistencyClaim,
): { fr: Uint8Array; sr: Uint8Array } | undefined {
  const [first, ...rest] = isPowerOfTwo(size1) ? [root1, ...path] : path
  if (first === undefined || rest.length === 0) return undefined
  let at: Place = { fn: size1 - 1n, sn: size2 - 1n }
  while (isOdd(at.fn)) at = shifted(at)
  let fr = first
  let sr = first
  for (const c of rest) {
    if (at.sn === 0n) return undefined
    if (isRight(at)) {
      fr = nodeHash(hash, c, fr)
      sr = nodeHash(hash, c, sr)
    } else {
      sr = nodeHash(hash, sr, c)
    }
    at = above(at)
  }
  return at.sn === 0n ? { fr, sr } : undefined
}

/** A node's index and its level's last index, as both verifications of RFC 9162 count them. */
interface Place {
  fn: bigint
  sn: bigint
}

/** Step b: "if LSB(fn) is set, or if fn is equal to sn", the path's node stands left of this one. */
const isRight = ({ fn, sn }: Place): boolean => isOdd(fn) || fn === sn

/** Steps b.ii and c: one level up, and first past the levels on which the last node has no sibling. */
function above(place: Place): Place {
  let at = place
  if (isRight(at)) while (!isOdd(at.fn) && at.fn !== 0n) at = shifted(at)
  return shifted(at)
}

const shifted = ({ fn, sn }: Place): Place => ({ fn: fn >> 1n, sn: sn >> 1n })

const isOdd = (n: bigint): boolean => (n & 1n) === 1n

/** A tree as the roots of its complete subtrees, the largest first: all that is needed to append and to know the root. */
export interface CompactRange {
  readonly size: bigint
  readonly nodes: readonly Uint8Array[]
}

export const emptyRange: CompactRange = { size: 0n, nodes: [] }

/** The range with one more leaf hash. */
export function appendLeaf(hash: Hash, range: CompactRange, leaf: Uint8Array): CompactRange {
  const nodes = [...range.nodes]
  let node = leaf
  for (let rest = range.size; (rest & 1n) === 1n; rest >>= 1n) {
    const left = nodes.pop()
    if (left === undefined) throw new RangeError('a range lacks nodes')
    node = nodeHash(hash, left, node)
  }
  nodes.push(node)
  return { size: range.size + 1n, nodes }
}

export function rangeRoot(hash: Hash, { nodes }: CompactRange): Uint8Array {
  const last = nodes.at(-1)
  if (last === undefined) return emptyRoot(hash)
  return nodes.slice(0, -1).reduceRight((right, left) => nodeHash(hash, left, right), last)
}

/** `u64 size || nodes`. */
export const encodeRange = ({ size, nodes }: CompactRange): Uint8Array => concat(u64(size), ...nodes)

export function decodeRange(bytes: Uint8Array): CompactRange {
  if (bytes.length < 8 || (bytes.length - 8) % 32 !== 0) throw new RangeError('not a compact range')
  const size = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0)
  const nodes = Array.from({ length: (bytes.length - 8) / 32 }, (_, i) => bytes.slice(8 + 32 * i, 40 + 32 * i))
  return { size, nodes }
}

function parents(hash: Hash, level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = []
  for (let i = 0; i + 1 < level.length; i += 2) above.push(nodeHash(hash, at(level, i), at(level, i + 1)))
  if (level.length % 2 === 1) above.push(at(level, level.length - 1))
  return above
}

function at(level: readonly Uint8Array[], i: number): Uint8Array {
  const node = level[i]
  if (node === undefined) throw new RangeError('no such node')
  return node
}

const isPowerOfTwo = (n: bigint): boolean => n > 0n && (n & (n - 1n)) === 0n

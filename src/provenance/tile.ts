import { concat, type Hash, type HashRows, u64 } from '../kernel/bytes.ts'
import { emptyRoot, leafHashes, nodeHash, nodesAbove, treeHash } from './merkle.ts'

/** Hashes of a full tile, entries of a full bundle (C2SP tlog-tiles). */
export const TILE_WIDTH = 256
const HASH = 32
const TILE_BYTES = TILE_WIDTH * HASH

/** `tile/<L>/<N>[.p/<W>]`; level -1 is the entry bundles. */
export function tilePath(level: number, n: bigint, width = TILE_WIDTH): string {
  const groups: string[] = []
  for (let rest = n; groups.length === 0 || rest > 0n; rest /= 1000n)
    groups.unshift(String(rest % 1000n).padStart(3, '0'))
  const place = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/')
  return `tile/${level === -1 ? 'entries' : level}/${place}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

const PATH = /^tile\/(entries|[0-9]|[1-5][0-9]|6[0-3])\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

/** The tile a path names, in its one canonical form; undefined for anything else. */
export function parseTilePath(path: string): { level: number; n: bigint; width: number } | undefined {
  const [, level, place, partial] = PATH.exec(path) ?? []
  if (level === undefined || place === undefined || place.length > 40) return undefined
  const tile = {
    level: level === 'entries' ? -1 : Number(level),
    n: BigInt(place.replaceAll('x', '').replaceAll('/', '')),
    width: partial === undefined ? TILE_WIDTH : Number(partial),
  }
  return tile.width <= TILE_WIDTH && tilePath(tile.level, tile.n, tile.width) === path ? tile : undefined
}

/** Width of tile `n` of a level in a tree of `size`; 0 if it is not there. Bundles have the widths of level 0. */
export function tileWidth(size: bigint, level: number, n: bigint): number {
  const nodes = size >> BigInt(8 * Math.max(level, 0))
  const left = nodes - n * 256n
  return left <= 0n ? 0 : left >= 256n ? TILE_WIDTH : Number(left)
}

/** `u16 length || entry`, repeated. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const entry of entries) length += 2 + entry.length
  const out = new Uint8Array(length)
  let at = 0
  for (const entry of entries) {
    if (entry.length > 0xffff) throw new RangeError('an entry of more than 65,535 bytes')
    out[at] = entry.length >> 8
    out[at + 1] = entry.length & 0xff
    out.set(entry, at + 2)
    at += 2 + entry.length
  }
  return out
}

/** The entries of a bundle; undefined if it does not end with an entry. */
export function decodeBundle(bundle: Uint8Array): Uint8Array[] | undefined {
  const entries: Uint8Array[] = []
  for (let at = 0; at < bundle.length; ) {
    if (at + 2 > bundle.length) return undefined
    const end = at + 2 + (bundle[at] ?? 0) * 256 + (bundle[at + 1] ?? 0)
    if (end > bundle.length) return undefined
    entries.push(bundle.slice(at + 2, end))
    at = end
  }
  return entries
}

/** What is not yet a full tile: the bundle, then each level's hashes from 0 up. */
export interface Edges {
  bundle: Uint8Array
  levels: readonly Uint8Array[]
}

export const emptyEdges: Edges = { bundle: new Uint8Array(0), levels: [] }

export interface FullTile {
  level: number
  n: bigint
  data: Uint8Array
}

export interface Grown {
  size: bigint
  edges: Edges
  tiles: FullTile[]
}

/** The tree with more entries: tiles that became full, and the new edges. One leaf and one node hash an entry. */
export function growTiles(rows: HashRows, from: { size: bigint; edges: Edges }, entries: readonly Uint8Array[]): Grown {
  const tiles: FullTile[] = []
  const bundle = growBundle(from, entries, tiles)
  const levels: Uint8Array[] = []
  let nodes = leafHashes(rows, entries)
  let start = from.size
  for (let level = 0; nodes.length > 0 || level < from.edges.levels.length; level++) {
    const { full, edge } = filled(concat(from.edges.levels[level] ?? new Uint8Array(0), nodes))
    const first = (start - (start % 256n)) / 256n
    for (let at = 0; at < full.length; at += TILE_BYTES)
      tiles.push({ level, n: first + BigInt(at / TILE_BYTES), data: full.slice(at, at + TILE_BYTES) })
    levels.push(edge)
    nodes = full
    for (let width = TILE_WIDTH; width > 1; width /= 2) nodes = nodesAbove(rows, nodes)
    start = first
  }
  return { size: from.size + BigInt(entries.length), edges: { bundle, levels }, tiles }
}

/** The root from the edges alone: each level's partial tile is a run of subtrees, the higher level standing left of it. */
export function rootOfEdges(hash: Hash, { edges }: { edges: Edges }): Uint8Array {
  let right: Uint8Array | undefined
  for (const [level, tile] of edges.levels.entries()) {
    const hashes = hashesOf(tile)
    const roots = subtreesOf(hash, hashes)
    for (const root of roots.reverse()) right = right === undefined ? root : nodeHash(hash, root, right)
    if (level > 62) throw new RangeError('a tree of more than 2^63 leaves')
  }
  return right ?? emptyRoot(hash)
}

/** `u64 bundle length || bundle || (u64 length || level)..`. */
export const encodeEdges = ({ bundle, levels }: Edges): Uint8Array =>
  concat(...[bundle, ...levels].flatMap((part) => [u64(BigInt(part.length)), part]))

export function decodeEdges(bytes: Uint8Array): Edges {
  const parts: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset + at, 8).getBigUint64(0))
    if (at + 8 + length > bytes.length) throw new RangeError('not edges')
    parts.push(bytes.slice(at + 8, at + 8 + length))
    at += 8 + length
  }
  const [bundle = new Uint8Array(0), ...levels] = parts
  return { bundle, levels }
}

/** The 32-byte hashes of a tile. */
export const hashesOf = (tile: Uint8Array): Uint8Array[] =>
  Array.from({ length: tile.length / HASH }, (_, i) => tile.subarray(HASH * i, HASH * (i + 1)))

function growBundle(
  from: { size: bigint; edges: Edges },
  entries: readonly Uint8Array[],
  tiles: FullTile[],
): Uint8Array {
  const room = TILE_WIDTH - Number(from.size % 256n)
  let n = from.size / 256n
  let bundle = concat(from.edges.bundle, encodeBundle(entries.slice(0, room)))
  if (entries.length < room) return bundle
  tiles.push({ level: -1, n, data: bundle })
  for (let at = room; ; at += TILE_WIDTH) {
    const some = entries.slice(at, at + TILE_WIDTH)
    bundle = encodeBundle(some)
    if (some.length < TILE_WIDTH) return bundle
    n += 1n
    tiles.push({ level: -1, n, data: bundle })
  }
}

/** A level's full tiles, one after the other, and what is none yet. */
function filled(level: Uint8Array): { full: Uint8Array; edge: Uint8Array } {
  const end = level.length - (level.length % TILE_BYTES)
  return { full: level.subarray(0, end), edge: level.slice(end) }
}

/** Roots of the complete subtrees of a run of fewer than 256 nodes, the largest first. */
function subtreesOf(hash: Hash, nodes: readonly Uint8Array[]): Uint8Array[] {
  const roots: Uint8Array[] = []
  let at = 0
  for (let width = 128; width >= 1; width /= 2) {
    if ((nodes.length & width) === 0) continue
    roots.push(treeHash(hash, nodes.slice(at, at + width)))
    at += width
  }
  return roots
}

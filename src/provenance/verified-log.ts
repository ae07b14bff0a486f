import { concat, equal, type Hash } from '../kernel/bytes.ts'
import type { Checkpoint } from './checkpoint.ts'
import { entriesOf, LogFault, type LogSource, readBundle, readTile } from './log-source.ts'
import { leafHash, treeHash } from './merkle.ts'
import type { ReadTile } from './proof.ts'
import { hashesOf, rootOfEdges, TILE_WIDTH, tilePath, tileWidth } from './tile.ts'

/** Tiles, each with its bundle, that are asked for before the one that is looked at was verified. */
const AHEAD = 8
const HASH = 32
const WIDTH = BigInt(TILE_WIDTH)

/** A file that was held against the hash above it. */
export interface LogFile {
  path: string
  data: Uint8Array
  /** Entries that are verified by now. */
  entries: bigint
}

/** A log read from the signed root down: nothing is told that does not lead up to it. All throw `LogFault`. */
export interface VerifiedLog {
  tile: ReadTile
  /** Every tile and bundle but those that hold entries below `from` alone, a bundle after its tile, in the order of the entries. */
  walk(from?: bigint): AsyncGenerator<LogFile>
}

/** Reads the right edge, all of which together makes the root, and finds out what is wrong if it does not. */
export async function openVerified(
  hash: Hash,
  source: LogSource,
  head: Pick<Checkpoint, 'size' | 'root'>,
): Promise<VerifiedLog> {
  const edges = await readEdges(source, head.size)
  if (!equal(rootOfEdges(hash, { edges: { bundle: new Uint8Array(0), levels: edges } }), head.root))
    throw await wrongEdge(hash, source, { edges, size: head.size })

  const read = async (level: number, n: bigint): Promise<Uint8Array> => {
    const above = await tile(level + 1, n / WIDTH, TILE_WIDTH)
    const data = await readTile(source, level, n, TILE_WIDTH)
    checkTile(hash, { level, n, data }, above)
    return data
  }
  const verified = new Map<string, Promise<Uint8Array>>()
  const tile: ReadTile = async (level, n) => {
    if (tileWidth(head.size, level, n) < TILE_WIDTH) return edges[level] ?? new Uint8Array(0)
    // What stands above others is verified once; it is one of 256.
    if (level === 0) return read(level, n)
    const known = verified.get(`${level}/${n}`) ?? read(level, n)
    verified.set(`${level}/${n}`, known)
    return known
  }
  return { tile, walk: (from = 0n) => walk({ hash, source, size: head.size, from }, edges) }
}

interface Walk {
  hash: Hash
  source: LogSource
  size: bigint
  from: bigint
}

interface Tile {
  level: number
  n: bigint
  data: Uint8Array
}

async function* walk(on: Walk, edges: readonly Uint8Array[]): AsyncGenerator<LogFile> {
  for (const edge of tilesOf(on.size, edges))
    yield { path: tilePath(edge.level, edge.n, edge.data.length / HASH), data: edge.data, entries: on.from }
  // A higher level stands left of the lower ones.
  for (const edge of tilesOf(on.size, edges).reverse()) {
    if (edge.level > 0) yield* below(on, edge)
    else yield verifiedBundle(on, edge, await readBundle(on.source, edge.n, edge.data.length / HASH))
  }
}

/** Every file under a verified tile of level 1 or higher. */
async function* below(on: Walk, above: Tile): AsyncGenerator<LogFile> {
  const { source, from } = on
  const level = above.level - 1
  const unit = WIDTH ** BigInt(above.level)
  const begin = above.n * WIDTH
  const skipped = Math.min(TILE_WIDTH, Math.max(0, Number(from / unit - begin)))
  const children = ahead(skipped, above.data.length / HASH, async (i) => {
    const n = begin + BigInt(i)
    const [data, bundle] = await Promise.all([
      readTile(source, level, n, TILE_WIDTH),
      level === 0 ? readBundle(source, n, TILE_WIDTH) : undefined,
    ])
    return { level, n, data, bundle }
  })
  for await (const child of children) {
    const { n, data, bundle } = child
    checkTile(on.hash, child, above.data)
    yield { path: tilePath(level, n), data, entries: n * unit > from ? n * unit : from }
    if (bundle === undefined) yield* below(on, child)
    else yield verifiedBundle(on, child, bundle)
  }
}

/** What is read for each number from `first` up to `end`, in order, while later ones are under way. */
async function* ahead<T>(first: number, end: number, read: (i: number) => Promise<T>): AsyncGenerator<T> {
  const under: Promise<T>[] = []
  for (let i = first, next = first; i < end; i++) {
    for (; next < Math.min(end, i + AHEAD); next++) {
      const one = read(next)
      // Whoever takes it hears of a failure; until then nobody does.
      one.catch(() => {})
      under.push(one)
    }
    const one = under.shift()
    if (one !== undefined) yield await one
  }
}

function checkTile(hash: Hash, { level, n, data }: Tile, above: Uint8Array): void {
  const at = HASH * Number(n % WIDTH)
  if (!equal(treeHash(hash, hashesOf(data)), above.subarray(at, at + HASH)))
    throw new LogFault('differs', tilePath(level, n))
}

/** The bundle, once each of its entries is under the verified tile of level 0. */
function verifiedBundle({ hash }: Walk, { n, data: tile }: Tile, bundle: Uint8Array): LogFile {
  const width = tile.length / HASH
  const path = tilePath(-1, n, width)
  const wrong = wrongEntry(hash, tile, entriesOf(bundle, n, width))
  if (wrong !== undefined) throw new LogFault('differs', path, { entry: n * WIDTH + BigInt(wrong) })
  return { path, data: bundle, entries: n * WIDTH + BigInt(width) }
}

function wrongEntry(hash: Hash, tile: Uint8Array, entries: readonly Uint8Array[]): number | undefined {
  for (const [i, entry] of entries.entries())
    if (!equal(leafHash(hash, entry), tile.subarray(HASH * i, HASH * (i + 1)))) return i
  return undefined
}

// ---- the right edge

/** The partial tile of each level, from 0 up; empty where there is none. */
async function readEdges(source: LogSource, size: bigint): Promise<Uint8Array[]> {
  const edges: Uint8Array[] = []
  for (let nodes = size; nodes > 0n; nodes /= WIDTH) {
    const width = Number(nodes % WIDTH)
    edges.push(width === 0 ? new Uint8Array(0) : await readTile(source, edges.length, nodes / WIDTH, width))
  }
  return edges
}

const tilesOf = (size: bigint, edges: readonly Uint8Array[]): Tile[] =>
  edges
    .map((data, level) => ({ level, n: size / WIDTH ** BigInt(level + 1), data }))
    .filter(({ data }) => data.length > 0)

/** The first partial tile that is not made of what stands below it; the checkpoint where all of them are. */
async function wrongEdge(
  hash: Hash,
  source: LogSource,
  { edges, size }: { edges: readonly Uint8Array[]; size: bigint },
): Promise<LogFault> {
  for (const edge of tilesOf(size, edges)) {
    const made = edge.level === 0 ? await leavesBelow(hash, source, edge) : await tilesBelow(hash, source, edge)
    if (!equal(made, edge.data)) return new LogFault('differs', tilePath(edge.level, edge.n, edge.data.length / HASH))
  }
  return new LogFault('differs', 'checkpoint', { why: 'has another root than the tiles make' })
}

async function leavesBelow(hash: Hash, source: LogSource, { n, data }: Tile): Promise<Uint8Array> {
  const width = data.length / HASH
  const bundle = await readBundle(source, n, width)
  return concat(...entriesOf(bundle, n, width).map((entry) => leafHash(hash, entry)))
}

async function tilesBelow(hash: Hash, source: LogSource, { level, n, data }: Tile): Promise<Uint8Array> {
  const hashes: Uint8Array[] = []
  for (let i = 0; i < data.length / HASH; i++)
    hashes.push(treeHash(hash, hashesOf(await readTile(source, level - 1, n * WIDTH + BigInt(i), TILE_WIDTH))))
  return concat(...hashes)
}

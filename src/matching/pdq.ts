import { fromBase64 } from '../kernel/bytes.ts'
import { instantiate, makeMemory } from '../kernel/wasm.ts'
import { type Chunk, type ChunkPlaces, LINE_BITS, MOST_FLIPS, maskOf, PLANS, writeChunk } from './pdq-chunks.ts'
import { PDQ_WASM } from './pdq-wasm.ts'

/** A PDQ hash has 256 bits; the field takes two of at most this distance for the same picture. */
export const PDQ_BYTES = 32
export const PDQ_DISTANCE = 31
/** The memory of an index has 32-bit addresses, and a hash takes about 140 bytes of it. */
const PDQ_MOST = 12_000_000

/** A hash within the distance: its place among those that the index was made of. */
export interface PdqMatch {
  entry: number
  distance: number
}

export interface PdqFound {
  /** The nearest first. */
  nearest: PdqMatch[]
  /** How many there are, told or not. */
  found: number
}

export interface PdqAsk {
  /** Bits that may differ: 31 unless said, and at most. */
  most?: number
  /** How many are told. */
  tell?: number
}

export interface PdqIndex {
  readonly size: number
  /** Every hash within the distance of the 32 bytes of `query`. */
  search(query: Uint8Array, ask?: PdqAsk): PdqFound
  /** The same without the index, hash by hash: what the index is measured against. */
  scan(query: Uint8Array, ask?: PdqAsk): PdqFound
}

/** Below the first number of hashes looking at all of them is as fast; from the others on longer chunks are faster. */
const INDEXED_FROM = 512
const LONG_FROM = 65_536
const LONGEST_FROM = 524_288
/** Entries are looked at out of order: looking at more than this share of all of them takes longer than a scan. */
const SCAN_SHARE = 1 / 16
const LEAST_ENTRIES = 4_096
/** What `search` of the module answers then. */
const GIVEN_UP = -1
const LEFT_OUT_MOST = 15
/** Words that describe a chunk to the module. */
const CHUNK_WORDS = 8
/** `hashes`: 32 bytes each, joined; they are copied. `plan` is chosen by their number unless it is given. */
export function createPdqIndex(hashes: Uint8Array, plan?: readonly Chunk[]): PdqIndex {
  const size = hashes.length / PDQ_BYTES
  if (!Number.isInteger(size) || size > PDQ_MOST) throw new RangeError('not that many PDQ hashes')
  const chosen = plan ?? planFor(size)
  const most = Math.max(LEAST_ENTRIES, Math.ceil(size * SCAN_SHARE))
  const at = placesOf(chosen, size, most)
  const memory = makeMemory(at.end)
  const bytes = new Uint8Array(memory.buffer)
  const words = new Uint32Array(memory.buffer)
  bytes.set(hashes, at.hashes)
  chosen.reduce((first, chunk, i) => {
    const place = at.chunks[i]
    if (place !== undefined) describe(words, { at, place, chunk, first, i, size })
    return first + chunk.bits
  }, 0)
  const module = instantiate<Kernel>(WASM, { host: { memory } })
  return indexOver({ bytes, words, at, size, module, indexed: chosen.length > 0 })
}

const planFor = (size: number): readonly Chunk[] =>
  size < INDEXED_FROM ? [] : size < LONG_FROM ? PLANS.short : size < LONGEST_FROM ? PLANS.long : PLANS.longest

/** The functions of pdq.wat. */
interface Kernel {
  scan(query: number, most: number, hashes: number, n: number, out: number): number
  search(
    ...args: [
      query: number,
      most: number,
      chunk: number,
      end: number,
      hashes: number,
      stamps: number,
      stamp: number,
      buckets: number,
      entries: number,
      limit: number,
      out: number,
    ]
  ): number
}

const WASM = fromBase64(PDQ_WASM) ?? new Uint8Array(0)

/** Byte offsets into the memory. */
interface Places {
  query: number
  descriptions: number
  described: number
  chunks: ChunkPlaces[]
  buckets: number
  entries: number
  limit: number
  stamps: number
  out: number
  hashes: number
  end: number
}

function placesOf(plan: readonly Chunk[], size: number, most: number): Places {
  let end = 0
  /** Aligned to a line of the cache. */
  const room = (bytes: number): number => {
    const start = end
    end += Math.ceil(bytes / 64) * 64
    return start
  }
  // The last chunk of a query is read with up to eight bytes behind it.
  const query = room(PDQ_BYTES + 8)
  const descriptions = room(plan.length * CHUNK_WORDS * 4)
  const described = descriptions + plan.length * CHUNK_WORDS * 4
  const own = plan.map(({ bits }) => ({
    flips: room(MOST_FLIPS * 4),
    bits: room(2 ** bits / 8),
    ranks: room((2 ** bits / LINE_BITS) * 4),
    slots: room(Math.min(size, 2 ** bits) * 4),
    // A number for each two of them at the least. What is not written takes no memory.
    more: room(Math.ceil(size * 1.5) * 4),
  }))
  // What is no occupied bucket is written too, before it is overwritten.
  const buckets = room((MOST_FLIPS + 1) * 4)
  const entries = room(plan.length === 0 ? 0 : most * 4)
  const limit = entries + (plan.length === 0 ? 0 : most * 4)
  const rest = { stamps: room(plan.length === 0 ? 0 : size * 4), out: room(size * 8), hashes: room(size * PDQ_BYTES) }
  return { query, descriptions, described, chunks: own, buckets, entries, limit, ...rest, end }
}

interface Describing {
  at: Places
  place: ChunkPlaces
  chunk: Chunk
  /** The chunk's first bit in a hash. */
  first: number
  i: number
  size: number
}

/** Writes a chunk, and where the module finds it. */
function describe(words: Uint32Array, { at, place, chunk, first, i, size }: Describing): void {
  const hashes = words.subarray(at.hashes / 4, at.hashes / 4 + size * (PDQ_BYTES / 4))
  const flipsEnd = writeChunk(words, place, { hashes, first, chunk })
  const { flips, bits, ranks, slots, more } = place
  words.set([first, maskOf(chunk), flips, flipsEnd, bits, ranks, slots, more], at.descriptions / 4 + i * CHUNK_WORDS)
}

interface Built {
  bytes: Uint8Array
  words: Uint32Array
  at: Places
  size: number
  module: Kernel
  indexed: boolean
}

function indexOver({ bytes, words, at, size, module, indexed }: Built): PdqIndex {
  let stamp = 0
  /** Searches still to be left out after one that was given up, and how many then were. */
  let [left, leftOut] = [0, 0]
  const put = (query: Uint8Array, most: number): void => {
    if (query.length !== PDQ_BYTES) throw new RangeError('a PDQ hash has 32 bytes')
    if (!Number.isInteger(most) || most < 0 || most > PDQ_DISTANCE) throw new RangeError('a distance of 0 to 31')
    bytes.set(query, at.query)
  }
  const told = (found: number, tell = found): PdqFound => ({
    nearest: nearestOf(words.subarray(at.out / 4, at.out / 4 + 2 * found), Math.min(found, tell)),
    found,
  })
  const scanned = (most: number): number => module.scan(at.query, most, at.hashes, size, at.out)
  const searched = (most: number): number => {
    stamp += 1
    if (stamp === 2 ** 32) {
      words.fill(0, at.stamps / 4, at.stamps / 4 + size)
      stamp = 1
    }
    const { query, descriptions, described, hashes, stamps, buckets, entries, limit, out } = at
    return module.search(query, most, descriptions, described, hashes, stamps, stamp, buckets, entries, limit, out)
  }
  /** Where one question shares buckets with so many, so do others like it: trying is then left out, for a while. */
  const tried = (most: number): number => {
    if (left > 0) {
      left -= 1
      return GIVEN_UP
    }
    const n = searched(most)
    leftOut = n === GIVEN_UP ? Math.min(LEFT_OUT_MOST, 2 * leftOut + 1) : 0
    left = leftOut
    return n
  }
  return {
    size,
    search(query, { most = PDQ_DISTANCE, tell } = {}) {
      put(query, most)
      const n = indexed ? tried(most) : GIVEN_UP
      return told(n === GIVEN_UP ? scanned(most) : n, tell)
    },
    scan(query, { most = PDQ_DISTANCE, tell } = {}) {
      put(query, most)
      return told(scanned(most), tell)
    },
  }
}

/** Of pairs of entry and distance the nearest, by counting: a set of one picture may have millions of them. */
function nearestOf(pairs: Uint32Array, tell: number): PdqMatch[] {
  const next = new Uint32Array(PDQ_DISTANCE + 2)
  for (let i = 1; i < pairs.length; i += 2) next[(pairs[i] ?? 0) + 1] = (next[(pairs[i] ?? 0) + 1] ?? 0) + 1
  for (let d = 1; d < next.length; d++) next[d] = (next[d] ?? 0) + (next[d - 1] ?? 0)
  const chosen = new Uint32Array(tell)
  for (let i = 0; i < pairs.length; i += 2) {
    const distance = pairs[i + 1] ?? 0
    const place = next[distance] ?? 0
    next[distance] = place + 1
    // What lies beyond the end of a typed array is not written.
    chosen[place] = i
  }
  return Array.from(chosen, (i) => ({ entry: pairs[i] ?? 0, distance: pairs[i + 1] ?? 0 }))
}

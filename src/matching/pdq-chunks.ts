const HASH_WORDS = 8

/** A run of bits by which hashes are found, and how many of them may differ. */
export interface Chunk {
  bits: number
  radius: 1 | 2
}

const chunks = (n: number, bits: number, radius: Chunk['radius']): Chunk[] =>
  Array.from({ length: n }, () => ({ bits, radius }))

/**
 * Multi-index hashing (Norouzi, Punjani, Fleet 2012). The chunks part the 256 bits. A hash that differs in more than
 * `radius` bits in every one of them differs in at least the sum of all `radius + 1`, which is 32: so one within 31 is
 * found in some chunk, whatever the hashes are. Larger sets have longer chunks, so that buckets stay short.
 */
export const PLANS: Readonly<Record<'short' | 'long' | 'longest', readonly Chunk[]>> = {
  short: chunks(16, 16, 1),
  long: [...chunks(8, 22, 2), ...chunks(4, 20, 1)],
  longest: [...chunks(6, 24, 2), ...chunks(4, 23, 2), ...chunks(1, 20, 1)],
}

/** Marks the slot of a bucket with several entries. */
const SEVERAL = 2 ** 31
/** Bits by which values are sorted at once; a chunk has two of them at most. */
const DIGIT = 12
/** The most flips that a chunk has: none, one, or two of 24 bits. */
export const MOST_FLIPS = 301

/** Bits that have one rank: as many as a line of the cache holds. A chunk has whole lines of them. */
export const LINE_BITS = 512

/** Byte offsets of a chunk's parts; those of `slots` and `more` are as the module reads them. */
export interface ChunkPlaces {
  flips: number
  bits: number
  ranks: number
  slots: number
  more: number
}

/**
 * Writes the parts of a chunk whose first bit in a hash is `first`, of hashes as words; answers where its flips end.
 */
export function writeChunk(
  words: Uint32Array,
  at: ChunkPlaces,
  { hashes, first, chunk }: { hashes: Uint32Array; first: number; chunk: Chunk },
): number {
  const flips = flipsOf(chunk)
  words.set(flips, at.flips / 4)
  fill(words, at, { ...sortedBy(valuesOf(hashes, first, maskOf(chunk))), buckets: 2 ** chunk.bits })
  return at.flips + flips.length * 4
}

export const maskOf = ({ bits }: Chunk): number => 2 ** bits - 1

/** Every pattern of at most `radius` bits, those of fewer bits first. */
function flipsOf({ bits, radius }: Chunk): number[] {
  const ones = Array.from({ length: bits }, (_, i) => 2 ** i)
  const pairs = radius === 1 ? [] : ones.flatMap((a, i) => ones.slice(i + 1).map((b) => a | b))
  return [0, ...ones, ...pairs]
}

/** The chunk of each hash: its bits from `first` on, in words that are little-endian as a hash is read by the module. */
function valuesOf(hashes: Uint32Array, first: number, mask: number): Uint32Array {
  const word = first >>> 5
  const shift = first & 31
  const values = new Uint32Array(hashes.length / HASH_WORDS)
  for (let i = 0; i < values.length; i++) {
    const low = (hashes[HASH_WORDS * i + word] ?? 0) >>> shift
    // A shift by 32 is one by 0.
    const high = shift === 0 || word === HASH_WORDS - 1 ? 0 : (hashes[HASH_WORDS * i + word + 1] ?? 0) << (32 - shift)
    values[i] = (low | high) & mask
  }
  return values
}

interface Sorted {
  values: Uint32Array
  /** Which of the unsorted values each was. */
  entries: Uint32Array
}

/** Values below 2^24, by two rounds of their halves: sorting by whole values misses the cache with each of them. */
function sortedBy(values: Uint32Array): Sorted {
  const once = sortedByDigit({ values, entries: values.map((_, i) => i) }, 0)
  return sortedByDigit(once, DIGIT)
}

function sortedByDigit({ values, entries }: Sorted, shift: number): Sorted {
  const next = new Uint32Array(2 ** DIGIT + 1)
  const mask = 2 ** DIGIT - 1
  for (const value of values) next[((value >>> shift) & mask) + 1] = (next[((value >>> shift) & mask) + 1] ?? 0) + 1
  for (let digit = 1; digit < next.length; digit++) next[digit] = (next[digit] ?? 0) + (next[digit - 1] ?? 0)
  const sorted = { values: new Uint32Array(values.length), entries: new Uint32Array(values.length) }
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0
    const digit = (value >>> shift) & mask
    const place = next[digit] ?? 0
    next[digit] = place + 1
    sorted.values[place] = value
    sorted.entries[place] = entries[i] ?? 0
  }
  return sorted
}

/** Writes the occupied buckets, in order. */
function fill(words: Uint32Array, at: ChunkPlaces, { values, entries, buckets }: Sorted & { buckets: number }): void {
  const [bits, slots, more] = [at.bits / 4, at.slots / 4, at.more / 4]
  let rank = 0
  let used = 0
  for (let from = 0, to = 0; from < values.length; from = to) {
    const bucket = values[from] ?? 0
    do to += 1
    while (values[to] === bucket)
    const word = bits + (bucket >>> 5)
    words[word] = (words[word] ?? 0) | (1 << (bucket & 31))
    words[slots + rank] = to - from === 1 ? (entries[from] ?? 0) : SEVERAL + used
    rank += 1
    if (to - from === 1) continue
    words[more + used] = to - from
    words.set(entries.subarray(from, to), more + used + 1)
    used += 1 + to - from
  }
  rankLines(words, at, buckets / LINE_BITS)
}

/** How many buckets are occupied before each line of bits. */
function rankLines(words: Uint32Array, at: ChunkPlaces, lines: number): void {
  let rank = 0
  for (let line = 0; line < lines; line++) {
    words[at.ranks / 4 + line] = rank
    const first = (at.bits + (line * LINE_BITS) / 8) / 4
    for (const word of words.subarray(first, first + LINE_BITS / 32))
      for (let rest = word; rest !== 0; rest &= rest - 1) rank += 1
  }
}

import { ENTRY_BYTES, TAG_BYTES } from './sealed.ts'

/** Different tags that the smallest bucket holds at least: among so many the one that is asked for hides. */
export const BUCKET_LEAST = 256
/** All buckets together hold at most so many times the entries: where many are of one identifier, each is as long as its bucket. */
export const PADDING_MOST = 4
/** Bits of the longest prefix. */
export const BITS_MAX = 16

/** Sealed entries by the first bits of their tags, each bucket as long as the longest. */
export interface Buckets {
  /** The most for which every bucket holds `BUCKET_LEAST` different tags, within `PADDING_MOST`; 0: one bucket with everything. */
  bits: number
  /** Entries of each bucket, padding included. */
  width: number
  /** The bytes of a bucket: its entries and the padding, in the order of their tags. */
  bucket(prefix: number): Uint8Array
}

const CELLS = 2 ** BITS_MAX

/**
 * Counts different tags and not entries: that many sources name one identifier hides nobody. `random` gives bytes for the
 * padding, which nothing tells from an entry.
 */
export function bucketsOf(entries: Uint8Array, random: (bytes: number) => Uint8Array): Buckets {
  const cells = cellsOf(entries)
  const bits = bitsFor(cells)
  const per = CELLS >>> bits
  const width = widthAt(cells, bits)
  return {
    bits,
    width,
    bucket: (prefix) => {
      const from = cells.starts[prefix * per] ?? 0
      const to = cells.starts[(prefix + 1) * per] ?? 0
      const own = [...cells.order.subarray(from, to)].map((place) => entryAt(entries, place))
      while (own.length < width) own.push(paddingFor(prefix, bits, random(ENTRY_BYTES)))
      return Buffer.concat(own.sort(byTag))
    },
  }
}

/** The bucket that a tag falls into. */
export const prefixOf = (tag: Uint8Array, bits: number): number =>
  (((tag[0] ?? 0) << 8) | (tag[1] ?? 0)) >>> (BITS_MAX - bits)

/** A prefix as it stands in a path: hex of one length for all of a snapshot, so that none shows by its length. */
export const prefixText = (prefix: number, bits: number): string =>
  prefix.toString(16).padStart(Math.max(1, Math.ceil(bits / 4)), '0')

/** The number of a prefix; undefined for one that the snapshot does not have, or that is written in another way. */
export function prefixNumber(text: string, bits: number): number | undefined {
  const prefix = Number.parseInt(text, 16)
  return prefix >= 0 && prefix < 2 ** bits && prefixText(prefix, bits) === text ? prefix : undefined
}

/** Entries by the first 16 bits of their tags: one behind the other in `order`, those of a cell from its start on. */
interface Cells {
  order: Uint32Array
  starts: Uint32Array
  /** Entries, and different tags, of each. */
  sizes: Uint32Array
  tags: Uint32Array
}

function cellsOf(entries: Uint8Array): Cells {
  const n = Math.floor(entries.length / ENTRY_BYTES)
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength)
  const cellAt = (place: number): number => view.getUint16(place * ENTRY_BYTES)
  const [sizes, starts, tags] = [new Uint32Array(CELLS), new Uint32Array(CELLS + 1), new Uint32Array(CELLS)]
  for (let place = 0; place < n; place++) sizes[cellAt(place)] = (sizes[cellAt(place)] ?? 0) + 1
  for (let cell = 0; cell < CELLS; cell++) starts[cell + 1] = (starts[cell] ?? 0) + (sizes[cell] ?? 0)
  const [order, next] = [new Uint32Array(n), starts.slice()]
  for (let place = 0; place < n; place++) {
    const cell = cellAt(place)
    order[next[cell] ?? 0] = place
    next[cell] = (next[cell] ?? 0) + 1
  }
  const seen = new Set<number>()
  for (let cell = 0; cell < CELLS; cell++) {
    seen.clear()
    // The next 48 bits: of two tags that have them alike one is not counted, which makes no prefix longer.
    for (const place of order.subarray(starts[cell], starts[cell + 1]))
      seen.add(view.getUint32(place * ENTRY_BYTES + 2) * 65_536 + view.getUint16(place * ENTRY_BYTES + 6))
    tags[cell] = seen.size
  }
  return { order, starts, sizes, tags }
}

function bitsFor(cells: Cells): number {
  const most = PADDING_MOST * cells.order.length
  for (let bits = BITS_MAX; bits > 0; bits--) {
    const hides = sums(cells.tags, CELLS >>> bits).every((n) => n >= BUCKET_LEAST)
    if (hides && widthAt(cells, bits) * 2 ** bits <= most) return bits
  }
  return 0
}

/** Entries of the longest bucket. */
const widthAt = ({ sizes }: Cells, bits: number): number =>
  sums(sizes, CELLS >>> bits).reduce((widest, n) => Math.max(widest, n), 0)

/** Of each run of so many numbers. */
const sums = (numbers: Uint32Array, per: number): number[] =>
  Array.from({ length: numbers.length / per }, (_, i) =>
    numbers.subarray(i * per, (i + 1) * per).reduce((sum, n) => sum + n, 0),
  )

const entryAt = (entries: Uint8Array, place: number): Uint8Array =>
  entries.subarray(place * ENTRY_BYTES, (place + 1) * ENTRY_BYTES)

const byTag = (a: Uint8Array, b: Uint8Array): number =>
  Buffer.compare(a.subarray(0, TAG_BYTES), b.subarray(0, TAG_BYTES))

/** Random but for the prefix: padding that fell into another bucket would be known by it. */
function paddingFor(prefix: number, bits: number, bytes: Uint8Array): Uint8Array {
  const rest = 2 ** (BITS_MAX - bits) - 1
  const first = (prefix << (BITS_MAX - bits)) | (prefixOf(bytes, BITS_MAX) & rest)
  const padding = Uint8Array.from(bytes)
  padding[0] = first >>> 8
  padding[1] = first & 0xff
  return padding
}

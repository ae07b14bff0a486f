import type { Hash, HashRows } from './bytes.ts'

const DIGEST = 32
const NOTHING = new Uint8Array(0)
const FIRST = 16

/** One after the other. */
export const rowsBy =
  (hash: Hash): HashRows =>
  (prefix, rows, width) => {
    const n = rowsIn(rows, width)
    const message = new Uint8Array(prefix.length + width)
    message.set(prefix)
    const out = new Uint8Array(DIGEST * n)
    for (let i = 0; i < n; i++) {
      message.set(rows.subarray(width * i, width * (i + 1)), prefix.length)
      out.set(hash(message), DIGEST * i)
    }
    return out
  }

/** How many rows of that width the bytes are; throws a RangeError if they are none. */
export function rowsIn(rows: Uint8Array, width: number): number {
  const n = rows.length / width
  if (!Number.isInteger(n)) throw new RangeError('not whole rows')
  return n
}

/** Messages of one length, and whose they are. */
interface Group {
  bytes: Uint8Array
  places: number[]
}

/**
 * The hashes of what is written of each, of any length above 0, one after the other: those of one length are rows. What `written`
 * answers is copied before the next is written.
 */
export function hashAll<T>(rows: HashRows, all: readonly T[], written: (one: T) => Uint8Array): Uint8Array {
  const groups = new Map<number, Group>()
  for (const [i, one] of all.entries()) put(groups, written(one), i)
  const out = new Uint8Array(DIGEST * all.length)
  for (const [width, { bytes, places }] of groups) {
    const digests = rows(NOTHING, bytes.subarray(0, width * places.length), width)
    if (places.length === all.length) return digests
    for (const [k, place] of places.entries()) out.set(digests.subarray(DIGEST * k, DIGEST * (k + 1)), DIGEST * place)
  }
  return out
}

function put(groups: Map<number, Group>, message: Uint8Array, place: number): void {
  const width = message.length
  let group = groups.get(width)
  if (group === undefined) {
    group = { bytes: new Uint8Array(FIRST * width), places: [] }
    groups.set(width, group)
  }
  const at = width * group.places.length
  if (at === group.bytes.length) {
    const grown = new Uint8Array(2 * at)
    grown.set(group.bytes)
    group.bytes = grown
  }
  group.bytes.set(message, at)
  group.places.push(place)
}

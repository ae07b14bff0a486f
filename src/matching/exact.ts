import { KEY_BYTES, type TagSecret, tagOf } from './tag.ts'

/** Two words of tag and one that says whose it is. */
const SLOT_WORDS = 3
/** At most so many of the slots are used: 20 bytes a key, and few steps to a free slot. */
const FILLED = 0.6
/** Bits of a tag that say where it begins: their product with the number of slots is exact in a double. */
const PLACE_BITS = 26
const FEWEST = 8

/** Slots of a table of so many keys. */
export const slotsFor = (keys: number): number => Math.max(FEWEST, Math.ceil(keys / FILLED))
export const tableBytes = (slots: number): number => slots * SLOT_WORDS * 4

/** Keys in one array: those of entry `i` from `i * stride` on. */
export interface Keys {
  bytes: Uint8Array
  stride: number
}

/**
 * 64-bit tags by open addressing with linear steps, three words a slot in one array, so that a look-up reads one line of the
 * cache or two: tag, and the number of the entry plus one, 0 where the slot is free. `entries` have different keys.
 */
export function buildTable({ bytes, stride }: Keys, entries: Uint32Array, secret: TagSecret): Int32Array {
  const slots = slotsFor(entries.length)
  const table = new Int32Array(slots * SLOT_WORDS)
  const tag = new Int32Array(2)
  for (const entry of entries) {
    tagOf(tag, secret, bytes, entry * stride)
    let at = placeOf(tag[0] ?? 0, slots)
    while (table[at + 2] !== 0) at = after(at, table)
    table[at] = tag[0] ?? 0
    table[at + 1] = tag[1] ?? 0
    table[at + 2] = entry + 1
  }
  return table
}

export interface ExactTable {
  /**
   * The entries of keys of 32 bytes, joined, in their order: `found` gets the place of the key and its entry. Of each entry
   * with a key's tag `is` is asked whether it has that very key: a tag alone is no match.
   */
  find(keys: Uint8Array, is: Is, found: (place: number, entry: number) => void): void
}

type Is = (place: number, entry: number) => boolean

/** Keys whose slots are read before any is looked at: one that is not in the cache then waits for no other. */
const AHEAD = 256

/** Reads a table that `buildTable` made under the same secret. One without a free slot, which it never makes, is refused. */
export function openTable(table: Int32Array, secret: TagSecret): ExactTable {
  const slots = table.length / SLOT_WORDS
  if (!Number.isInteger(slots) || !hasFree(table)) throw new RangeError('no table')
  const tag = new Int32Array(2)
  const [firsts, seconds, places] = [new Int32Array(AHEAD), new Int32Array(AHEAD), new Int32Array(AHEAD)]
  const sum = new Int32Array(1)
  /** Reads what is needed next, so that it is there then; the sum keeps the reads from being left out. */
  const readAhead = (keys: Uint8Array, from: number, n: number): void => {
    for (let i = 0; i < n; i++) {
      tagOf(tag, secret, keys, (from + i) * KEY_BYTES)
      firsts[i] = tag[0] ?? 0
      seconds[i] = tag[1] ?? 0
      places[i] = placeOf(tag[0] ?? 0, slots)
    }
    let all = 0
    for (let i = 0; i < n; i++) all ^= table[places[i] ?? 0] ?? 0
    sum[0] = all
  }
  const entryOf = (i: number, key: number, is: Is): number => {
    for (let slot = places[i] ?? 0; ; slot = after(slot, table)) {
      const entry = table[slot + 2] ?? 0
      if (entry === 0) return NONE
      const same = table[slot] === firsts[i] && table[slot + 1] === seconds[i]
      if (same && is(key, entry - 1)) return entry - 1
    }
  }
  return {
    find(keys, is, found) {
      const all = keys.length / KEY_BYTES
      for (let from = 0; from < all; from += AHEAD) {
        const n = Math.min(AHEAD, all - from)
        readAhead(keys, from, n)
        for (let i = 0; i < n; i++) {
          const entry = entryOf(i, from + i, is)
          if (entry !== NONE) found(from + i, entry)
        }
      }
    },
  }
}

/** The next slot; behind the last one the first. */
const after = (slot: number, table: Int32Array): number => (slot + SLOT_WORDS === table.length ? 0 : slot + SLOT_WORDS)

const NONE = -1

function hasFree(table: Int32Array): boolean {
  for (let at = 2; at < table.length; at += SLOT_WORDS) if (table[at] === 0) return true
  return false
}

const placeOf = (tag: number, slots: number): number =>
  Math.floor(((tag >>> (32 - PLACE_BITS)) * slots) / 2 ** PLACE_BITS) * SLOT_WORDS

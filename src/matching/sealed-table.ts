import { TAG_BYTES } from './sealed.ts'

/** Sealed entries by tag, over the bytes in which they lie. */
export interface SealedTable {
  /** Where the records with this tag begin, in their order. */
  find(tag: Uint8Array): number[]
  readonly size: number
}

/**
 * Open addressing over one number for each different tag, at most half of the slots used: the first record that has it, from which
 * a chain leads through the others. However many sources name one identifier, each record costs the same. `stride`: bytes of a
 * record; `at`: where its tag begins. A record whose tag is all zero was taken away.
 */
export function createSealedTable(bytes: Uint8Array, { stride, at }: { stride: number; at: number }): SealedTable {
  const n = Math.floor(bytes.length / stride)
  // Records count from 1 in both, since 0 is none.
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * n + 2)))
  const next = new Uint32Array(n + 1)
  const tagAt = (record: number): Uint8Array =>
    bytes.subarray((record - 1) * stride + at, (record - 1) * stride + at + TAG_BYTES)
  const has = (record: number, tag: Uint8Array): boolean => {
    const from = (record - 1) * stride + at
    for (let i = 0; i < TAG_BYTES; i++) if (bytes[from + i] !== tag[i]) return false
    return true
  }
  /** The slot of a tag, or the free one where it would stand. */
  const slotOf = (tag: Uint8Array): number => {
    let slot = first(tag) & (slots.length - 1)
    for (let held = slots[slot] ?? 0; held !== 0 && !has(held, tag); held = slots[slot] ?? 0)
      slot = (slot + 1) & (slots.length - 1)
    return slot
  }
  let size = 0
  // From the end, so that chains rise.
  for (let record = n; record > 0; record--) {
    const tag = tagAt(record)
    if (tag.every((byte) => byte === 0)) continue
    const slot = slotOf(tag)
    next[record] = slots[slot] ?? 0
    slots[slot] = record
    size += 1
  }
  return {
    size,
    find(tag) {
      const found: number[] = []
      for (let record = slots[slotOf(tag)] ?? 0; record !== 0; record = next[record] ?? 0)
        found.push((record - 1) * stride)
      return found
    },
  }
}

const first = (tag: Uint8Array): number =>
  (((tag[0] ?? 0) << 24) | ((tag[1] ?? 0) << 16) | ((tag[2] ?? 0) << 8) | (tag[3] ?? 0)) >>> 0

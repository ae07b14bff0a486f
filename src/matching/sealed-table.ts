import { equal } from '../kernel/bytes.ts'
import { TAG_BYTES } from './sealed.ts'

/** Sealed entries by tag, over the bytes in which they lie. */
export interface SealedTable {
  /** Where the records with this tag begin, in their order. */
  find(tag: Uint8Array): number[]
  readonly size: number
}

/**
 * Open addressing over one number a slot, at most half of the slots used. `stride`: bytes of a record; `at`: where its tag
 * begins. A record whose tag is all zero was taken away.
 */
export function createSealedTable(bytes: Uint8Array, { stride, at }: { stride: number; at: number }): SealedTable {
  const n = Math.floor(bytes.length / stride)
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * n + 2)))
  const tagAt = (record: number): Uint8Array => bytes.subarray(record * stride + at, record * stride + at + TAG_BYTES)
  const first = (tag: Uint8Array): number =>
    (((tag[0] ?? 0) << 24) | ((tag[1] ?? 0) << 16) | ((tag[2] ?? 0) << 8) | (tag[3] ?? 0)) >>> 0
  let size = 0
  for (let record = 0; record < n; record++) {
    const tag = tagAt(record)
    if (tag.every((byte) => byte === 0)) continue
    let slot = first(tag) & (slots.length - 1)
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
    slots[slot] = record + 1
    size += 1
  }
  return {
    size,
    find(tag) {
      const found: number[] = []
      let slot = first(tag) & (slots.length - 1)
      for (let held = slots[slot] ?? 0; held !== 0; held = slots[slot] ?? 0) {
        if (equal(tagAt(held - 1), tag)) found.push((held - 1) * stride)
        slot = (slot + 1) & (slots.length - 1)
      }
      return found.sort((a, b) => a - b)
    },
  }
}

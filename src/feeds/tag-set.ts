/** Set of 32-bit tags by open addressing: no false negative, and a false positive in one of 2^32 / size. */
export interface TagSet {
  add(tag: number): void
  has(tag: number): boolean
  readonly size: number
}

const FIRST = 1_024

/** Four bytes a slot, at most half of them used. 0 marks a free slot, so that the tag 0 is kept as 1. */
export function createTagSet(): TagSet {
  let slots = new Uint32Array(FIRST)
  let shift = 32 - Math.log2(FIRST)
  let size = 0

  /** The slot of a tag, or the free one where it belongs. A tag's first bits say where to begin: tags are mixed. */
  const slotOf = (tag: number): number => {
    const mask = slots.length - 1
    let at = tag >>> shift
    for (let held = slots[at] ?? 0; held !== 0 && held !== tag; held = slots[at] ?? 0) at = (at + 1) & mask
    return at
  }

  const put = (tag: number): void => {
    const at = slotOf(tag)
    if (slots[at] === tag) return
    slots[at] = tag
    size += 1
  }

  const grow = (): void => {
    const held = slots
    slots = new Uint32Array(held.length * 2)
    shift -= 1
    size = 0
    for (const tag of held) if (tag !== 0) put(tag)
  }

  return {
    add(tag) {
      put(tag >>> 0 || 1)
      if (size * 2 > slots.length) grow()
    },
    has: (tag) => slots[slotOf(tag >>> 0 || 1)] !== 0,
    get size() {
      return size
    },
  }
}

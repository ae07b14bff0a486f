import { randomFillSync } from 'node:crypto'

const DRAWN_AT_ONCE = 1_024

/** Gives so many random bytes at a time, out of one large draw: a system call for each takes longer than what they are for. */
export function randomSource(size: number): () => Buffer {
  let drawn = Buffer.alloc(0)
  return () => {
    if (drawn.length === 0) drawn = randomFillSync(Buffer.allocUnsafeSlow(DRAWN_AT_ONCE * size))
    const own = drawn.subarray(0, size)
    drawn = drawn.subarray(size)
    return own
  }
}

/** Gives the base64url (RFC 4648 section 5, unpadded) of so many random bytes at a time, all of one draw written at once. */
export function randomTextSource(size: number): () => string {
  // Each begins where a text of its own would: at a multiple of three bytes, and zeros are behind it.
  const slot = 3 * Math.ceil(size / 3)
  const [width, length] = [(4 * slot) / 3, Math.ceil((4 * size) / 3)]
  let drawn = ''
  let at = 0
  return () => {
    if (at === drawn.length) {
      const bytes = randomFillSync(Buffer.allocUnsafe(DRAWN_AT_ONCE * slot))
      for (let end = slot; end <= bytes.length; end += slot) bytes.fill(0, end - slot + size, end)
      drawn = bytes.toString('base64url')
      at = 0
    }
    const own = drawn.slice(at, at + length)
    at += width
    return own
  }
}

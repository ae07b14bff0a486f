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

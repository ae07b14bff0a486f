export const KEY_BYTES = 32
const HALVES = KEY_BYTES / 2

/** The largest prime below 2^32. */
const PRIME = 4_294_967_291

/** The secret of one table: two rows of 16 numbers below the prime. */
export type TagSecret = Float64Array
const SECRET_NUMBERS = 2 * HALVES

/** A secret of random numbers of 32 bits, drawn until there are enough below the prime; all but five are. */
export function drawSecret(draw: () => number): TagSecret {
  const secret = new Float64Array(SECRET_NUMBERS)
  for (let i = 0; i < SECRET_NUMBERS; ) {
    const number = draw()
    if (!(number < PRIME)) continue
    secret[i] = number
    i += 1
  }
  return secret
}

/** Numbers that were kept, as the secret that they are; undefined if they are none. */
export function keptSecret(numbers: readonly number[]): TagSecret | undefined {
  const fits =
    numbers.length === SECRET_NUMBERS && numbers.every((one) => Number.isInteger(one) && one >= 0 && one < PRIME)
  return fits ? Float64Array.from(numbers) : undefined
}

/**
 * The 64-bit tag of the 32 bytes of `data` from `at` on, into both words of `out`: in each row, the sum of the key's 16-bit
 * halves times its numbers, modulo the prime. Two keys that differ share a tag under one secret in 2^64 (Carter, Wegman
 * 1979), whoever chose them without knowing the secret. Every sum is below 2^53, hence exact; additions do not wait for
 * one another as the rounds of a cipher do.
 */
export function tagOf(out: Int32Array, secret: TagSecret, data: Uint8Array, at: number): void {
  let first = 0
  let second = 0
  for (let i = 0; i < HALVES; i++) {
    const half = (data[at + 2 * i] ?? 0) | ((data[at + 2 * i + 1] ?? 0) << 8)
    first += half * (secret[i] ?? 0)
    second += half * (secret[HALVES + i] ?? 0)
  }
  out[0] = mixed(first - Math.floor(first / PRIME) * PRIME)
  out[1] = mixed(second - Math.floor(second / PRIME) * PRIME)
}

/** The finaliser of MurmurHash3: sums of keys that follow one another do, and would fill a table in runs. */
function mixed(sum: number): number {
  const bits = sum | 0
  const once = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35)
  return twice ^ (twice >>> 16)
}

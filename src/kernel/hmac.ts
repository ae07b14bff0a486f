import type { Hash, HashRows } from './bytes.ts'

/** Of SHA-256 (FIPS 180-4), in bytes. */
const BLOCK = 64
const DIGEST = 32
const NOTHING = new Uint8Array(0)

/** HMAC (RFC 2104) over a hash with blocks of 64 bytes, where there is no crypto module. */
export function hmac(hash: Hash, key: Uint8Array, data: Uint8Array): Uint8Array {
  const short = key.length > BLOCK ? hash(key) : key
  return hash(padded(0x5c, short, hash(padded(0x36, short, data))))
}

/** The same of each row of `width` bytes, one after the other. */
export function hmacRows(hash: Hash, rows: HashRows, key: Uint8Array, data: Uint8Array, width: number): Uint8Array {
  const short = key.length > BLOCK ? hash(key) : key
  const inner = rows(padded(0x36, short, NOTHING), data, width)
  return rows(padded(0x5c, short, NOTHING), inner, DIGEST)
}

/** What is hashed next: a hash keeps nothing of it. */
const room = new Uint8Array(4 * BLOCK)

/** `(key xor pad) || data`. */
function padded(pad: number, key: Uint8Array, data: Uint8Array): Uint8Array {
  const length = BLOCK + data.length
  const out = length > room.length ? new Uint8Array(length) : room.subarray(0, length)
  for (let i = 0; i < BLOCK; i++) out[i] = (key[i] ?? 0) ^ pad
  out.set(data, BLOCK)
  return out
}

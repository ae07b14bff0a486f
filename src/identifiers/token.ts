import { concat, type Hash, toHex, utf8 } from '../kernel/bytes.ts'

const DOMAIN = utf8('aldis-id/1')
const NUL = Uint8Array.of(0)
/** Bytes of the keyed input; more is no identifier. */
const INPUT_LIMIT = 1024
/** Of SHA-256 (FIPS 180-4). */
const BLOCK = 64

/** The bytes a token is made of, under an OPRF as under an HMAC: `"aldis-id/1" 00 profile 00 canonical`. */
export function tokenInput(profile: string, canonical: string): Uint8Array {
  // A NUL within the profile would let two pairs share one input.
  if (profile.includes('\0')) throw new RangeError('the profile has a NUL')
  if (!canonical.isWellFormed()) throw new RangeError('the identifier is not well-formed Unicode')
  const input = concat(DOMAIN, NUL, utf8(profile), NUL, utf8(canonical))
  if (input.length > INPUT_LIMIT) throw new RangeError(`the keyed input is larger than ${INPUT_LIMIT} bytes`)
  return input
}

/** A match key of the `hmac` hash profile: 32 bytes, HMAC-SHA-256 under the key of the epoch. */
export function token(of: { hash: Hash; key: Uint8Array; profile: string; canonical: string }): Uint8Array {
  return hmac(of.hash, of.key, tokenInput(of.profile, of.canonical))
}

/** RFC 2104 over a hash with blocks of 64 bytes. */
export function hmac(hash: Hash, key: Uint8Array, data: Uint8Array): Uint8Array {
  const block = new Uint8Array(BLOCK)
  block.set(key.length > BLOCK ? hash(key) : key)
  const inner = hash(concat(block.map(xor(0x36)), data))
  return hash(concat(block.map(xor(0x5c)), inner))
}

/** SHA-256 of a host-suffix/path-prefix expression, lower-case hex: what a `url` or `domain` shares. */
export const linkHash = (hash: Hash, expression: string): string => toHex(hash(utf8(expression)))

const xor = (pad: number) => (byte: number) => byte ^ pad

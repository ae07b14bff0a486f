import { concat, type Hash, toHex, utf8 } from '../kernel/bytes.ts'
import { hmac } from '../kernel/hmac.ts'

const DOMAIN = utf8('aldis-id/1')
const NUL = Uint8Array.of(0)
/** Bytes of the keyed input; more is no identifier. */
const INPUT_LIMIT = 1024

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

/** SHA-256 of a host-suffix/path-prefix expression, lower-case hex: what a `url` or `domain` shares. */
export const linkHash = (hash: Hash, expression: string): string => toHex(hash(utf8(expression)))

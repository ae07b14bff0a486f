import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { fromBase64Url, toBase64Url, utf8 } from '../kernel/bytes.ts'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { SigningJwk } from './schema.ts'

export type SigningAlg = 'Ed25519' | 'ES256'

export interface PublicSigningKey {
  /** RFC 7638 thumbprint. */
  kid: string
  alg: SigningAlg
  key: KeyObject
}

/** The key of a JWK; undefined if its coordinates are no point. */
export function readSigningJwk(jwk: SigningJwk): PublicSigningKey | undefined {
  const coordinates = jwk.kty === 'EC' ? [jwk.x, jwk.y] : [jwk.x]
  // Loose bits would give one key two thumbprints.
  if (coordinates.some((text) => fromBase64Url(text)?.length !== 32)) return undefined
  try {
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' })
    return { kid: thumbprint(jwk), alg: jwk.kty === 'EC' ? 'ES256' : 'Ed25519', key }
  } catch {
    return undefined
  }
}

/** RFC 7638: SHA-256 of the required members, which are all that our JWKs have, in canonical form. */
export const thumbprint = (jwk: SigningJwk): string => toBase64Url(sha256(utf8(canonicalJson({ ...jwk }))))

/** Ed25519 (RFC 8032) or ES256 as r || s (RFC 7518 section 3.4); false for anything malformed. */
export function verifyProof({ alg, key }: PublicSigningKey, data: Uint8Array, proof: string): boolean {
  const signature = fromBase64Url(proof)
  if (signature?.length !== 64) return false
  return alg === 'Ed25519'
    ? verify(null, data, key, signature)
    : verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

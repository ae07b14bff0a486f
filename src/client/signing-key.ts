import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { toBase64Url } from '../kernel/bytes.ts'
import type { SigningJwk } from '../participants/schema.ts'
import type { SigningKey } from '../signals/submission.ts'

/** A key that signs submissions, with its public half as the node knows it. */
export interface OwnSigningKey extends SigningKey {
  jwk: SigningJwk
}

/** A fresh Ed25519 key as a private JWK (RFC 8037). */
export const makeSigningKey = (): string =>
  `${JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }))}\n`

/** A signing key from its private JWK: Ed25519 or P-256. Throws a TypeError for any other. */
export function openSigningKey(text: string): OwnSigningKey {
  const key = createPrivateKey({ key: JSON.parse(text) as Record<string, string>, format: 'jwk' })
  const jwk = publicJwk(createPublicKey(key))
  return {
    kid: thumbprint(jwk),
    alg: jwk.kty === 'OKP' ? 'Ed25519' : 'ES256',
    jwk,
    sign: async (data) =>
      jwk.kty === 'OKP' ? sign(null, data, key) : sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }),
  }
}

/** RFC 7638: SHA-256 of the required members in their order, base64url. */
export function thumbprint(jwk: SigningJwk): string {
  const { x, crv, kty } = jwk
  const members = jwk.kty === 'EC' ? { crv, kty, x, y: jwk.y } : { crv, kty, x }
  return toBase64Url(createHash('sha256').update(JSON.stringify(members)).digest())
}

function publicJwk(key: KeyObject): SigningJwk {
  const { kty, crv, x, y } = key.export({ format: 'jwk' })
  if (kty === 'OKP' && crv === 'Ed25519' && x !== undefined) return { kty, crv, x }
  if (kty === 'EC' && crv === 'P-256' && x !== undefined && y !== undefined) return { kty, crv, x, y }
  throw new TypeError('a signing key is Ed25519 or P-256')
}

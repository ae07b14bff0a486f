import '../../src/kernel/reflect.ts'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { toBase64Url, toHex } from '../../src/kernel/bytes.ts'
import { pinOfRequest } from '../../src/participants/certificate-request.ts'
import { type Enrolment, enrolmentProof, type SigningJwk } from '../../src/participants/schema.ts'
import { readSigningJwk } from '../../src/participants/signing-key.ts'

export interface Signer {
  jwk: SigningJwk
  kid: string
  sign(data: Uint8Array): string
  /** For other implementations of JWS. */
  privateKey: KeyObject
}

/** A signing key as a participant holds it. */
export function aSigner(alg: 'Ed25519' | 'ES256' = 'Ed25519'): Signer {
  const { publicKey, privateKey } =
    alg === 'Ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = jwkOf(publicKey)
  return {
    jwk,
    privateKey,
    kid: readSigningJwk(jwk)?.kid ?? '',
    sign: (data) =>
      toBase64Url(
        alg === 'Ed25519'
          ? sign(null, data, privateKey)
          : sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
      ),
  }
}

function jwkOf(key: KeyObject): SigningJwk {
  const { kty, crv, x, y } = key.export({ format: 'jwk' })
  return (kty === 'EC' ? { kty, crv, x, y } : { kty, crv, x }) as SigningJwk
}

const TLS_KEY = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** A certificate request over a fresh P-256 key, or over the one that is given. */
export async function aRequest(keys?: CryptoKeyPair): Promise<{ pem: string; pin: string; keys: CryptoKeyPair }> {
  const pair = keys ?? (await crypto.subtle.generateKey(TLS_KEY, true, ['sign', 'verify']))
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: 'CN=ignored',
    keys: pair,
    signingAlgorithm: TLS_KEY,
  })
  const pem = request.toString('pem')
  return { pem, pin: toHex(await pinOfRequest(pem)), keys: pair }
}

/** What a participant posts for its code. */
export async function anEnrolment(code: string, signer: Signer = aSigner()): Promise<Enrolment> {
  const { pem, pin } = await aRequest()
  return { code, csr_pem: pem, signing_jwk: signer.jwk, proof: signer.sign(enrolmentProof(code, pin)) }
}

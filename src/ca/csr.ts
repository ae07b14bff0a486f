import '../kernel/reflect.ts'
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'

interface KeyAlgorithm {
  name: string
  namedCurve?: string
  hash?: string
}

/** A fresh P-256 private key for TLS. */
export const newTlsKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

/**
 * A certificate request (RFC 2986, PEM) that proves possession of the key and claims nothing: the CA sets the subject
 * and every extension itself. For P-256, P-384, Ed25519 and RSA keys.
 */
export async function createCsr(key: KeyObject): Promise<string> {
  const algorithm = algorithmOf(key)
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys: {
      // The library's types are a browser's, of which Node's keys know one use more.
      privateKey: key.toCryptoKey(algorithm, false, ['sign']) as CryptoKey,
      publicKey: createPublicKey(key).toCryptoKey(algorithm, true, ['verify']) as CryptoKey,
    },
    signingAlgorithm: { hash: algorithm.namedCurve === 'P-384' ? 'SHA-384' : 'SHA-256', ...algorithm },
  })
  return request.toString('pem')
}

function algorithmOf(key: KeyObject): KeyAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ed25519') return { name: 'Ed25519' }
  if (type === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  if (details?.namedCurve === 'prime256v1') return { name: 'ECDSA', namedCurve: 'P-256' }
  if (details?.namedCurve === 'secp384r1') return { name: 'ECDSA', namedCurve: 'P-384' }
  throw new TypeError('a key for TLS is P-256, P-384, Ed25519 or RSA')
}

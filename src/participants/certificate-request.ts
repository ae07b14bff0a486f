import '../kernel/reflect.ts'
import { createPublicKey, type KeyObject } from 'node:crypto'
import { Pkcs10CertificateRequest } from '@peculiar/x509'
import { Refusal } from '../kernel/errors.ts'
import { weaknessOf } from '../kernel/public-key.ts'
import { sha256 } from '../kernel/sha256.ts'

const LABEL = '(?:NEW )?CERTIFICATE REQUEST'
const PEM = new RegExp(`^\\s*-----BEGIN ${LABEL}-----[A-Za-z0-9+/=\\s]+-----END ${LABEL}-----\\s*$`)

/**
 * The pin of a PKCS #10 request (RFC 2986): SHA-256 of its SubjectPublicKeyInfo, whose owner signed the request. Nothing
 * else in it is believed. `certificate-request-refused` says what is wrong.
 */
export async function pinOfRequest(pem: string): Promise<Buffer> {
  const request = parse(pem)
  const spki = Buffer.from(request.publicKey.rawData)
  const weakness = weaknessOf(readKey(spki))
  if (weakness !== undefined) throw refused(weakness)
  if (!(await request.verify().catch(() => false))) throw refused('it is not signed by its own key')
  return sha256(spki)
}

function parse(pem: string): Pkcs10CertificateRequest {
  // The package itself takes other labels, several blocks, and bare base64.
  if (!PEM.test(pem)) throw refused('it is not a PEM certificate request')
  try {
    return new Pkcs10CertificateRequest(pem)
  } catch (cause) {
    throw refused('it is not a PEM certificate request', cause)
  }
}

function readKey(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' })
  } catch (cause) {
    throw refused('its key is not readable', cause)
  }
}

const refused = (detail: string, cause?: unknown): Refusal =>
  new Refusal('certificate-request-refused', { detail, cause })

import '../kernel/reflect.ts'
import { createPublicKey, type KeyObject } from 'node:crypto'
import { Pkcs10CertificateRequest, type PublicKey } from '@peculiar/x509'
import { Refusal } from '../kernel/errors.ts'
import { weaknessOf } from '../kernel/public-key.ts'

/** The key of a request (RFC 2986) that is signed by itself and strong enough; nothing else in it is believed. */
export async function keyOfRequest(csrPem: string): Promise<PublicKey> {
  const request = parsed(csrPem)
  const weakness = weaknessOf(readable(request.publicKey))
  if (weakness !== undefined) throw refused(weakness)
  if (!(await request.verify().catch(() => false))) throw refused('it is not signed by its own key')
  return request.publicKey
}

function parsed(pem: string): Pkcs10CertificateRequest {
  try {
    return new Pkcs10CertificateRequest(pem)
  } catch (cause) {
    throw refused('it is not a PEM certificate request', cause)
  }
}

function readable(key: PublicKey): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(key.rawData), format: 'der', type: 'spki' })
  } catch (cause) {
    throw refused('its key is not readable', cause)
  }
}

const refused = (detail: string, cause?: unknown): Refusal =>
  new Refusal('certificate-request-refused', { detail, cause })

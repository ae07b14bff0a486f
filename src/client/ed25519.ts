import { createPublicKey, verify } from 'node:crypto'
import type { VerifyEd25519 } from '../provenance/note.ts'

const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/** Ed25519 (RFC 8032) by the platform's own library; false for a malformed key. */
export const verifyEd25519: VerifyEd25519 = (publicKey, data, signature) => {
  if (publicKey.length !== 32) return false
  const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' })
  return verify(null, data, key, signature)
}

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { utf8 } from '../kernel/bytes.ts'
import type { KeyService } from './service.ts'

/** One value under a data key of its own, and that key under the key `kek_id` of the node. */
export interface Envelope {
  kek_id: string
  wrapped_dek: Buffer
  nonce: Buffer
  ciphertext: Buffer
  tag: Buffer
}

/** Where an envelope belongs; put anywhere else it does not open. */
export interface EnvelopePlace {
  table: string
  row: string
  audience: string
}

const KEY = 32
const NONCE = 12
/** Without it Node takes a tag of four bytes for one too. */
const TAG = { authTagLength: 16 }

/** Seals under a fresh key: AES-256-GCM, and for the key the same by the key service. */
export function sealEnvelope(
  keys: Pick<KeyService, 'seal'>,
  kek_id: string,
  { plaintext, place }: { plaintext: Uint8Array; place: EnvelopePlace },
): Envelope {
  const [dek, nonce] = [randomBytes(KEY), randomBytes(NONCE)]
  const cipher = createCipheriv('aes-256-gcm', dek, nonce).setAAD(aadOf(place, 'value'))
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
  const wrapped_dek = keys.seal(kek_id, dek, aadOf(place, 'dek'))
  dek.fill(0)
  return { kek_id, wrapped_dek, nonce, ciphertext, tag: cipher.getAuthTag() }
}

/** Undoes `sealEnvelope`; throws if a byte, or the place, is another. */
export function openEnvelope(keys: Pick<KeyService, 'open'>, envelope: Envelope, place: EnvelopePlace): Buffer {
  const { kek_id, wrapped_dek, nonce, ciphertext, tag } = envelope
  const dek = keys.open(kek_id, wrapped_dek, aadOf(place, 'dek'))
  const decipher = createDecipheriv('aes-256-gcm', dek, nonce, TAG).setAAD(aadOf(place, 'value'))
  decipher.setAuthTag(tag)
  const plaintext = Buffer.concat([decipher.update(ciphertext), decipher.final()])
  dek.fill(0)
  return plaintext
}

/** The data key under another key of the node; what it sealed stays as it is. */
export function rewrapKey(
  keys: Pick<KeyService, 'seal' | 'open'>,
  { kek_id, wrapped_dek, to }: Pick<Envelope, 'kek_id' | 'wrapped_dek'> & { to: string },
  place: EnvelopePlace,
): Buffer {
  const aad = aadOf(place, 'dek')
  return keys.seal(to, keys.open(kek_id, wrapped_dek, aad), aad)
}

/** `table 00 column 00 row 00 audience`. */
const aadOf = ({ table, row, audience }: EnvelopePlace, column: 'value' | 'dek'): Uint8Array =>
  utf8(`${table}\0${column}\0${row}\0${audience}`)

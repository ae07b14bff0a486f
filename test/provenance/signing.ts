import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { concat, toBase64, toHex, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { type Checkpoint, checkpointText } from '../../src/provenance/checkpoint.ts'
import { formatNote, NOTE_TYPE, signatureLine, type VerifierKey } from '../../src/provenance/note.ts'

export interface Seeded {
  name: string
  publicKey: Uint8Array
  vkey: VerifierKey
  sign(data: Uint8Array): Uint8Array
  /** The line that signs the text. */
  line(text: string): string
  /** The signed note of a checkpoint. */
  note(checkpoint: Checkpoint): string
}

/** The key ID and the text of a verifier key, as C2SP signed-note defines them. */
const idOf = (name: string, publicKey: Uint8Array, type: number): Uint8Array =>
  new Uint8Array(sha256(concat(utf8(`${name}\n`), Uint8Array.of(type), publicKey)).subarray(0, 4))
export const vkeyText = (name: string, publicKey: Uint8Array, type: number = NOTE_TYPE.ed25519): string =>
  `${name}+${toHex(idOf(name, publicKey, type))}+${toBase64(concat(Uint8Array.of(type), publicKey))}`

/** An Ed25519 key of a known seed under a name. */
export function aKey(name: string, seed: Uint8Array): Seeded {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32))
  const type = NOTE_TYPE.ed25519
  const vkey = { name, id: idOf(name, publicKey, type), type, publicKey }
  const line = (text: string): string =>
    signatureLine(sha256, { name, publicKey, signature: sign(null, utf8(text), key) })
  return {
    ...{ name, publicKey, vkey, line },
    sign: (data) => sign(null, data, key),
    note: (checkpoint) => {
      const text = checkpointText(checkpoint)
      return formatNote(text, [line(text)])
    },
  }
}

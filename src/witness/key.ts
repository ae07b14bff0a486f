import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { join } from 'node:path'
import { readSecret } from '../client/files.ts'
import { concat, equal, fromBase64, fromHex, toBase64, toHex } from '../kernel/bytes.ts'
import { createDurably } from '../kernel/durable.ts'
import { StartRefused } from '../kernel/errors.ts'
import { sha256 } from '../kernel/sha256.ts'
import { cosignatureBytes, cosignedText } from '../provenance/checkpoint.ts'
import { formatVkey, keyId, NOTE_TYPE, parseVkey, signatureLine, type VerifierKey } from '../provenance/note.ts'

const FILE = 'witness.key'
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The key of a witness; it signs cosignatures and nothing else. */
export interface WitnessKey {
  vkey: string
  key: VerifierKey
  /** The signature line of a checkpoint text, cosigned at a second (C2SP tlog-cosignature v1). */
  line(text: string, seconds: bigint): string
}

/**
 * The key in the folder, made at the first call under `name`, mode 0600. `StartRefused` without a name for a new one, for
 * another name than the key's (its cosignatures carry it), and for a file that others may read.
 */
export function openWitnessKey(dir: string, name: string | undefined): WitnessKey {
  const path = join(dir, FILE)
  let text = readSecret(path)
  if (text === undefined) {
    if (name === undefined) throw new StartRefused(`${path}: is missing; --name makes a key under that name`)
    createDurably(path, newKey(name), 0o600)
    // Read back: another process may have been quicker.
    text = readSecret(path) ?? ''
  }
  const opened = parseKey(text)
  if (opened === undefined) throw new StartRefused(`${path}: is not a witness key`)
  if (name !== undefined && name !== opened.key.name) throw new StartRefused(`${path}: is the key of another name`)
  return opened
}

/** `PRIVATE+KEY+<name>+<hex id>+<b64(04 || seed)>`, a line. */
function newKey(name: string): string {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)
  const vkey = formatVkey(sha256, name, rawOf(publicKey), NOTE_TYPE.cosignature)
  const key = parseVkey(sha256, vkey)
  if (key === undefined)
    throw new StartRefused('--name: expected a name without space or +, such as witness.example/w1')
  return `PRIVATE+KEY+${name}+${toHex(key.id)}+${toBase64(concat(Uint8Array.of(NOTE_TYPE.cosignature), seed))}\n`
}

function parseKey(text: string): WitnessKey | undefined {
  const [, name, hexId, encoded] = /^PRIVATE\+KEY\+([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\n$/.exec(text) ?? []
  const bytes = fromBase64(encoded ?? '')
  const id = fromHex(hexId ?? '')
  if (name === undefined || id === undefined || bytes?.length !== 33 || bytes[0] !== NOTE_TYPE.cosignature)
    return undefined
  const der = Buffer.concat([PKCS8_ED25519, bytes.subarray(1)])
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicKey = rawOf(createPublicKey(secret))
  const vkey = formatVkey(sha256, name, publicKey, NOTE_TYPE.cosignature)
  const key = parseVkey(sha256, vkey)
  if (key === undefined || !equal(id, keyId(sha256, name, NOTE_TYPE.cosignature, publicKey))) return undefined
  return {
    ...{ vkey, key },
    line(signed, seconds) {
      const signature = cosignatureBytes(seconds, sign(null, cosignedText(signed, seconds), secret))
      return signatureLine(sha256, { name, publicKey, signature, type: NOTE_TYPE.cosignature })
    },
  }
}

const rawOf = (key: KeyObject): Uint8Array => new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(-32))

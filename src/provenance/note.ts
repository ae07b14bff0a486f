import { concat, equal, fromBase64, fromHex, type Hash, toBase64, toHex, utf8 } from '../kernel/bytes.ts'

/** Signature types of the C2SP signed-note registry. */
export const NOTE_TYPE = { ed25519: 0x01, cosignature: 0x04 } as const

/** A verifier key: `name+hex(id)+b64(type || public key)`. */
export interface VerifierKey {
  name: string
  id: Uint8Array
  type: number
  publicKey: Uint8Array
}

export interface NoteSignature {
  name: string
  id: Uint8Array
  signature: Uint8Array
}

export interface Note {
  /** Ends with a newline; what is signed. */
  text: string
  signatures: readonly NoteSignature[]
}

/** Verifies an Ed25519 signature (RFC 8032); the platform's own. */
export type VerifyEd25519 = (publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array) => boolean

/** id = SHA-256(name || 0x0A || type || public key)[0:4]. */
export const keyId = (hash: Hash, name: string, type: number, publicKey: Uint8Array): Uint8Array =>
  hash(concat(utf8(`${name}\n`), Uint8Array.of(type), publicKey)).slice(0, 4)

export const formatVkey = (hash: Hash, name: string, publicKey: Uint8Array, type: number = NOTE_TYPE.ed25519): string =>
  `${name}+${toHex(keyId(hash, name, type, publicKey))}+${toBase64(concat(Uint8Array.of(type), publicKey))}`

/** A verifier key whose id fits; undefined for anything else. */
export function parseVkey(hash: Hash, text: string): VerifierKey | undefined {
  const [name, hexId, encoded] = splitVkey(text)
  const id = fromHex(hexId ?? '')
  const bytes = fromBase64(encoded ?? '')
  if (name === undefined || !isName(name) || bytes?.length !== 33 || id === undefined) return undefined
  const [type = 0] = bytes
  const publicKey = bytes.slice(1)
  return equal(id, keyId(hash, name, type, publicKey)) ? { name, id, type, publicKey } : undefined
}

/** The line of one signature: `— name b64(id || signature)`. */
export function signatureLine(
  hash: Hash,
  by: { name: string; publicKey: Uint8Array; signature: Uint8Array; type?: number },
): string {
  const id = keyId(hash, by.name, by.type ?? NOTE_TYPE.ed25519, by.publicKey)
  return `— ${by.name} ${toBase64(concat(id, by.signature))}\n`
}

export function formatNote(text: string, lines: readonly string[]): string {
  if (!text.endsWith('\n')) throw new TypeError('a note ends with a newline')
  return `${text}\n${lines.join('')}`
}

/** The first line by which a key signed the note; undefined where none did. */
export function lineBy({ signatures }: Note, key: Pick<VerifierKey, 'name' | 'id'>): string | undefined {
  const own = signatures.find(({ name, id }) => name === key.name && equal(id, key.id))
  return own && `— ${own.name} ${toBase64(concat(own.id, own.signature))}\n`
}

const LINE = /^— ([^ +]+) ([A-Za-z0-9+/]+={0,2})$/

/** Splits at the last empty line; undefined if any part is not canonical (C2SP signed-note). */
export function parseNote(note: string): Note | undefined {
  if (hasControl(note)) return undefined
  const cut = note.lastIndexOf('\n\n')
  if (cut < 0 || !note.endsWith('\n')) return undefined
  const lines = note.slice(cut + 2, -1).split('\n')
  const signatures: NoteSignature[] = []
  for (const line of lines) {
    const [, name, encoded] = LINE.exec(line) ?? []
    const bytes = fromBase64(encoded ?? '')
    if (name === undefined || !isName(name) || bytes === undefined || bytes.length < 5) return undefined
    signatures.push({ name, id: bytes.slice(0, 4), signature: bytes.slice(4) })
  }
  return { text: note.slice(0, cut + 1), signatures }
}

/** Whether the Ed25519 key signed the text: others' signatures are passed over, one of this key that fails refuses. */
export function verifyNote(note: Note, key: VerifierKey, verify: VerifyEd25519): boolean {
  if (key.type !== NOTE_TYPE.ed25519) return false
  const own = note.signatures.filter(({ name, id }) => name === key.name && equal(id, key.id))
  return (
    own.length > 0 &&
    own.every(({ signature }) => signature.length === 64 && verify(key.publicKey, utf8(note.text), signature))
  )
}

/** `+` stands in base64 too, so only the first two separate. */
function splitVkey(text: string): string[] {
  const first = text.indexOf('+')
  const second = text.indexOf('+', first + 1)
  return second < 0 ? [] : [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)]
}

const isName = (name: string): boolean => name !== '' && !/[\s+\u0085\u00a0\u2028\u2029]/u.test(name)

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 && code !== 0x0a) return true
  }
  return false
}

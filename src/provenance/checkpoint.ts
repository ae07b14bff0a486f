import { concat, fromBase64, type Hash, toBase64, u64, utf8 } from '../kernel/bytes.ts'
import { NOTE_TYPE, type Note, parseNote, type VerifierKey, type VerifyEd25519, verifyNote } from './note.ts'

/** A signed tree head (C2SP tlog-checkpoint). */
export interface Checkpoint {
  origin: string
  size: bigint
  root: Uint8Array
}

/** `origin\nsize\nb64(root)\n`: the text of the note, without extension lines. */
export const checkpointText = ({ origin, size, root }: Checkpoint): string => `${origin}\n${size}\n${toBase64(root)}\n`

/** Strict: three lines, no leading zero, a canonical root of 32 bytes; undefined for anything else. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin, size, encoded, end, ...rest] = text.split('\n')
  const root = fromBase64(encoded ?? '')
  if (end !== '' || rest.length > 0 || origin === undefined || origin === '' || root?.length !== 32) return undefined
  if (size === undefined || !/^(0|[1-9][0-9]{0,18})$/.test(size)) return undefined
  return { origin, size: BigInt(size), root }
}

/** The checkpoint of a note that the key signed and whose origin is the key's name; else why not. */
export function openCheckpoint(
  text: string,
  key: VerifierKey,
  verify: VerifyEd25519,
): { outcome: 'signed'; checkpoint: Checkpoint; note: Note } | { outcome: 'failed'; why: string } {
  const note = parseNote(text)
  if (note === undefined) return { outcome: 'failed', why: 'the note is not canonical' }
  const checkpoint = parseCheckpoint(note.text)
  if (checkpoint === undefined) return { outcome: 'failed', why: 'the checkpoint is not canonical' }
  if (checkpoint.origin !== key.name) return { outcome: 'failed', why: 'the checkpoint is of another log' }
  if (!verifyNote(note, key, verify))
    return { outcome: 'failed', why: 'the signature of the pinned key is missing or wrong' }
  return { outcome: 'signed', checkpoint, note }
}

/** What a witness signs (C2SP tlog-cosignature v1): `cosignature/v1\ntime <s>\n` and the checkpoint text. */
export const cosignedText = (text: string, seconds: bigint): Uint8Array =>
  utf8(`cosignature/v1\ntime ${seconds}\n${text}`)

/** The bytes behind the key id of a cosignature line: `u64 seconds || signature`. */
export const cosignatureBytes = (seconds: bigint, signature: Uint8Array): Uint8Array => concat(u64(seconds), signature)

/** The time a witness cosigned at, in seconds; undefined if it did not or its signature is wrong. */
export function cosignedAt(note: Note, key: VerifierKey, verify: VerifyEd25519): bigint | undefined {
  if (key.type !== NOTE_TYPE.cosignature) return undefined
  const own = note.signatures.find(({ name, id }) => name === key.name && toBase64(id) === toBase64(key.id))
  if (own?.signature.length !== 72) return undefined
  const seconds = new DataView(own.signature.buffer, own.signature.byteOffset, 8).getBigUint64(0)
  return verify(key.publicKey, cosignedText(note.text, seconds), own.signature.slice(8)) ? seconds : undefined
}

/** SHA-256 of the origin, by which witnesses name a log. */
export const originHash = (hash: Hash, origin: string): Uint8Array => hash(utf8(origin))

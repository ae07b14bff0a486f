import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { concat, equal, u16, u32, utf8 } from '../kernel/bytes.ts'
import { type Uuid, uuidBytes, uuidFromBytes } from '../kernel/ids.ts'

/** A sealed entry: tag 16 || nonce 12 || AES-256-GCM of 28 || its tag 16. */
export const ENTRY_BYTES = 72
export const TAG_BYTES = 16
export const NONCE_BYTES = 12

const CLEAR_BYTES = 28
const VERSION = 1
const HOUR_MS = 3_600_000
const AES = 'aes-256-gcm'

/** What an entry says to whoever holds its match key: which signal to ask for, and whether that is worth it. */
export interface SealedContent {
  signal: Uuid
  /** The taxonomy's stable number. */
  category: number
  /** The number of `HANDLING`. */
  handling: number
  /** Told to the full hour, the next one: what ends within it is found out by asking. */
  expires_at: Date
}

/** A match key of 32 bytes as one audience knows it. */
export interface SealedKey {
  /** Equal keys have equal tags, in one audience and in no other. */
  readonly tag: Uint8Array
  /** `nonce`: 12 fresh random bytes. */
  seal(kid: string, content: SealedContent, nonce: Uint8Array): Uint8Array
  /** Undefined for an entry of another key, audience or key epoch, and for one that was changed. */
  open(kid: string, entry: Uint8Array): SealedContent | undefined
}

/** HKDF-SHA-256 (RFC 5869) of the key without salt; `info` names what for and the audience. */
export function sealedKey(key: Uint8Array, audience: Uuid): SealedKey {
  if (key.length !== 32) throw new TypeError('a match key has 32 bytes')
  const derived = (what: string, bytes: number): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', key, '', infoOf(what, audience), bytes))
  const tag = derived('aldis-tag/1', TAG_BYTES)
  let kept: Uint8Array | undefined
  const secret = (): Uint8Array => {
    kept ??= derived('aldis-seal/1', 32)
    return kept
  }
  const boundTo = (kid: string): Uint8Array => concat(infoOf('aldis-seal/1', audience), NUL, utf8(kid))

  return {
    tag,
    seal(kid, content, nonce) {
      const cipher = createCipheriv(AES, secret(), nonce).setAAD(boundTo(kid))
      const hidden = concat(cipher.update(clearOf(content)), cipher.final())
      return concat(tag, nonce, hidden, cipher.getAuthTag())
    },
    open(kid, entry) {
      if (entry.length !== ENTRY_BYTES || !equal(entry.subarray(0, TAG_BYTES), tag)) return undefined
      const from = TAG_BYTES + NONCE_BYTES
      const decipher = createDecipheriv(AES, secret(), entry.subarray(TAG_BYTES, from), { authTagLength: 16 })
      decipher.setAAD(boundTo(kid)).setAuthTag(entry.subarray(from + CLEAR_BYTES))
      const clear = decipher.update(entry.subarray(from, from + CLEAR_BYTES))
      return isWhole(decipher) ? contentOf(clear) : undefined
    },
  }
}

const NUL = Uint8Array.of(0)
const infoOf = (what: string, audience: Uuid): Uint8Array => concat(utf8(what), NUL, utf8(audience))

/** The key epoch of a token; of a link or media hash, which have none, the profile of look-ups. */
export function sealKid(profile: string): string {
  const at = profile.lastIndexOf('@')
  return at === -1 ? profile : profile.slice(at + 1)
}

function clearOf({ signal, category, handling, expires_at }: SealedContent): Uint8Array {
  const hours = Math.ceil(expires_at.getTime() / HOUR_MS)
  return concat(
    Uint8Array.of(VERSION),
    uuidBytes(signal),
    u16(category),
    Uint8Array.of(handling),
    u32(hours),
    new Uint8Array(4),
  )
}

/** Undefined for a version that is not known, whatever it may say. */
function contentOf(clear: Buffer): SealedContent | undefined {
  if (clear[0] !== VERSION || clear.readUInt32BE(24) !== 0) return undefined
  return {
    signal: uuidFromBytes(clear.subarray(1, 17)),
    category: clear.readUInt16BE(17),
    handling: clear.readUInt8(19),
    expires_at: new Date(clear.readUInt32BE(20) * HOUR_MS),
  }
}

function isWhole(decipher: { final(): Buffer }): boolean {
  try {
    decipher.final()
    return true
  } catch {
    return false
  }
}

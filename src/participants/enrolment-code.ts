import { utf8 } from '../kernel/bytes.ts'
import { sha256 } from '../kernel/sha256.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** `<first 16 hex of the node's SPKI SHA-256>.<base32 of 160 random bits>`: the code names the node that it is for. */
export const enrolmentCode = (nodeSpki: string, random: Uint8Array): string =>
  `${nodeSpki.slice(0, 16)}.${base32(random.subarray(0, 20))}`

export const isForNode = (code: string, nodeSpki: string): boolean => code.startsWith(`${nodeSpki.slice(0, 16)}.`)

/** What the database keeps in place of a code. */
export const codeDigest = (code: string): Buffer => sha256(utf8(code))

/** RFC 4648 section 6, lower case; 20 bytes need no padding. */
function base32(bytes: Uint8Array): string {
  let bits = 0
  let held = 0
  let out = ''
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    bits += 8
    for (; bits >= 5; bits -= 5) out += ALPHABET[(held >>> (bits - 5)) & 31]
  }
  return out
}

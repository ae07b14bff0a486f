/** Byte helpers that run in Node and in browsers alike. */

/** A hash function over bytes, or over the UTF-8 of a text; SHA-256 unless said otherwise. */
export type Hash = (data: Uint8Array | string) => Uint8Array

const encoder = new TextEncoder()
const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))

const SLAB = 16_384
const SHORT = 512
let slab = new ArrayBuffer(SLAB)
let used = 0

/** Short arrays are views of one buffer: making an ArrayBuffer for each takes ten times as long. */
function allocate(n: number): Uint8Array {
  if (n > SHORT) return new Uint8Array(n)
  if (used + n > SLAB) {
    slab = new ArrayBuffer(SLAB)
    used = 0
  }
  used += n
  return new Uint8Array(slab, used - n, n)
}

export function utf8(text: string): Uint8Array {
  // As many bytes as a text may need; what it does not is given back.
  const most = text.length * 3
  if (most > SHORT) return encoder.encode(text)
  const room = allocate(most)
  const { written } = encoder.encodeInto(text, room)
  used -= most - written
  return room.subarray(0, written)
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = allocate(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let diff = 0
  for (let i = 0; i < a.length; i++) diff |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return diff === 0
}

/** Orders as PostgreSQL orders bytea: by unsigned byte, the shorter first. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const d = (a[i] ?? 0) - (b[i] ?? 0)
    if (d !== 0) return d
  }
  return a.length - b.length
}

export const toHex = (bytes: Uint8Array): string => {
  let out = ''
  for (const byte of bytes) out += HEX[byte]
  return out
}

/** Lower-case hex only; undefined for anything else. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return undefined
  const out = allocate(text.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return out
}

/** RFC 4648 section 4, padded. */
export function toBase64(bytes: Uint8Array): string {
  const text = encode(bytes, STANDARD)
  return text.padEnd(text.length + ((4 - (text.length % 4)) % 4), '=')
}

/** Canonical padded base64 only (no white space, no loose bits); undefined for anything else. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  const end = text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length
  return decode(text.slice(0, end), VALUES)
}

/** RFC 4648 section 5, unpadded. */
export const toBase64Url = (bytes: Uint8Array): string => encode(bytes, URL_SAFE)

/** Canonical unpadded base64url only; undefined for anything else. */
export const fromBase64Url = (text: string): Uint8Array | undefined => decode(text, URL_VALUES)

/** Both characters of each 12 bits: signatures and digests are written and read thousands of times a second. */
function pairsOf(alphabet: string): string[] {
  return Array.from({ length: 4_096 }, (_, bits) => `${alphabet[bits >> 6]}${alphabet[bits & 63]}`)
}

/** Six bits by character code; 255 for what is none of the alphabet. */
function valuesOf(alphabet: string): Uint8Array {
  const values = new Uint8Array(128).fill(255)
  for (let i = 0; i < 64; i++) values[alphabet.charCodeAt(i)] = i
  return values
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const [STANDARD, VALUES] = [pairsOf(`${LETTERS}+/`), valuesOf(`${LETTERS}+/`)]
const [URL_SAFE, URL_VALUES] = [pairsOf(`${LETTERS}-_`), valuesOf(`${LETTERS}-_`)]

function encode(bytes: Uint8Array, pairs: readonly string[]): string {
  const whole = bytes.length - (bytes.length % 3)
  let out = ''
  for (let i = 0; i < whole; i += 3) {
    const bits = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    out += `${pairs[bits >> 12]}${pairs[bits & 4_095]}`
  }
  const rest = bytes.length - whole
  if (rest === 0) return out
  const bits = ((bytes[whole] ?? 0) << 16) | ((bytes[whole + 1] ?? 0) << 8)
  return rest === 1 ? `${out}${pairs[bits >> 12]}` : `${out}${pairs[bits >> 12]}${pairs[bits & 4_095]?.charAt(0)}`
}

function decode(text: string, values: Uint8Array): Uint8Array | undefined {
  const rest = text.length % 4
  if (rest === 1) return undefined
  const out = allocate(Math.floor((text.length * 3) / 4))
  let [bits, held, at] = [0, 0, 0]
  for (let i = 0; i < text.length; i++) {
    const six = values[text.charCodeAt(i)] ?? 255
    if (six === 255) return undefined
    bits = ((bits << 6) | six) & 0xfff
    held += 6
    if (held < 8) continue
    held -= 8
    out[at] = bits >> held
    at += 1
  }
  // What is left over are the loose bits of the last character.
  return (bits & ((1 << held) - 1)) === 0 ? out : undefined
}

/** Big-endian unsigned. */
export function u16(n: number): Uint8Array {
  const out = allocate(2)
  viewOf(out).setUint16(0, n)
  return out
}

/** Big-endian unsigned. */
export function u32(n: number): Uint8Array {
  const out = allocate(4)
  viewOf(out).setUint32(0, n)
  return out
}

/** Big-endian unsigned. */
export function u64(n: bigint): Uint8Array {
  const out = allocate(8)
  viewOf(out).setBigUint64(0, n)
  return out
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

/** Byte helpers that run in Node and in browsers alike. */

/** A hash function over bytes, or over the UTF-8 of a text; SHA-256 unless said otherwise. */
export type Hash = (data: Uint8Array | string) => Uint8Array

/** The hashes of `prefix || row` for each row of `width` bytes, one after the other; SHA-256, 32 bytes of each. */
export type HashRows = (prefix: Uint8Array, rows: Uint8Array, width: number) => Uint8Array

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))
/** In a table of values: what is none of the alphabet. */
const NONE = 255
const HEX_VALUES = valuesOf('0123456789abcdef')

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

let room = new Uint8Array(4_096)

/** At least `n` bytes of room, which the next call takes again. */
function scratch(n: number): Uint8Array {
  if (room.length < n) room = new Uint8Array(2 * n)
  return room
}

/** What a character code stands for in an alphabet. */
function valuesOf(alphabet: string): Uint8Array {
  const values = new Uint8Array(128).fill(NONE)
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i
  return values
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
  if (text.length % 2 !== 0) return undefined
  const out = allocate(text.length / 2)
  for (let i = 0; i < out.length; i++) {
    const high = HEX_VALUES[text.charCodeAt(2 * i)] ?? NONE
    const low = HEX_VALUES[text.charCodeAt(2 * i + 1)] ?? NONE
    if (high === NONE || low === NONE) return undefined
    out[i] = (high << 4) | low
  }
  return out
}

/** RFC 4648 section 4, padded. */
export function toBase64(bytes: Uint8Array): string {
  const text = decoder.decode(encode(bytes, STANDARD))
  return text.padEnd(text.length + ((4 - (text.length % 4)) % 4), '=')
}

/** Canonical padded base64 only (no white space, no loose bits); undefined for anything else. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  const end = text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length
  return decode(text.slice(0, end), VALUES)
}

/** RFC 4648 section 5, unpadded. */
export const toBase64Url = (bytes: Uint8Array): string => decoder.decode(encode(bytes, URL_SAFE))

/** Writes the bytes of `toBase64Url` at a place, behind which there are two bytes to spare; answers where they end. */
export const writeBase64Url = (bytes: Uint8Array, out: Uint8Array, at: number): number =>
  write(bytes, { codes: URL_SAFE, out, at })

/** Canonical unpadded base64url only; undefined for anything else. */
export const fromBase64Url = (text: string): Uint8Array | undefined => decode(text, URL_VALUES)

/** Character codes by six bits: signatures and digests are written and read thousands of times a second. */
const codesOf = (alphabet: string): Uint8Array => encoder.encode(alphabet)

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const [STANDARD, VALUES] = [codesOf(`${LETTERS}+/`), valuesOf(`${LETTERS}+/`)]
const [URL_SAFE, URL_VALUES] = [codesOf(`${LETTERS}-_`), valuesOf(`${LETTERS}-_`)]

/** As bytes that are made a text at once: a text that grows by pieces is put together a second time when it is used. */
function encode(bytes: Uint8Array, codes: Uint8Array): Uint8Array {
  const out = scratch(Math.ceil((bytes.length * 4) / 3) + 3)
  return out.subarray(0, write(bytes, { codes, out, at: 0 }))
}

function write(bytes: Uint8Array, { codes, out, at }: { codes: Uint8Array; out: Uint8Array; at: number }): number {
  for (let i = 0, to = at; i < bytes.length; i += 3, to += 4) {
    const bits = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    out[to] = codes[bits >> 18] ?? 0
    out[to + 1] = codes[(bits >> 12) & 63] ?? 0
    out[to + 2] = codes[(bits >> 6) & 63] ?? 0
    out[to + 3] = codes[bits & 63] ?? 0
  }
  return at + Math.ceil((bytes.length * 4) / 3)
}

function decode(text: string, values: Uint8Array): Uint8Array | undefined {
  const rest = text.length % 4
  if (rest === 1) return undefined
  const out = allocate(Math.floor((text.length * 3) / 4))
  let [bits, held, at] = [0, 0, 0]
  for (let i = 0; i < text.length; i++) {
    const six = values[text.charCodeAt(i)] ?? NONE
    if (six === NONE) return undefined
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

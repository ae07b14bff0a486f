import type { Branded } from './brand.ts'
import { fromHex, toHex } from './bytes.ts'

/** RFC 9562 UUIDs in their canonical lower-case text, the one form in SQL, on the wire and in the log. */
export type Uuid = Branded<'uuid'>

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
export const SLUG = /^[a-z0-9][a-z0-9-]{1,62}$/

export const isUuid = (text: string): text is Uuid => UUID.test(text)

/** The newest id that this process made. */
let newest: { ms: number; bytes: Uint8Array } | undefined

/**
 * A fresh UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, 74 random bits. Of one millisecond the ids of a process
 * rise (section 6.2, method 2): the log orders what has one time by its ids, and an effect must not stand before its cause.
 */
export function newId(now: Date): Uuid {
  const ms = now.getTime()
  const bytes = newest?.ms === ms ? following(newest.bytes) : firstOf(ms)
  newest = { ms, bytes }
  return stamp(bytes, 0x70)
}

function firstOf(ms: number): Uint8Array {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(ms / 2 ** (8 * (5 - i))) & 0xff
  // Room above it for those that follow.
  bytes[7] = (bytes[7] ?? 0) & 0x7f
  return bytes
}

/** From 1 to 2^24 further than the last, so that none tells the next. */
function following(last: Uint8Array): Uint8Array {
  const bytes = last.slice()
  const [a = 0, b = 0, c = 0] = crypto.getRandomValues(new Uint8Array(3))
  let carry = 1 + a + 256 * b + 65_536 * c
  for (let i = 15; i >= 9; i--) {
    carry += bytes[i] ?? 0
    bytes[i] = carry & 0xff
    carry >>= 8
  }
  bytes[7] = (bytes[7] ?? 0) + carry
  return bytes
}

/** Sixteen given bytes as a UUIDv8 (RFC 9562 section 5.8): an id that two makers derive alike. */
export const derivedId = (bytes: Uint8Array): Uuid => stamp(bytes.slice(0, 16), 0x80)

/** Milliseconds that an id of version 7 begins with (RFC 9562 section 5.7). */
export const timeOf = (id: Uuid): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)

/** The least id of version 7 that a moment may have; it is nobody's. */
export const firstIdOf = (at: Date): Uuid => {
  const hex = at.getTime().toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000` as Uuid
}

/** The present, but behind what the ids of version 7 say: a clock that stood or was put back turns no order round. */
export const timeAfter = (ids: readonly Uuid[], now: Date): Date =>
  new Date(ids.reduce((latest, id) => Math.max(latest, timeOf(id) + 1), now.getTime()))

/** The 16 bytes of a UUID. */
export function uuidBytes(id: Uuid): Uint8Array {
  const bytes = fromHex(id.slice(0, 8) + id.slice(9, 13) + id.slice(14, 18) + id.slice(19, 23) + id.slice(24))
  if (bytes?.length !== 16 || id.length !== 36) throw new TypeError('not a UUID')
  return bytes
}

export const uuidFromBytes = (bytes: Uint8Array): Uuid => {
  const hex = toHex(bytes)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}` as Uuid
}

function stamp(bytes: Uint8Array, version: number): Uuid {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | version
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return uuidFromBytes(bytes)
}

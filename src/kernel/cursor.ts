import { createHmac, timingSafeEqual } from 'node:crypto'
import { fromBase64Url, toBase64Url } from './bytes.ts'
import { Refusal } from './errors.ts'
import { type Uuid, uuidBytes, uuidFromBytes } from './ids.ts'

/** A place in a feed: the last sequence that was received. */
export interface Cursor {
  feed: Uuid
  seq: bigint
}

/** 16 bytes feed || 8 bytes sequence || 16 bytes of HMAC-SHA-256, base64url: opaque, and made by this node alone. */
export function encodeCursor(key: Uint8Array, { feed, seq }: Cursor): string {
  const body = Buffer.alloc(24)
  body.set(uuidBytes(feed))
  body.writeBigInt64BE(seq, 16)
  return toBase64Url(Buffer.concat([body, mac(key, body)]))
}

/** Throws `invalid-cursor` for anything this node did not make. */
export function decodeCursor(key: Uint8Array, text: string): Cursor {
  const bytes = Buffer.from(fromBase64Url(text) ?? [])
  const body = bytes.subarray(0, 24)
  if (bytes.length !== 40 || !timingSafeEqual(mac(key, body), bytes.subarray(24))) {
    throw new Refusal('invalid-cursor', { detail: 'start from the cursor that the list of feeds gives' })
  }
  return { feed: uuidFromBytes(body.subarray(0, 16)), seq: body.readBigInt64BE(16) }
}

const mac = (key: Uint8Array, body: Uint8Array): Buffer =>
  createHmac('sha256', key).update(body).digest().subarray(0, 16)

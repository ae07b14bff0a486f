import { createHmac, timingSafeEqual } from 'node:crypto'
import { fromBase64Url, toBase64Url, utf8 } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'

export const NONCE_MS = 5 * 60_000

/** 8 bytes of expiry || 16 random || 16 of HMAC-SHA-256 that binds the participant: nothing need be stored. */
export function makeNonce(key: Uint8Array, to: { participant: Uuid; now: Date; random: Uint8Array }): string {
  const body = Buffer.alloc(24)
  body.writeBigInt64BE(BigInt(to.now.getTime() + NONCE_MS))
  body.set(to.random.subarray(0, 16), 8)
  return toBase64Url(Buffer.concat([body, mac(key, to.participant, body)]))
}

/** Whether this node gave the nonce to this participant within the last five minutes. */
export function isNonce(key: Uint8Array, nonce: string, of: { participant: Uuid; now: Date }): boolean {
  const bytes = Buffer.from(fromBase64Url(nonce) ?? [])
  if (bytes.length !== 40) return false
  const body = bytes.subarray(0, 24)
  if (!timingSafeEqual(mac(key, of.participant, body), bytes.subarray(24))) return false
  return body.readBigInt64BE() > BigInt(of.now.getTime())
}

const mac = (key: Uint8Array, participant: Uuid, body: Uint8Array): Buffer =>
  createHmac('sha256', key)
    .update(utf8(`aldis-nonce/1\n${participant}\n`))
    .update(body)
    .digest()
    .subarray(0, 16)

import { hash } from 'node:crypto'

const SIZE = 32

/** SHA-256 of a text's UTF-8 as base64url: Node makes that text in the time in which it makes any other. */
export const sha256Url = (text: string): string => hash('sha256', text, 'base64url')

/** The same in hex. */
export const sha256Hex = (data: Uint8Array | string): string => hash('sha256', data, 'hex')

const POOL = 256 * SIZE
let pool = Buffer.allocUnsafeSlow(POOL)
let used = 0

/** One-shot SHA-256 (FIPS 180-4), 32 bytes. By way of a text: Node makes one in a quarter of the time of an ArrayBuffer. */
export function sha256(data: Uint8Array | string): Buffer {
  const digest = hash('sha256', data, 'binary')
  if (used === POOL) {
    pool = Buffer.allocUnsafeSlow(POOL)
    used = 0
  }
  const out = pool.subarray(used, used + SIZE)
  used += SIZE
  for (let i = 0; i < SIZE; i++) out[i] = digest.charCodeAt(i)
  return out
}

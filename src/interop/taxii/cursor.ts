import { createHmac, timingSafeEqual } from 'node:crypto'
import { fromBase64Url, toBase64Url } from '../../kernel/bytes.ts'
import { Refusal } from '../../kernel/errors.ts'

/**
 * `next`: the place reached (8 bytes) and a MAC (16) over it and all that it is bound to: who asks, the collection, the filters. Not
 * the limit, which clients change on their way. Kept nowhere, and good for as long as the key.
 */
export function nextOf(key: Uint8Array, at: bigint, bound: string): string {
  const place = Buffer.alloc(8)
  place.writeBigInt64BE(at)
  return toBase64Url(Buffer.concat([place, macOf(key, place, bound)]))
}

/** The place in a `next`. Throws `invalid-cursor` for one of another question, or that was not made here. */
export function placeIn(key: Uint8Array, text: string, bound: string): bigint {
  const bytes = Buffer.from(fromBase64Url(text) ?? [])
  const place = bytes.subarray(0, 8)
  if (bytes.length !== 24 || !timingSafeEqual(macOf(key, place, bound), bytes.subarray(8)))
    throw new Refusal('invalid-cursor', { detail: 'next belongs to the same collection and filters; start without it' })
  return place.readBigInt64BE()
}

const macOf = (key: Uint8Array, place: Uint8Array, bound: string): Buffer =>
  createHmac('sha256', key).update('aldis-taxii/1\0').update(place).update(bound).digest().subarray(0, 16)

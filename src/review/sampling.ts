import type { Uuid } from '../kernel/ids.ts'
import { uuidBytes } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'

/**
 * Whether a decision is made a second time. The id of its release is random and of the node's making: nobody who decides can
 * tell before, and everybody who knows the id can check afterwards.
 */
export function isSampled(event: Uuid, percent: number): boolean {
  const hash = sha256(uuidBytes(event))
  const number = new DataView(hash.buffer, hash.byteOffset).getUint32(0)
  return number % 100 < percent
}

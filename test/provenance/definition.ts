import { concat } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'

/** `length` leaf hashes that differ from one another. */
export const leavesOf = (length: number): Uint8Array[] =>
  Array.from({ length }, (_, i) => leafOf(Buffer.from(`leaf ${i}`)))

export const leafOf = (entry: Uint8Array): Uint8Array => sha256(concat(Uint8Array.of(0), entry))

/** MTH(D[n]) as RFC 6962, section 2.1, defines it: split at the largest power of two below n. */
export function mth(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves
  if (first === undefined) return sha256(new Uint8Array(0))
  if (leaves.length === 1) return first
  const k = splitOf(leaves.length)
  return sha256(concat(Uint8Array.of(1), mth(leaves.slice(0, k)), mth(leaves.slice(k))))
}

/** PATH(m, D[n]), RFC 6962, section 2.1.1. */
export function pathOf(m: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length <= 1) return []
  const k = splitOf(leaves.length)
  return m < k
    ? [...pathOf(m, leaves.slice(0, k)), mth(leaves.slice(k))]
    : [...pathOf(m - k, leaves.slice(k)), mth(leaves.slice(0, k))]
}

/** PROOF(m, D[n]), RFC 6962, section 2.1.2; nothing where there is nothing to prove. */
export const proofOf = (m: number, leaves: readonly Uint8Array[]): Uint8Array[] =>
  m === 0 || m === leaves.length ? [] : subproof(m, leaves, true)

function subproof(m: number, leaves: readonly Uint8Array[], whole: boolean): Uint8Array[] {
  if (m === leaves.length) return whole ? [] : [mth(leaves)]
  const k = splitOf(leaves.length)
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), whole), mth(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), mth(leaves.slice(0, k))]
}

/** tile(l, n)[i] = MTH(D[(256n + i) * 256^l : (256n + i + 1) * 256^l]), as far as the tree goes (C2SP tlog-tiles). */
export function tileOf(level: number, n: number, leaves: readonly Uint8Array[]): Uint8Array {
  const unit = 256 ** level
  const whole = Math.floor(leaves.length / unit)
  const hashes: Uint8Array[] = []
  for (let i = 256 * n; i < Math.min(whole, 256 * (n + 1)); i++)
    hashes.push(mth(leaves.slice(i * unit, (i + 1) * unit)))
  return concat(...hashes)
}

function splitOf(n: number): number {
  let k = 1
  while (2 * k < n) k *= 2
  return k
}

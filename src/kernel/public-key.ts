import type { KeyObject } from 'node:crypto'

const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1'])
const RSA_BITS = 3_072

/** Why the programme accepts no certificate over this key, as an instruction; undefined if it does. */
export function weaknessOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | undefined {
  if (type === 'ed25519') return undefined
  if (type === 'ec' && CURVES.has(details?.namedCurve ?? '')) return undefined
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= RSA_BITS) return undefined
  return 'use P-256, P-384, Ed25519 or RSA of at least 3,072 bits'
}

import { createPublicKey, verify } from 'node:crypto'
import type { NodeKeys } from '../participants/schema.ts'
import { type Countersignature, verifyCountersignature } from '../signals/countersignature.ts'
import { digestOfJws, type FlatJws, headerOf } from '../signals/submission.ts'
import { VerificationFailed } from './errors.ts'

/** Whose word it must be. */
export interface Countersigner {
  node_origin: string
  receipt_keys: NodeKeys['receipt_keys']
}

/** A source's signature as the node acknowledged it. */
export interface Acknowledged {
  /** Base64url. */
  payload: string
  /** SHA-256 of the source's JWS, base64url. */
  od: string
  countersignature: Countersignature
}

/**
 * The commitment (base64url) of the entry that the node promised its log would hold for this submission. Throws
 * `VerificationFailed` unless a pinned key of the node signed it for this very JWS.
 */
export function promisedEntry({ payload, od, countersignature }: Acknowledged, node: Countersigner): string {
  for (const { jwk } of node.receipt_keys) {
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' })
    const header = verifyCountersignature(countersignature, payload, (data, signature) =>
      verify(null, data, key, signature),
    )
    if (header === undefined) continue
    if (header.iss === node.node_origin && header.od === od) return header.rec
    throw new VerificationFailed('countersignature', 'it is of another submission or another node')
  }
  throw new VerificationFailed('countersignature', 'no pinned key of the node made it')
}

/** A signature of ours, as it is kept until the node has answered for it. */
export interface OwnSignature {
  /** Base64url. */
  payload: string
  /** SHA-256 of the JWS, base64url. */
  od: string
  /** When it was made, in seconds; what was kept by an earlier release has none. */
  iat?: number
}

export const ownSignature = (jws: FlatJws): OwnSignature => ({
  payload: jws.payload,
  od: odOf(jws),
  iat: headerOf(jws.protected).iat,
})

export const odOf = (jws: FlatJws): string => digestOfJws(jws).toString('base64url')

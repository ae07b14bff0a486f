import type { LookupResult } from '../feeds/schema.ts'
import { type LookupKey, mediaKey } from './derive.ts'
import { LIVE } from './ends.ts'
import { VerificationFailed } from './errors.ts'
import type { VerifiedEvent, Verifier } from './verify.ts'

/** A live signal that its source signed, of a key that we asked for. */
export interface LookedUp extends VerifiedEvent {
  key: LookupKey
  item: Record<string, unknown>
}

/**
 * What a node answered to a look-up of these keys. Throws `VerificationFailed` unless each match is of a key that was
 * asked for, and its source signed a live signal of that key.
 */
export function lookedUp(
  { matches, submissions }: Pick<LookupResult, 'matches' | 'submissions'>,
  verifier: Verifier,
  keys: readonly LookupKey[],
): LookedUp[] {
  const proofs = new Map(submissions.map((proof) => [proof.event, proof]))
  const asked = Map.groupBy(keys, ({ key }) => key)
  return matches.map(({ key: answered, event }) => {
    const verified = verifier.event({ event, proof: proofs.get(event.event) })
    const { item } = verified
    const key = asked.get(answered)?.find((one) => item !== undefined && isOfKey(item, one))
    if (item === undefined || key === undefined || !LIVE.has(event.type))
      throw new VerificationFailed('look-up', 'no source signed a live signal of a key that was asked for')
    return { ...verified, item, key }
  })
}

/** What tells two keys apart: links and domains may have the same digest. */
export const nameOfKey = ({ type, profile, key }: LookupKey): string => `${type} ${profile} ${key}`

/** Whether a signed item is found under a key. */
export function isOfKey(item: Record<string, unknown>, { type, profile, key }: LookupKey): boolean {
  const own = matchKeyOf(item)
  return item['type'] === type && own?.key === key && own.profile === profile
}

function matchKeyOf({ value }: Record<string, unknown>): Omit<LookupKey, 'type'> | undefined {
  const { profile, kid, token, sha256: link, algorithm, hash } = Object(value) as Record<string, unknown>
  if (typeof algorithm === 'string' && typeof hash === 'string')
    return { profile: algorithm, key: mediaKey(algorithm, hash) }
  if (typeof profile !== 'string') return undefined
  if (typeof link === 'string') return { profile, key: link }
  return typeof token === 'string' && typeof kid === 'string' ? { profile: `${profile}@${kid}`, key: token } : undefined
}

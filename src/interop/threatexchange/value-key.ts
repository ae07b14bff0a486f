import { Refusal } from '../../kernel/errors.ts'
import type { ThreatValue } from './from-threat.ts'
import { HASH_TYPE } from './to-threat.ts'

/** By which a record is found; of a media hash alone, since other values are hashed before they are kept. */
export function toThreatKey(value: ThreatValue): { type: string; indicator: string } {
  const type = value.type === 'media_hash' ? HASH_TYPE[value.algorithm] : undefined
  if (value.type !== 'media_hash' || type === undefined)
    throw new Refusal('validation-failed', { detail: 'name the descriptor by its id: the value is not kept as it was' })
  return { type, indicator: value.hash }
}

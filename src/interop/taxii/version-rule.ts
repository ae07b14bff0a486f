import type { StixFault, StixName } from '../stix/from-stix.ts'
import { instantIn } from './instant.ts'

/** What is here of an object of this id. */
export interface KnownVersion {
  version: string | undefined
  digest: string | undefined
  ended: boolean
}

/** Whether a version is to be taken, is here already, or why it is refused (TAXII 2.1 section 3.2; versions of STIX 2.1 section 3.6). */
export function judgeVersion(
  known: KnownVersion | undefined,
  { version }: StixName,
  digest: string,
): 'new' | 'here' | StixFault {
  if (known?.version === undefined) return 'new'
  if (known.version === version) {
    if (known.digest === digest) return 'here'
    return { code: 'state-conflict', pointer: '/modified', detail: 'this version has other bytes here' }
  }
  if (known.ended) return { code: 'signal-ended', pointer: '/revoked', detail: 'what was revoked does not come back' }
  if ((instantIn(version) ?? 0n) <= (instantIn(known.version) ?? 0n))
    return { code: 'revision-conflict', pointer: '/modified', detail: 'not newer than what is here' }
  return 'new'
}
